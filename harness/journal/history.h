/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's journal in memory, typed: what analysis and reports read, and all that they read. The
 * reader survives a torn last line and a torn sample file, and rejects everything else that is not
 * as docs/journal.md says, with the line's number. It judges nothing. Events with an unknown name
 * are kept in `events` and otherwise ignored.
 */
#ifndef BLACKSTART_HISTORY_H
#define BLACKSTART_HISTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/fault.h"
#include "base/ledgerlog.h"
#include "base/sample.h"
#include "journal/earlier.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_UNKNOWN INT64_MIN /* a time that the journal does not have */

struct history_event {
    int64_t t;
    const char *ev;
    const json_t *members; /* the whole line */
    uint32_t line;
    uint32_t trial; /* index into history.trials, or HISTORY_NO_TRIAL outside of all */
};
#define HISTORY_NO_TRIAL UINT32_MAX

/* As it was read, in order; what a reading proves is for the analysis to say. */
struct history_evidence {
    const struct history_evidence *next;
    int64_t t;           /* of the line */
    int64_t asked_ns;    /* HISTORY_UNKNOWN: it came with the revert */
    const json_t *items; /* {name: count} */
    bool proven;
    const char *what;
};

/* One fault on one host. Times are HISTORY_UNKNOWN when the journal does not have them. */
struct history_injection {
    const char *id, *fault, *host;
    int64_t group, step;
    int64_t wave, phase; /* of a step that has them, from 1; else HISTORY_UNKNOWN */
    const json_t *args;
    int64_t for_ns;
    bool prepared, applied, reverted, foreign, lapsed;
    bool refused;                       /* the host's kernel would not let its identity do it */
    const char *error;                  /* of the first call that failed, or NULL */
    int64_t asked_ns, active_ns;        /* apply sent, verified-active reply received */
    int64_t revert_asked_ns, undone_ns; /* revert sent, verified reply received */
    enum evidence_class evidence_class;
    bool evidence_seen;                      /* evidence_class is known */
    const struct history_evidence *evidence; /* all readings */
    struct history_evidence *newest;
    const char *ended_by;         /* word, or NULL */
    enum restored_by restored_by; /* who brought back what it had ended */
    const char *what;             /* the revert's own words, or NULL */
};

struct history_role {
    int64_t t;
    const char *role, *host, *when;
    bool ok;
};

/* What a prober's machine said of itself; -1: it did not. */
struct history_machine {
    int64_t steal, ticks; /* /proc/stat: of all processors since they started */
    int64_t pressure_us;  /* /proc/pressure/cpu: some task waited for so long since the start */
    int64_t load_milli;   /* load average over one minute, in thousandths */
};

/* What a service said it had been asked, at one endpoint of a probe: how often it was read, in how
 * many of these its growth since the one before is known, its sum, and the prober's own requests in
 * it. -1: not told. */
struct history_served {
    int64_t probe, endpoint; /* of the journal's `probes`, and of that probe's hosts */
    int64_t asked, known, grown, own;
};

/* One prober in one trial; numbers are -1, times HISTORY_UNKNOWN, when the journal has none. */
struct history_vantage {
    const char *host;
    int64_t late, gaps, sent, cpu_ns, until_ns;
    int64_t clock_lo,
        clock_hi; /* what is added to its samples' times; 0 on the coordinator's clock */
    int64_t null_n, null_late, null_p50_ns, null_p99_ns, null_max_ns;
    struct history_machine begin, end;
    struct history_served *served;
    size_t n_served;
};

struct history_trial {
    uint32_t trial; /* its number */
    bool fault_free;
    int64_t start_ns, end_ns; /* end: trial.end, or HISTORY_UNKNOWN */
    const char *outcome;      /* "done", "aborted", or NULL: the run died in it */
    bool steady_known, steady_held;
    int64_t steady_ns;
    const char *steady_why;
    struct history_injection *injections;
    size_t n_injections;
    struct history_role *roles;
    size_t n_roles;
    const char *guard_probe, *guard_what; /* NULL: none fired; "the blast radius" */
    int64_t guard_ns;
    const char *abort_why, *abort_what; /* NULL: not aborted */
    int64_t abort_ns;
    int64_t by_hand_ns;      /* first `step` marked as a person's recovery, or HISTORY_UNKNOWN */
    const char *failed_step; /* what the first failed step said, or NULL */
    int64_t failed_number, failed_ns; /* its number, HISTORY_UNKNOWN if not told; when */
    int64_t until_ns;                 /* the prober's schedule ended here, or HISTORY_UNKNOWN */
    int64_t late, gaps, sent;         /* the prober's own count; -1: not known */
    int64_t cpu_ns;
    struct history_vantage *vantages; /* that told their health */
    size_t n_vantages;
    size_t n_samples;             /* history_reader_open gives them */
    size_t first_event, n_events; /* its events stand together: from trial.start to trial.end */
};

