/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/ranks.h"

#include "analysis/stats.h"
#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void ranks_twice(const double *v, size_t n, uint32_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t less = 0, equal = 0;
        for (size_t k = 0; k < n; k++) {
            less += v[k] < v[i];
            equal += v[k] == v[i];
        }
        ret[i] = 2 * less + equal + 1;
    }
}

static double rank_of(const double *v, size_t n, size_t i)
{
    double less = 0, equal = 0;
    for (size_t k = 0; k < n; k++) {
        less += v[k] < v[i];
        equal += v[k] == v[i];
    }
    return less + (equal + 1) / 2;
}

double ranks_lag1(const double *v, size_t n)
{
    double mean = ((double)n + 1) / 2, before = 0, sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double d = rank_of(v, n, i) - mean;
        sum += i > 0 ? before * d : 0;
        squares += d * d;
        before = d;
    }
    return squares > 0 ? sum / squares : 0;
}

double ranks_trend(const double *v, size_t n, double *ret_p)
{
    double s = 0, ties = 0, count = (double)n;
    for (size_t i = 0; i < n; i++) {
        double equal = 0;
        for (size_t k = 0; k < n; k++) {
            equal += v[k] == v[i];
            if (k > i)
                s += (v[k] > v[i]) - (v[k] < v[i]);
        }
        ties += (equal - 1) * (2 * equal + 5);
    }
    double variance = (count * (count - 1) * (2 * count + 5) - ties) / 18;
    double distance = fabs(s) - 1;
    *ret_p = variance > 0 && distance > 0 ? stats_normal_beyond(distance / sqrt(variance)) : 1;
    return n > 1 ? s / (count * (count - 1) / 2) : 0;
}

/* How many choices of t of the ranks have the sum s: [t * (total + 1) + s]. A double holds them: of
 * 100 figures there are 1e29. */
static double *sums_of(const uint32_t *ranks, size_t n, size_t take, size_t total)
{
    size_t width = total + 1;
    double *sums = calloc((take + 1) * width, sizeof(*sums));
    if (sums == NULL)
        return NULL;
    sums[0] = 1;
    for (size_t i = 0; i < n; i++)
        for (size_t t = take < i + 1 ? take : i + 1; t > 0; t--)
            for (size_t s = total; s >= ranks[i]; s--)
                sums[t * width + s] += sums[(t - 1) * width + s - ranks[i]];
    return sums;
}

/* How often the sum of the chosen ranks is as far from its middle, or further. */
static int exact_p(const uint32_t *ranks, size_t n, size_t take, size_t chosen, double *ret,
                   struct err *err)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += ranks[i];
    double *sums CLEANUP_FREE = sums_of(ranks, n, take, total);
    if (sums == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the distribution of %zu ranks", n);
    const double *last = sums + take * (total + 1);
    double middle = (double)total * (double)take / (double)n, far = fabs((double)chosen - middle);
    double all = 0, beyond = 0;
    for (size_t s = 0; s <= total; s++) {
        all += last[s];
        beyond += fabs((double)s - middle) >= far - 1e-6 ? last[s] : 0;
    }
    *ret = beyond / all;
    return 0;
}

static double normal_p(const uint32_t *ranks, size_t n, size_t take, double chosen)
{
    double count = (double)n, mean = count + 1, squares = 0; /* of twice the ranks */
    for (size_t i = 0; i < n; i++)
        squares += (ranks[i] - mean) * (ranks[i] - mean);
    double pairs = (double)take * (double)(n - take);
    double variance = pairs * squares / (count * (count - 1));
    double distance = fabs(chosen - (double)take * mean) - 1; /* twice a half: continuity */
    return variance > 0 && distance > 0 ? stats_normal_beyond(distance / sqrt(variance)) : 1;
}

int ranks_mann_whitney(const double *a, size_t n, const double *b, size_t m, struct ranks_u *ret,
                       struct err *err)
{
    double *both CLEANUP_FREE = calloc(n + m + 1, sizeof(*both));
    uint32_t *ranks CLEANUP_FREE = calloc(n + m + 1, sizeof(*ranks));
    if (both == NULL || ranks == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "ranks of %zu figures", n + m);
    for (size_t i = 0; i < n + m; i++)
        both[i] = i < n ? a[i] : b[i - n];
    ranks_twice(both, n + m, ranks);
    size_t sum = 0;
    for (size_t i = n; i < n + m; i++)
        sum += ranks[i];
    *ret = (struct ranks_u){.u = (double)sum / 2 - (double)m * ((double)m + 1) / 2,
                            .p = 1,
                            .exact = n + m <= RANKS_EXACT_MAX};
    if (n == 0 || m == 0)
        return 0;
    if (!ret->exact) {
        ret->p = normal_p(ranks, n + m, m, (double)sum);
        return 0;
    }
    return exact_p(ranks, n + m, m, sum, &ret->p, err);
}

static size_t shift_rank_normal(size_t n, size_t m, double tail)
{
    double pairs = (double)n * (double)m, sd = sqrt(pairs * (double)(n + m + 1) / 12), k = 0;
    while (k < pairs / 2 && stats_normal_beyond((pairs / 2 - k - 0.5) / sd) / 2 <= tail)
        k++;
    return (size_t)k;
}

int ranks_shift_rank(size_t n, size_t m, double tail, size_t *ret, struct err *err)
{
    uint32_t ranks[RANKS_EXACT_MAX];
    *ret = 0;
    if (n == 0 || m == 0)
        return 0;
    if (n + m > RANKS_EXACT_MAX) {
        *ret = shift_rank_normal(n, m, tail);
        return 0;
    }
    size_t total = (n + m) * (n + m + 1) / 2;
    for (size_t i = 0; i < n + m; i++)
        ranks[i] = (uint32_t)i + 1;
    double *sums CLEANUP_FREE = sums_of(ranks, n + m, m, total);
    if (sums == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the distribution of %zu ranks", n + m);
    const double *last = sums + m * (total + 1);
    double all = 0, below = 0;
    for (size_t s = 0; s <= total; s++)
        all += last[s];
    for (size_t s = m * (m + 1) / 2; s <= total; s++, (*ret)++) {
        below += last[s];
        if (below > tail * all)
            break;
    }
    return 0;
}
