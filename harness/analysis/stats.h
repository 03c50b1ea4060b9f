/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Order statistics and what n trials can prove. Pure; the unit is the trial, and a censored trial
 * is a miss. It knows nothing of what is measured.
 */
#ifndef BLACKSTART_STATS_H
#define BLACKSTART_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nearest rank: the smallest value that at least `percent` of them do not exceed. Sorts v; n > 0.
 */
int64_t stats_percentile(int64_t *v, size_t n, unsigned percent);

/* The largest share p of runs of which n trials with `misses` misses prove, at this confidence,
 * that at least p pass: sum_{i<=misses} C(n,i) (1-p)^i p^(n-i) = 1 - confidence. 0 when all missed.
 */
double stats_share_proven(uint32_t n, uint32_t misses, double confidence);

/* The smallest n that proves the share with that many misses; 0: more than 100,000. */
uint32_t stats_trials_needed(double share, uint32_t misses, double confidence);

/*
 * Order statistics of n draws that bound the quantile p of what they were drawn from, each with
 * this confidence: the quantile is at least the *ret_lo-th smallest and at most the *ret_hi-th,
 * from 1; 0 and n + 1 where n proves no bound. Draws at steady intervals vary no more than these
 * do (Hoeffding, 1956: of independent draws of unequal chances the binomial spreads the most).
 */
void stats_quantile_ranks(size_t n, double p, double confidence, size_t *ret_lo, size_t *ret_hi);
/* The least n for which the upper bound exists: 299 for 99 % with 95 %. */
size_t stats_quantile_needs(double p, double confidence);

/* Indices (from 0) of the sorted trials between which the median lies with this confidence; false
 * when n is too small (below 6 for 95 %). */
bool stats_median_interval(uint32_t n, double confidence, uint32_t *ret_lo, uint32_t *ret_hi);

/* The smallest n for which there is one. */
uint32_t stats_median_needs(double confidence);

/* P(|Z| >= z) of a standard normal. */
double stats_normal_beyond(double z);

#endif
