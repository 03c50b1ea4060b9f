/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's contract: a kind of service that takes writes and is read back is one file in
 * harness/ledger/ exporting one const row, and one line in ledgers.def. Rows are read by the
 * scenario (parameters, docs, schema); their functions run only inside the ledger's process, each
 * client in a thread of its own, and may block until their deadline.
 */
#ifndef BLACKSTART_LEDGER_LEDGER_H
#define BLACKSTART_LEDGER_LEDGER_H

#include "base/err.h"
#include "base/kind.h"
#include "base/ledgerlog.h"
#include "base/members.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LEDGER_HOSTS_MAX = 64,
    LEDGER_COLLECTION_MAX = 160,
    LEDGER_IDS_MAX = 8000000, /* of one read */
    LEDGER_ANSWER_MAX = 128 << 20
};

/* What a client works on; outlives it. */
struct ledger_place {
    const void *args; /* of the kind */
    const struct named_host *hosts;
    size_t n_hosts;
    /* Of this run, ledger and trial alone: letters, digits, "-", "." and ":". */
    const char *collection;
};

/* All that a read found, in any order; what is there twice stands here twice. */
struct ledger_ids {
    uint64_t *ids;
    size_t n, room;
};
int ledger_ids_add(struct ledger_ids *to, uint64_t id, uint32_t times, struct err *err) MUST_CHECK;
/* The id at the end of a text, behind its last "/" or ":" or alone; false: it has none. */
bool ledger_id_parse(const char *text, size_t len, uint64_t *ret);

/* Nanoseconds until a deadline, negative behind it; and the part of them for one of so many tries.
 */
int64_t ledger_left(int64_t deadline);
int64_t ledger_share(int64_t deadline, size_t tries);

/* Read as any client would, by the way that writes take; else the index of a host. */
#define LEDGER_VIEW_CLIENT SIZE_MAX

struct ledger_ops {
    /* What must be there before the first write: a table. NULL: nothing. Deadlines are
     * CLOCK_MONOTONIC. */
    int (*prepare)(const struct ledger_place *p, int64_t deadline, struct err *err);
    /* A client without a connection yet. */
    int (*open)(const struct ledger_place *p, void **ret, struct err *err);
    void (*close)(void *client);
    /*
     * One write. OK only when the service said that it took it; FAIL only when it is certain that
     * it did not (it said so, or nothing was sent); UNKNOWN otherwise. Connects where it has to.
     */
    enum ledger_result (*write)(void *client, uint64_t id, int64_t deadline,
                                char why[LEDGERLOG_WHY]);
    int (*read)(void *client, size_t view, int64_t deadline, struct ledger_ids *to,
                struct err *err);
};

struct ledger_kind {
    KIND_ROW;      /* lab_only: exec */
    bool no_hosts; /* its commands know where to: there is one view alone */
    /* What no single parameter shows to be wrong: NULL, or the key that is to blame, with why in
     * err. */
    const char *(*check)(const void *args, struct err *err);
    const struct ledger_ops *ops;
};

extern const struct kinds ledger_kinds;
const struct ledger_kind *ledger_kind_find(const char *name);

#endif
