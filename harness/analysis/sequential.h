/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wald's sequential probability ratio test of a share of passes, by a plan that was stated before.
 * Pure; it knows neither trials nor journals.
 */
#ifndef BLACKSTART_SEQUENTIAL_H
#define BLACKSTART_SEQUENTIAL_H

#include <stdint.h>

struct sequential_plan {
    double good, bad;   /* shares of passes: accept the one, reject the other; bad < good */
    double alpha, beta; /* how often a good one is rejected, a bad one accepted, at most about */
};

enum sequential_state { SEQUENTIAL_OPEN, SEQUENTIAL_ACCEPT, SEQUENTIAL_REJECT };

/* After so many passes and misses, in any order; the first state that is not open is the decision.
 */
enum sequential_state sequential_decide(const struct sequential_plan *plan, uint32_t passes,
                                        uint32_t misses);

/* How often a good one is rejected and a bad one accepted by this plan when it ends after at_most,
 * decided or not: exactly, since Wald's bounds are approximations. at_most up to 10,000. */
struct sequential_errors {
    double alpha, beta;
};
struct sequential_errors sequential_errors(const struct sequential_plan *plan, uint32_t at_most);

#endif
