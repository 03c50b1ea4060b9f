/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeper.c (the schedule and its threads) and keeper_read.c (reading back) share. */
#ifndef BLACKSTART_LEDGER_KEEPER_PARTS_H
#define BLACKSTART_LEDGER_KEEPER_PARTS_H

#include "ledger/keeper.h"

#include <pthread.h>

struct worker {
    struct keeper *keeper;
    pthread_t thread;
    pthread_cond_t wake;
    bool busy;
    uint64_t id;
    int64_t due_ns;
    void *client; /* of this trial; NULL: made when it is needed */
    struct worker *next_idle;
};

struct reading; /* keeper_read.c */

struct keeper {
    struct keeper_spec spec;
    char name[NAME_MAX_LEN + 1], from[NAME_MAX_LEN + 1];
    char base[LEDGER_COLLECTION_MAX - 16], collection[LEDGER_COLLECTION_MAX];
    struct ledger_place place;
    struct log *log;
    /* the schedule: of the owner alone */
    bool running;
    uint32_t trial;
    uint64_t next_id, base_id;
    int64_t base_ns, due_ns;
    uint64_t gap_first, gap_n;
    struct reading *reading; /* of this trial; NULL: nothing was read yet */
    /* shared with the workers */
    pthread_mutex_t lock;
    pthread_cond_t calm; /* a write has ended */
    struct worker *workers[KEEPER_WORKERS_MAX];
    size_t n_workers, n_busy;
    struct worker *idle; /* the one that ended last comes first: few connections are in use */
    bool stop, failed;
    struct err why;
};

int64_t keeper_now(const struct keeper *k); /* of the run */
int keeper_put(struct keeper *k, const struct buf *lines, struct err *err);
void keeper_reading_free(struct keeper *k);

#endif
