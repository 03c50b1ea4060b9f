/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the history module share, and nobody else: the members of any line, read by one
 * table, and the two passes over them.
 */
#ifndef BLACKSTART_HISTORY_PARTS_H
#define BLACKSTART_HISTORY_PARTS_H

#include "journal/history.h"
#include "journal/samples_file.h"

/* Times and counts beyond this are garbage: 104 days in nanoseconds, exact in a double. */
#define HISTORY_TIME_MAX (INT64_C(1) << 53)

/* Members that any event may have. Absent: NULL, HISTORY_UNKNOWN, -1. */
struct history_line {
    const char *ev, *injection, *fault, *host, *why, *what, *error, *ended_by, *restored_by, *role,
        *when, *probe, *vantage, *state, *outcome, *file, *text, *sha256, *run, *wall, *version,
        *kernel, *machine, *scenario, *class;
    int64_t t, trial, trials, group, step, wave, phase, for_ns, asked_ns, active_ns, done_ns,
        until_ns, late, gaps, sent, cpu_ns, count, seed, format;
    int ok, held, fault_free, proven, foreign, clean, aborted, recovery, no_fault, refused;
    const json_t *args, *items, *hosts, *list, *addrs, *labels, *differences, *left, *listed,
        *lapsed, *null, *served, *begin, *end, *clock, *sequential;
};

/* Where an event is, for messages: "journal.ndjson:12". */
int history_line_read(const json_t *line, size_t number, struct history_line *ret, struct err *err);

/* One prober's health in the trial, which has room for it (history_vantage.c). */
int history_vantage_take(struct history *h, struct history_trial *t,
                         const struct history_line *line);
/* A whole number within bounds that a journal may hold, else `absent`. */
int64_t history_number(const json_t *object, const char *name, int64_t absent);

/* run.start's `sequential`; false: it means nothing. */
bool history_plan_read(const json_t *plan, struct history_plan *ret);

/* Fills everything but the samples from h->events and h->lines. */
int history_fill(struct history *h, struct err *err);

/* Opens a file of a run to be read, with O_NOFOLLOW or no other flag; never waits for whoever would
 * write into a pipe. Its descriptor, or -1: ERR_NOT_FOUND when it is not there, ERR_INPUT when it
 * is no regular file. */
int history_open(int dir_fd, const char *name, int flags, struct err *err) MUST_CHECK;

/* Where the samples are. */
struct history_store {
    struct samples_parts parts; /* by trial, probe, first slot */
    struct sample *memory;      /* not NULL: a part's offset counts these, and there are no files */
    int dir;
    int fd; /* the file that was read last, or -1 */
    uint32_t fd_file;
    bool fd_tail;
};

/* Copies the samples and puts them in order. */
int history_samples_assign(struct history *h, const struct sample *samples, size_t n,
                           struct err *err);

/* The samples of one file, which the store then owns. */
int history_samples_file(struct history *h, int fd, struct err *ret_why, struct err *err);

/* Looks through all sample files that events name, and those that a killed run left behind them. */
int history_samples_load(struct history *h, int dir_fd, struct err *err);

/* The ledgers that the journal declares; and their files (history_ledger.c). */
int history_ledgers_fill(struct history *h, struct err *err);
int history_ledgers_load(struct history *h, int dir_fd, struct err *err);
void history_ledgers_free(struct history *h);

void history_store_free(struct history_store *s); /* NULL is allowed */

#endif
