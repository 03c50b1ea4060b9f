/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The error sweep: in a phase of a fault's life the k-th system call (or allocation) of one of the
 * agent's processes fails, for every k, once or from then on. Afterwards the step has succeeded or
 * has said what is wrong, and the host is as it was; an agent that goes on is used for the next
 * point, one that ended is followed by another. What fails, and how, is the harm's to know.
 */
#ifndef BLACKSTART_TESTS_CRASH_ERRORS_H
#define BLACKSTART_TESTS_CRASH_ERRORS_H

#include "crash/sweep.h"

enum { ERRORS_WHAT_MAX = 64 };

struct errors_harm {
    const char *word; /* such as "EIO" */
    int error;
    bool lasts;
    bool by_site; /* k counts a site's first, second, fourth ... call: none is left out for time */
    enum sweep_victim victim;
    bool (*begin)(const struct errors_harm *harm, pid_t victim, unsigned k);
    /* Lifts it. Was there a k-th one? Says what it was. */
    bool (*end)(const struct errors_harm *harm, char what[ERRORS_WHAT_MAX]);
    const char *only; /* what k counts: the system call of this name; NULL: all */
};

struct errors_tally {
    unsigned points, refused, leaks, ended; /* ended: agents that the error ended */
    unsigned alarms;                        /* clean hosts of which the agent says otherwise */
};

struct errors {
    struct rig rig;
    struct rig_agent agent;
    bool is_up, is_spoilt; /* spoilt: something was left behind */
    bool has_told;         /* the agent that ended last said what it could not put back */
    const char *name;
    struct kinds kinds;
    struct buf before; /* the host's state */
    unsigned serial;
    char last[200];          /* the point before, for messages */
    const char *const *wrap; /* runs the agent; NULL-terminated, NULL: nothing does */
    long log_seen;           /* bytes of the agents' words that have been looked at */
    struct errors_tally tally;
    int64_t deadline;    /* CLOCK_MONOTONIC: no point is begun behind it */
    unsigned unfinished; /* kinds of which not every point was tried */
};

/* What is swept: every fault under every harm in the phases first_phase..last_phase, of which the
 * one behind PHASE_CALLS' is the end: the link closes (privside's harm) or privside dies (the
 * guardian's). */
struct errors_plan {
    const char *word;
    unsigned first_phase, last_phase;
    int seconds, full_seconds; /* of the sample, and of all */
    unsigned reach;            /* of the sample: k is drawn from 1 to this */
    const char *const *wrap;
    const struct errors_harm *harms;
    size_t n_harms;
};

/*
 * Checks that there were points, and no leaks; prints figures. A sample; with BLACKSTART_FULL=yes
 * each point, and of these only those of SWEEP_FAULT=name, SWEEP_ERROR=word, every
 * SWEEP_STRIDE=n-th, and of SHARE=i/n; fails when there is no time for all (SWEEP_SECONDS=n:
 * another than the plan's).
 */
void errors_sweep(const struct errors_plan *plan);
bool errors_is_full(void);

/* Points at which a sweep once found something, and some around them. */
struct errors_spot {
    const char *kind;            /* how its name begins (kinds.h): the first such */
    unsigned phase, first, last; /* of k */
    struct errors_harm harm;
};

/* Tries all of them on one host, whatever the environment says; `wrap` as the plan's. Checks what
 * errors_sweep() does, and that every point was there: else the code has changed, and the range is
 * to be found anew. */
void errors_try(const char *const *wrap, const struct errors_spot *spots, size_t n);

#endif
