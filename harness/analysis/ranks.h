/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ranks, and what they say without asking how figures are distributed: of two samples, and of the
 * order in one. INFINITY stands for a censored figure: larger than all others, and equal to its
 * like. Pure; it knows nothing of what is measured.
 */
#ifndef BLACKSTART_RANKS_H
#define BLACKSTART_RANKS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above this many figures together the normal approximation stands for the exact distribution. */
enum { RANKS_EXACT_MAX = 100 };

/* Twice the mid-rank of each, from 2 on: whole numbers also among ties. */
void ranks_twice(const double *v, size_t n, uint32_t *ret);

/* Autocorrelation of successive ranks; 0 where all are equal. */
double ranks_lag1(const double *v, size_t n);
/* Kendall's tau of value and order, and how often no trend would look so or more so. */
double ranks_trend(const double *v, size_t n, double *ret_p);

/*
 * Mann-Whitney: U counts the pairs in which b is larger (ties a half). *ret_p: how often samples
 * of one distribution would differ so much or more, either way: exact, given the ties, up to
 * RANKS_EXACT_MAX figures, else by the normal approximation with its corrections for ties and
 * continuity.
 */
struct ranks_u {
    double u; /* of n * m pairs */
    double p;
    bool exact;
};
int ranks_mann_whitney(const double *a, size_t n, const double *b, size_t m, struct ranks_u *ret,
                       struct err *err) MUST_CHECK;

/* The largest k with P(U <= k - 1) <= tail, for samples without ties of one distribution: between
 * the k-th smallest and k-th largest of all differences lies the shift, with 1 - 2 tail. 0: none.
 */
int ranks_shift_rank(size_t n, size_t m, double tail, size_t *ret, struct err *err) MUST_CHECK;

#endif
