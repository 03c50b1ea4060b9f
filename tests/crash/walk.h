/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kill points are tried: every one of a kind, or a sample over all kinds that a seed chooses
 * and that ends with its time. Goes on with another host where a point left one unfit.
 */
#ifndef BLACKSTART_TESTS_CRASH_WALK_H
#define BLACKSTART_TESTS_CRASH_WALK_H

#include "crash/sweep.h"

enum { WALK_PAIRS = SWEEP_PHASES * SWEEP_VICTIMS, WALK_REPLAY_FIRST = 80 };

/* Every stride-th call of every phase and process. Ends early after max_leaks (0: never), at the
 * sweep's deadline (then the tally is not finished), and with -1 when the rig fails again and
 * again.
 */
int walk_all(struct sweep *s, const struct kind *kind, int signal, unsigned stride,
             unsigned max_leaks, struct err *err) MUST_CHECK;

/* What is remembered of a kind between its turns. */
struct walk_kind {
    unsigned char pairs[WALK_PAIRS]; /* of phase and process, in the seed's order */
    unsigned n, next, span;          /* span: how far recoveries are killed */
    uint64_t tried[WALK_PAIRS][4];   /* calls below 256 */
};

/* again: the recovery dies too. */
void walk_kind_init(struct walk_kind *w, int signal, bool again, uint64_t *seed);
/* One more point of that kind. */
int walk_sample(struct sweep *s, struct walk_kind *w, const struct kind *kind, int signal,
                bool again, uint64_t *seed, struct err *err) MUST_CHECK;

/* Has the sweep's deadline passed? */
bool walk_is_over(const struct sweep *s);

unsigned walk_random(uint64_t *seed, unsigned below);

#endif
