/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Harms another process at its k-th system call, counted from injector_plan_start(): kills it at
 * the call's entry, so that the call has no effect, or stops it right behind the call; or the call
 * is not made and returns an error. The work is a child's (a tracer's waits would block the test).
 */
#ifndef BLACKSTART_TESTS_CRASH_INJECTOR_H
#define BLACKSTART_TESTS_CRASH_INJECTOR_H

#include <stdbool.h>
#include <sys/types.h>

struct injector_plan {
    int signal; /* 0: an error instead */
    int error;  /* errno's value */
    bool lasts; /* the error is also that of every call behind the k-th */
    unsigned k; /* from 1 */
    bool heir;  /* not the victim, but the next process that it forks, from its birth on */
    /* Of the calls that one site makes (site.h) the first, second, fourth, eighth ... count. */
    bool by_site;
    /* Of a row of calls that change nothing (change.h) only the first and the last count. */
    bool by_change;
    /* Which calls count; NULL: all. */
    bool (*counts)(const struct injector_plan *plan, long number);
};

/* Written by the child while it goes on. */
struct injector_tally {
    unsigned calls; /* counted */
    unsigned hits;
    long number; /* of the first call that was hit */
};

struct injector_child {
    pid_t pid;
    struct injector_tally *tally; /* shared */
};

/* Returns when the victim is held and counting has begun; false when it could not be. */
bool injector_plan_start(struct injector_child *ret, pid_t victim,
                         const struct injector_plan *plan);
/* Ends it, and the victim goes on; was the k-th call reached? *ret_calls: how many were counted. */
bool injector_finish(struct injector_child *c, unsigned *ret_calls);

/* Harms a child of the caller's that waits for a byte at line[0], and waits for its end; closes
 * both ends of the pipe. Its wait status, or -1; *ret_hit: the k-th call was reached. */
int injector_harm(pid_t child, const int line[2], const struct injector_plan *plan, bool *ret_hit);

/* Runs a program that is killed at its k-th call, its own start included, and ends when it ends.
 * For a main of its own: a program that is started elsewhere. */
_Noreturn void injector_exec(unsigned k, bool by_change, char **argv);

#endif
