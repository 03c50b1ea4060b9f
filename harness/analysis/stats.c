/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/stats.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

int64_t stats_percentile(int64_t *v, size_t n, unsigned percent)
{
    qsort(v, n, sizeof(*v), compare);
    size_t rank = (n * percent + 99) / 100;
    return v[rank > 0 ? rank - 1 : 0];
}

/* P(X <= most) of a binomial with n draws and chance q; logarithms, so that large n do not
 * underflow. */
static double binomial_tail(uint32_t n, uint32_t most, double q)
{
    if (q <= 0)
        return 1;
    if (q >= 1)
        return most >= n ? 1 : 0;
    double sum = 0, coefficient = 0;
    for (uint32_t i = 0; i <= most && i <= n; i++) {
        if (i > 0)
            coefficient += log((double)(n - i + 1)) - log((double)i);
        sum += exp(coefficient + i * log(q) + (n - i) * log1p(-q));
    }
    return sum < 1 ? sum : 1;
}

double stats_share_proven(uint32_t n, uint32_t misses, double confidence)
{
    if (misses >= n)
        return 0;
    double lo = 0, hi = 1;
    for (int i = 0; i < 100; i++) {
        double p = (lo + hi) / 2;
        if (binomial_tail(n, misses, 1 - p) <= 1 - confidence)
            lo = p;
        else
            hi = p;
    }
    return lo;
}

uint32_t stats_trials_needed(double share, uint32_t misses, double confidence)
{
    for (uint32_t n = misses + 1; n <= 100000; n++)
        if (binomial_tail(n, misses, 1 - share) <= 1 - confidence)
            return n;
    return 0;
}

bool stats_median_interval(uint32_t n, double confidence, uint32_t *ret_lo, uint32_t *ret_hi)
{
    /* The median lies outside [x_k, x_(n-1-k)] with twice P(X <= k), X binomial(n, 1/2). */
    bool found = false;
    for (uint32_t k = 0; k < n / 2; k++) {
        if (2 * binomial_tail(n, k, 0.5) > 1 - confidence)
            break;
        *ret_lo = k;
        *ret_hi = n - 1 - k;
        found = true;
    }
    return found;
}

/* ln P(X = k), X binomial(n, p). */
static double log_chance(size_t n, size_t k, double p)
{
    double dn = (double)n, dk = (double)k;
    return lgamma(dn + 1) - lgamma(dk + 1) - lgamma(dn - dk + 1) + dk * log(p) +
           (dn - dk) * log1p(-p);
}

void stats_quantile_ranks(size_t n, double p, double confidence, size_t *ret_lo, size_t *ret_hi)
{
    /* X of the draws lie below the quantile. What is beyond twelve deviations adds nothing. */
    double dn = (double)n, far = 12 * sqrt(dn * p * (1 - p)) + 30;
    double first = floor(dn * p - far), last = ceil(dn * p + far);
    size_t least = first > 0 ? (size_t)first : 0, most = last < dn ? (size_t)last : n;
    double tail = 0;
    size_t hi = most + 1, lo = least;
    /* P(X >= hi) stays within what may be missed; so does P(X < lo). */
    for (; hi > least; hi--) {
        tail += exp(log_chance(n, hi - 1, p));
        if (tail > 1 - confidence)
            break;
    }
    tail = 0;
    for (; lo <= most; lo++) {
        tail += exp(log_chance(n, lo, p));
        if (tail > 1 - confidence)
            break;
    }
    *ret_hi = hi;
    *ret_lo = lo;
}

size_t stats_quantile_needs(double p, double confidence)
{
    return (size_t)ceil(log(1 - confidence) / log(p));
}

uint32_t stats_median_needs(double confidence)
{
    uint32_t lo, hi, n = 1;
    while (n < 100 && !stats_median_interval(n, confidence, &lo, &hi))
        n++;
    return n;
}

double stats_normal_beyond(double z)
{
    return erfc(fabs(z) / sqrt(2));
}
