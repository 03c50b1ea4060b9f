/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run_ledger.c (the processes and calls to them) and run_ledger_read.c (a trial's end) share.
 */
#ifndef BLACKSTART_RUN_LEDGER_PARTS_H
#define BLACKSTART_RUN_LEDGER_PARTS_H

#include "base/digest.h"
#include "base/frame.h"
#include "run/run_parts.h"

enum ledger_call { CALL_NONE, CALL_CONFIGURE, CALL_START, CALL_STOP, CALL_READ, CALL_OVER };

/* One process: a ledger has one at each of its vantages, and the first writes. */
struct run_ledger {
    struct run *run;
    struct run_ledger_group *group;
    const struct scenario_ledger *of;
    const char *from;
    unsigned index; /* of its file */
    int fd;
    struct event *in, *late;
    struct frame_reader reader;
    enum ledger_call call; /* one at a time is under way */
    uint32_t trial;
    bool lost;
    bool steady; /* what its last round was like */
    char digest[DIGEST_TEXT];
};

/* A ledger of the scenario. */
struct run_ledger_group {
    struct run *run;
    const struct scenario_ledger *of;
    struct run_ledger *list;
    size_t n, waiting;     /* waiting: for so many answers to one call */
    enum ledger_call call; /* at a trial's end: the one that all of them were sent */
    int64_t until_ns;      /* of the run: no round begins later */
    long pause_ms;
    struct event *pause;
};

/* Steals params. Calls are short and rare: they fit the socket's buffer. */
void run_ledger_call(struct run_ledger *l, enum ledger_call call, json_t *params, int64_t limit_s);
/* A call of a trial's end has its answer, or will never have one. */
void run_ledger_answered(struct run_ledger *l);
/* Two rounds of all views were the same and all vantages agree. */
bool run_ledgers_steady(const struct run_ledger_group *g);

#endif
