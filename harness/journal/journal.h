/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run's append-only record: journal.ndjson and the sample files beside it (docs/journal.md is
 * the table of events). This half writes; history.h reads. It knows nothing of what the events
 * mean. Each line goes out in one write, so that a killed process leaves whole lines and at most
 * one torn one; a sample file is hashed while it is written, and named by an event once complete.
 */
#ifndef BLACKSTART_JOURNAL_H
#define BLACKSTART_JOURNAL_H

#include "base/clock.h"
#include "base/err.h"
#include "base/sample.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_FILE         "journal.ndjson"
#define JOURNAL_SAMPLES_NAME "samples-%04u.bin"  /* counted over the run */
#define JOURNAL_TAIL_NAME    "samples-%04u.tail" /* what is not in the file's blocks yet */

enum {
    JOURNAL_LINE_MAX = 8 << 20,         /* run.start holds a scenario of up to 1 MiB, escaped */
    JOURNAL_MAX = 256 << 20,            /* of journal.ndjson */
    JOURNAL_SAMPLE_FILE_MAX = 16 << 20, /* a longer trial goes on in the next file */
    JOURNAL_SAMPLES_MAX = 16000000      /* records of one run */
};

struct journal;

/* Makes journal.ndjson in the directory, which exists; fails if it is there already. The clock is
 * borrowed. */
int journal_create(const char *dir, const struct clock *clock, struct journal **ret,
                   struct err *err) MUST_CHECK;

/*
 * Appends one line: {"t":now,"ev":ev,...members}. Steals members, an object, also on failure;
 * NULL, which json_pack gives for text that is not UTF-8, is an error. After a failed write every
 * later append fails too: a line is never glued to half of another.
 */
int journal_append(struct journal *j, const char *ev, json_t *members, struct err *err) MUST_CHECK;
/* The same with the time given. */
int journal_append_at(struct journal *j, int64_t t_ns, const char *ev, json_t *members,
                      struct err *err) MUST_CHECK;

/* How the slots of this probe are planned: the files are smaller for it. Before its first sample.
 */
int journal_samples_schedule(struct journal *j, uint16_t probe, uint64_t seed, int64_t every_ns,
                             struct err *err) MUST_CHECK;
/* Appends samples, rounded by sample_round, to the current sample file, opening one for the trial
 * when there is none. They are written when it returns: a killed run loses none of them. */
int journal_samples_add(struct journal *j, uint32_t trial, const struct sample *samples, size_t n,
                        struct err *err) MUST_CHECK;
/* Completes the current sample file and names it by a `samples` event; nothing when none is open.
 * Call at a trial's end. */
int journal_samples_end(struct journal *j, struct err *err) MUST_CHECK;

/* Makes the file of the ledger with this number; its process writes it. */
int journal_ledger_open(struct journal *j, unsigned ledger, int *ret_fd,
                        struct err *err) MUST_CHECK;
/* Names it, as it is now, by a `ledger` event: at a trial's end. */
int journal_ledger_end(struct journal *j, unsigned ledger, const char *name, uint32_t trial,
                       struct err *err) MUST_CHECK;

/* Pushes journal and current sample file to the disk. */
int journal_sync(struct journal *j, struct err *err) MUST_CHECK;

/* Is some process writing this run's journal? A reader's question: a writer that died is none. */
bool journal_is_open(const char *dir);

/* NULL is allowed. Does not complete an open sample file. */
void journal_close(struct journal *j);
#define CLEANUP_JOURNAL __attribute__((cleanup(journal_close_at)))
void journal_close_at(struct journal **j);

#endif
