/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger's own file (docs/journal.md): what was about to be written, how each write ended, and
 * what was read back. Lines of text, append-only; the writing and the reading half stand side by
 * side, since ledger and journal share them. It judges nothing. Times are nanoseconds since the
 * run's start on CLOCK_MONOTONIC.
 */
#ifndef BLACKSTART_BASE_LEDGERLOG_H
#define BLACKSTART_BASE_LEDGERLOG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEDGERLOG_NAME "ledger-%02u.log" /* counted over the scenario's ledgers */

enum {
    LEDGERLOG_MAX = 256 << 20, /* of one file */
    LEDGERLOG_WRITES_MAX = 4000000,
    LEDGERLOG_RANGES_MAX = 8000000, /* of all reads together */
    LEDGERLOG_READS_MAX = 100000,
    LEDGERLOG_VIEWS_MAX = 1024,
    LEDGERLOG_TRIALS_MAX = 10000,
    LEDGERLOG_LINE = 512, /* of any line but one of ids */
    LEDGERLOG_WHY = 200,
    LEDGERLOG_VIEW_S = 10 /* a view's read takes at most */
};

/* How a write ended. PENDING: the file has no word of it, so that it may be either. */
enum ledger_result { LEDGER_PENDING, LEDGER_OK, LEDGER_FAIL, LEDGER_UNKNOWN };
const char *ledger_result_word(enum ledger_result r);

/* ids from..to, each seen `times` times. */
struct ledgerlog_range {
    uint64_t from, to;
    uint32_t times;
};

struct ledgerlog_write {
    uint64_t id;
    int64_t due_ns,
        sent_ns;     /* sent: the intent was written then, and the write went out after it */
    int64_t done_ns; /* INT64_MAX: pending */
    uint8_t result;  /* enum ledger_result */
    const char *why; /* of what failed or is unknown; "" */
};

/* One full read of one view. */
struct ledgerlog_read {
    uint32_t round, view;
    int64_t began_ns, done_ns; /* done: INT64_MAX while it is open */
    bool ok;
    const char *why;                      /* when it failed; "" */
    const struct ledgerlog_range *ranges; /* ascending, apart */
    size_t n_ranges;
};

struct ledgerlog_trial {
    uint32_t trial;
    int64_t began_ns, until_ns; /* until: its schedule ended there; INT64_MAX: never told */
    uint64_t gaps;              /* slots that were not sent */
    const struct ledgerlog_write *writes; /* in order of id */
    size_t n_writes;
    const struct ledgerlog_read *reads;
    size_t n_reads;
    bool reading_over; /* it said that it reads no more */
};

struct ledgerlog {
    struct arena arena;
    const char *name, *from;
    const char **views; /* by number: "n1", or "as a client" */
    size_t n_views;
    struct ledgerlog_trial *trials;
    size_t n_trials;
    bool torn; /* its last line was, and is dropped */
};

/* Reads the bytes of a file. A torn last line, and what a lost disk left behind whole lines, are
 * dropped; anything else that is not as it should be is an error with the line's number. */
int ledgerlog_parse(const char *text, size_t len, struct ledgerlog **ret,
                    struct err *err) MUST_CHECK;
void ledgerlog_free(struct ledgerlog *l); /* NULL is allowed */
void ledgerlog_free_at(struct ledgerlog **l);
#define CLEANUP_LEDGERLOG __attribute__((cleanup(ledgerlog_free_at)))

/* Lines for the file, with their newline. `why` may hold any text: it is cleaned. */
void ledgerlog_put_head(struct buf *out, const char *name, const char *from);
void ledgerlog_put_view(struct buf *out, uint32_t view, const char *name);
void ledgerlog_put_trial(struct buf *out, uint32_t trial, int64_t t);
void ledgerlog_put_intent(struct buf *out, uint64_t id, int64_t due, int64_t sent);
void ledgerlog_put_result(struct buf *out, uint64_t id, enum ledger_result result, int64_t done,
                          const char *why);
void ledgerlog_put_gap(struct buf *out, uint64_t first, uint64_t n);
void ledgerlog_put_until(struct buf *out, int64_t t);
void ledgerlog_put_read(struct buf *out, uint32_t round, uint32_t view, int64_t t);
/* Sorts the ids, which may be there more than once. */
void ledgerlog_put_ids(struct buf *out, uint64_t *ids, size_t n);
/* Instead of ids: those of this view's read in the round before. */
void ledgerlog_put_same(struct buf *out);
void ledgerlog_put_read_end(struct buf *out, bool ok, int64_t t, const char *why);
void ledgerlog_put_reading_over(struct buf *out);

#endif
