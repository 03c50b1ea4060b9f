/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one who keeps a ledger: writes on their schedule, each in a thread that may wait for its
 * answer, and reads all back at the end. It knows its kind by the contract alone, and nothing of
 * faults. One thread owns it and calls all of these.
 */
#ifndef BLACKSTART_LEDGER_KEEPER_H
#define BLACKSTART_LEDGER_KEEPER_H

#include "base/digest.h"
#include "ledger/ledger.h"
#include "ledger/log.h"

enum { KEEPER_WORKERS_MAX = 528, KEEPER_PREPARE_S = 10 };

struct keeper_spec {
    const struct ledger_kind *kind;
    const void *args;
    const struct named_host *hosts;
    size_t n_hosts;
    const char *name, *from, *collection; /* collection: of the run and the ledger */
    int64_t every_ns, timeout_ns, epoch_ns;
    uint64_t seed;
    bool each;       /* hosts are read by themselves too */
    bool reads_only; /* another one, at another vantage, writes */
};

struct keeper;

/* Copies what it is given but args and hosts, which outlive it; writes the file's head. */
int keeper_new(const struct keeper_spec *spec, struct log *log, struct keeper **ret,
               struct err *err) MUST_CHECK;
void keeper_free(struct keeper *k); /* NULL is allowed; waits for writes under way */

/* Makes what writes need, then begins. */
int keeper_start(struct keeper *k, uint32_t trial, struct err *err) MUST_CHECK;
/* Sends what is due; returns the instant of the next write (CLOCK_MONOTONIC; INT64_MAX: none). */
int64_t keeper_turn(struct keeper *k);
/* No write is due any more; waits for those under way. */
int keeper_stop(struct keeper *k, struct err *err) MUST_CHECK;
/*
 * Reads all views once: a round. `ended` is asked between reads: true ends it. Before the first
 * read whatever was acknowledged is on the disk.
 */
struct keeper_round {
    bool steady;              /* every view as in the round before, and all of them alike */
    char digest[DIGEST_TEXT]; /* of what they show then: equal at vantages that see the same */
};
int keeper_read(struct keeper *k, bool (*ended)(void *ctx), void *ctx, struct keeper_round *ret,
                struct err *err) MUST_CHECK;
/* No more is read of this trial. Everything is on the disk when it returns. */
int keeper_read_over(struct keeper *k, struct err *err) MUST_CHECK;
/* What failed while writes went on, or NULL. */
const struct err *keeper_failure(struct keeper *k);

#endif
