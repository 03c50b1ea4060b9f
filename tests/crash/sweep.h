/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kill points: one of the agent's three processes, or the one that bears the fault, dies or stops
 * at the k-th system call of a phase of a fault's life; then a new agent is started on the same
 * state directory, and the host must be as it was before the first one. Which points are tried is
 * the caller's (walk.h); what is tried knows no kind by name.
 */
#ifndef BLACKSTART_TESTS_CRASH_SWEEP_H
#define BLACKSTART_TESTS_CRASH_SWEEP_H

#include "crash/kinds.h"
#include "crash/phase.h"

/* The bearer: a process of the fault's own, which few kinds have. */
enum sweep_victim { SWEEP_NETSIDE, SWEEP_PRIVSIDE, SWEEP_GUARDIAN, SWEEP_BEARER, SWEEP_VICTIMS };

enum sweep_phase {
    SWEEP_PREPARE = PHASE_PREPARE,
    SWEEP_APPLY = PHASE_APPLY,
    SWEEP_HOLD = PHASE_HOLD,
    SWEEP_REVERT = PHASE_REVERT,
    SWEEP_END,    /* the link closes and everything is put back; the guardian's turn comes when
                     privside has been killed */
    SWEEP_REPLAY, /* agent and guardian are dead, and the new agent dies putting back */
    SWEEP_PHASES
};

extern const char *const sweep_victims[], *const sweep_phases[];

struct sweep_point {
    const struct kind *kind;
    enum sweep_victim victim;
    enum sweep_phase phase;
    int signal;
    unsigned k;     /* counted from 1; in the replay from the program's start */
    bool by_change; /* k counts only the calls that border on a change (injector.h) */
    unsigned again; /* the agent that recovers is killed too, at this call; 0: it is not */
};

struct sweep_tally {
    unsigned points, leaks;
    unsigned late;  /* not clean when the lease had passed */
    unsigned unfit; /* the test itself could not go on, and began anew */
    unsigned reached[SWEEP_PHASES][SWEEP_VICTIMS]; /* points */
    unsigned calls[SWEEP_PHASES][SWEEP_VICTIMS];   /* the most that were counted; in the replay
                                                      not more than */
    int64_t worst_ns; /* the longest from a stop until the host was clean */
    bool is_unborne;  /* the kind has no bearer: it was looked for */
    bool is_finished; /* every point that was to be tried was */
};

struct sweep {
    struct rig rig;
    char name[16];
    const char *agent;
    struct buf before;         /* the host's state */
    struct sweep_tally *tally; /* of the kind that is being tried; the caller's */
    int64_t deadline;          /* CLOCK_MONOTONIC: nothing is begun behind it; 0: none */
    bool slow;                 /* a bearer that was watched was not ready in time */
    bool stale;                /* the host is not as before: sweep_renew() */
    char last[160];            /* the point that was tried last */
    struct buf notes;          /* a paragraph for each leak */
};

int sweep_open(struct sweep *s, const char *name, const char *agent, struct err *err) MUST_CHECK;
void sweep_close(struct sweep *s);
/* Another host. The notes stay. */
int sweep_renew(struct sweep *s, struct err *err) MUST_CHECK;

/* Waits until the host is as before; out: the lines that differ still, empty when it is. */
int sweep_await_clean(struct sweep *s, struct buf *out, int within_ms, int64_t *ret_took,
                      struct err *err) MUST_CHECK;

/* Has that process a part in that phase? */
bool sweep_is_played(enum sweep_phase phase, enum sweep_victim victim, int signal);

/* 1: the point was there; 0: the phase has no k-th call; -1: the rig failed. *ret_calls: counted
 * until then. */
int sweep_try(struct sweep *s, const struct sweep_point *p, unsigned *ret_calls,
              struct err *err) MUST_CHECK;

#endif