struct history_host {
    const char *name;
    const json_t *addrs, *labels;
    bool known, clean; /* known: a `host` event says whether it is clean */
    const json_t *differences, *left, *listed;
};

/* The endpoints of one probe, in the order of samples' `endpoint`. */
struct history_probe {
    const char *name, *from; /* a probe with several vantages stands here once for each */
    const char **hosts;
    size_t n_hosts;
};

/* One ledger at one vantage and its own file, in the order of the `ledgers` event. */
struct history_ledger {
    const char *name, *kind, *from; /* with several vantages it stands here once for each */
    bool reads_only;                /* another one of its name writes */
    int64_t every_ns;
    struct ledgerlog *log; /* NULL: there is no such file, or nothing whole in it */
};

/* The plan by which a series stops by itself, as it was stated before; none when at_most is 0. */
struct history_plan {
    double good, bad, alpha, beta; /* shares */
    uint32_t at_most, undecided;
};

struct history {
    struct arena arena;
    const json_t *start; /* run.start */
    const char *run, *wall, *version, *kernel, *machine, *scenario, *file, *text, *sha256;
    uint64_t seed;
    uint32_t n_trials_asked;
    struct history_plan plan;
    bool no_fault;
    struct history_event *events;
    size_t n_events;
    struct history_trial *trials;
    size_t n_trials;
    struct history_host *hosts;
    size_t n_hosts;
    struct history_probe *probes;
    size_t n_probes;
    struct history_ledger *ledgers;
    size_t n_ledgers;
    struct earlier earlier;             /* for comparison: no verdict rests on it */
    bool torn;                          /* the last line was, and is dropped */
    uint32_t files_unfinished;          /* sample files that no event names */
    bool ended, aborted;                /* run.end */
    const char *error;                  /* of run.end, or NULL */
    const char *abort_why, *abort_what; /* outside of any trial */
    int64_t end_ns;                     /* of the last event */
    size_t n_samples;                   /* of all trials */
    size_t n_probes_seen;               /* one more than the highest probe that a sample is of */
    struct history_store *store;        /* where they are: history_reader_open */
    json_t **lines;                     /* owns what the pointers above borrow */
};

/*
 * Did somebody stop it from outside, a person (Ctrl-C, SIGTERM, a terminal that was closed) or the
 * end of the run that it takes turns with? Nothing about the system was learnt from that; a guard,
 * a deadline or a host that died is no stop.
 */
bool history_trial_stopped(const struct history_trial *t);
bool history_stopped(const struct history *h); /* in a trial or outside of any */

/* Reads DIR/journal.ndjson and the sample files beside it; their hashes must be right. The error
 * names the directory. */
int history_load(const char *dir, struct history **ret, struct err *err) MUST_CHECK;

/*
 * One sample file alone, without its journal: trials and samples, and nothing else. *ret_why: what
 * is wrong at its end, where it is torn; else its code is 0.
 */
int history_load_file(const char *path, struct history **ret, struct err *ret_why,
                      struct err *err) MUST_CHECK;

/* The same as history_load from memory; samples may be in any order and are copied. For tests and
 * fuzzers. */
int history_parse(const char *text, size_t len, const struct sample *samples, size_t n_samples,
                  struct history **ret, struct err *err) MUST_CHECK;

void history_free(struct history *h); /* NULL is allowed */
void history_free_at(struct history **h);
#define CLEANUP_HISTORY __attribute__((cleanup(history_free_at)))

/*
 * The samples of one probe (its index) in one trial, in order of slot and endpoint, a slot at a
 * time: a run may hold more than memory does. What lies behind it, files or memory, only the
 * history knows, so that whoever asks stays pure.
 */
struct history_reader;
int history_reader_open(const struct history *h, const struct history_trial *t, size_t probe,
                        struct history_reader **ret, struct err *err) MUST_CHECK;
/* The samples of the next slot, valid until the next call; *ret_n is 0 behind the last. A sample
 * that cannot be, or is there twice, is ERR_INPUT. */
int history_reader_next(struct history_reader *r, const struct sample **ret, size_t *ret_n,
                        struct err *err) MUST_CHECK;
void history_reader_close(struct history_reader *r); /* NULL is allowed */
void history_reader_close_at(struct history_reader **r);
#define CLEANUP_HISTORY_READER __attribute__((cleanup(history_reader_close_at)))
/* All of them at once, where they are known to be few; *ret is the caller's to free(). */
int history_samples_of(const struct history *h, const struct history_trial *t, size_t probe,
                       struct sample **ret, size_t *ret_n, struct err *err) MUST_CHECK;

#endif
