/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/sequential.h"

#include <math.h>

enum sequential_state sequential_decide(const struct sequential_plan *plan, uint32_t passes,
                                        uint32_t misses)
{
    /* The likelihood of bad over that of good, as a logarithm. */
    double ratio =
        passes * log(plan->bad / plan->good) + misses * log((1 - plan->bad) / (1 - plan->good));
    if (ratio >= log((1 - plan->beta) / plan->alpha))
        return SEQUENTIAL_REJECT;
    return ratio <= log(plan->beta / (1 - plan->alpha)) ? SEQUENTIAL_ACCEPT : SEQUENTIAL_OPEN;
}

enum { MISSES_MAX = 10001 };

/* How often the state is the decision when this share of trials passes. */
static double decided(const struct sequential_plan *plan, uint32_t at_most, double share,
                      enum sequential_state state)
{
    double open[MISSES_MAX + 1] = {1}; /* by misses, of the series that are open after n trials */
    double sum = 0;
    uint32_t most = 0;
    for (uint32_t n = 1; n <= at_most && n < MISSES_MAX; n++) {
        uint32_t top = 0;
        for (uint32_t i = 0; i <= most + 1; i++) {
            uint32_t f = most + 1 - i; /* from the top: a cell is made from itself and the next */
            double p = open[f] * share + (f > 0 ? open[f - 1] * (1 - share) : 0);
            enum sequential_state is = sequential_decide(plan, n - f, f);
            sum += is == state ? p : 0;
            open[f] = is == SEQUENTIAL_OPEN ? p : 0;
            if (open[f] > 0 && f > top)
                top = f;
        }
        most = top;
    }
    return sum;
}

struct sequential_errors sequential_errors(const struct sequential_plan *plan, uint32_t at_most)
{
    return (struct sequential_errors){decided(plan, at_most, plan->good, SEQUENTIAL_REJECT),
                                      decided(plan, at_most, plan->bad, SEQUENTIAL_ACCEPT)};
}
