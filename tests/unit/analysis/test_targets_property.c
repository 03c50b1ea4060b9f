/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drawn systems against what is true of them: how long they were away, when their signal came, and
 * order statistics against the sums that define them, and against draws: BLACKSTART_FULL=yes draws
 * 100,000 runs.
 */
#include "analysis/analysis_parts.h"
#include "analysis/stats.h"
#include "check.h"
#include "draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CASES = 20000, SLOTS = 100, DIPS = 4 };

/* Away in [down[i], up[i]); then a signal is there instead. */
struct truth {
    int64_t down[DIPS], up[DIPS];
    size_t n;
};

struct drawn {
    struct truth truth;
    int64_t every, latency, from, to, until;
    bool gaps;
    struct sample samples[SLOTS];
    size_t n;
};

static bool is_away(const struct truth *t, int64_t at)
{
    for (size_t i = 0; i < t->n; i++)
        if (at >= t->down[i] && at < t->up[i])
            return true;
    return false;
}

/* Nanosecond by nanosecond, in one line. */
static int64_t away_in(const struct truth *t, int64_t from, int64_t to)
{
    int64_t sum = 0;
    for (size_t i = 0; i < t->n; i++) {
        int64_t a = t->down[i] > from ? t->down[i] : from, b = t->up[i] < to ? t->up[i] : to;
        sum += b > a ? b - a : 0;
    }
    return sum;
}

static void truth_draw(struct drawn *d)
{
    int64_t at = d->from + draw(d->every * 10);
    d->truth.n = (size_t)draw(DIPS + 1);
    for (size_t i = 0; i < d->truth.n; i++) {
        /* Long enough to be seen, and apart enough to be told from one another. */
        d->truth.down[i] = at;
        d->truth.up[i] = at + 3 * d->every + draw(d->every * 20);
        at = d->truth.up[i] + 3 * d->every + d->latency + draw(d->every * 10);
    }
}

static void case_draw(struct drawn *d)
{
    *d = (struct drawn){.every = 1000000 + draw(1000000000)};
    d->latency = 1 + draw(2 * d->every);
    d->gaps = draw(2) == 0;
    d->from = d->every * (10 + draw(10));
    d->until = d->every * (SLOTS + 1) - d->every / 2;
    d->to = draw(2) == 0 ? SPAN_OPEN : d->from + d->every * (5 + draw(60));
    truth_draw(d);
    int64_t last = 0;
    for (uint32_t k = 0; k < SLOTS; k++) {
        int64_t due = d->every * (k + 1) + draw(d->every / 5) - d->every / 10;
        int64_t sent = due + (d->gaps && draw(20) == 0 ? draw(2 * d->every) : draw(d->every / 100));
        sent = sent > last ? sent : last + 1;
        last = sent;
        struct sample s = {.due_ns = due, .sent_ns = sent, .slot = k, .result = SAMPLE_GOOD};
        s.done_ns = sent + 1 + draw(d->latency);
        if (is_away(&d->truth, sent))
            s.result = SAMPLE_REFUSED;
        if (d->gaps && draw(30) == 0)
            s.result = SAMPLE_GAP;
        if (!d->gaps || draw(30) != 0)
            d->samples[d->n++] = s;
    }
}

static void case_print(const struct drawn *d, const char *what, int64_t truth, struct span s)
{
    printf("\n  %s: every %lld, window %lld..%lld, gaps %d: truth %lld, said %lld..%lld\n", what,
           (long long)d->every, (long long)d->from, (long long)d->to, d->gaps, (long long)truth,
           (long long)s.lo, (long long)s.hi);
    CU_FAIL("the truth lies elsewhere");
}

static void test_the_lost_time_lies_within(void)
{
    static struct drawn d;
    static struct slot slots[SLOTS];
    int away = 0, narrow = 0;
    for (int i = 0; i < CASES; i++) {
        case_draw(&d);
        struct slot_rule rule = {.rule = ENDPOINTS_ONE, .n_endpoints = 1, .every = d.every};
        struct slot_range r = {.slots = slots, .every = d.every, .stable_for = d.every * 4};
        r.n = analysis_slots(&rule, d.samples, d.n, slots);
        struct span s = analysis_lost(&r, d.from, d.to, d.until);
        /* Behind the last slot nothing is told but of a window that goes on. */
        int64_t seen = d.n != 0 && d.to == SPAN_OPEN ? slots[r.n - 1].due : d.to;
        int64_t truth = away_in(&d.truth, d.from, seen);
        if (s.lo > away_in(&d.truth, d.from, d.to) || s.hi < truth)
            case_print(&d, "lost", truth, s);
        away += truth != 0;
        /* Both edges of each, to an interval, its jitter and an answer's time. */
        int64_t most = (int64_t)d.truth.n * 2 * (d.every + d.every / 4 + d.latency) + 2 * d.every;
        narrow += !d.gaps && s.hi - s.lo <= most;
        if (!d.gaps && s.hi - s.lo > most)
            case_print(&d, "wide", truth, s);
    }
    CU_ASSERT(away > CASES / 2);
    CU_ASSERT(narrow > CASES / 3);
}

static void test_the_signal_lies_within(void)
{
    static struct drawn d;
    static struct slot slots[SLOTS];
    int came = 0, bounded = 0;
    for (int i = 0; i < CASES; i++) {
        case_draw(&d);
        /* While the service is away its signal is there. */
        for (size_t k = 0; k < d.n; k++)
            if (d.samples[k].result != SAMPLE_GAP)
                d.samples[k].result =
                    is_away(&d.truth, d.samples[k].sent_ns) ? SAMPLE_GOOD : SAMPLE_CONTENT;
        struct slot_rule rule = {.rule = ENDPOINTS_ONE, .n_endpoints = 1, .every = d.every};
        struct slot_range r = {.slots = slots, .every = d.every, .stable_for = d.every * 4};
        r.n = analysis_slots(&rule, d.samples, d.n, slots);
        struct span s = analysis_signal(&r, d.from);
        bool fires = d.truth.n != 0;
        if (fires && (d.truth.down[0] < s.lo || d.truth.down[0] > s.hi))
            case_print(&d, "signal", d.truth.down[0], s);
        if (!fires && s.hi != SPAN_OPEN)
            case_print(&d, "no signal", 0, s);
        came += fires;
        bounded += fires && !d.gaps && s.hi - s.lo <= 2 * d.every + d.latency;
    }
    CU_ASSERT(came > CASES / 2);
    CU_ASSERT(bounded > came / 3);
}

/* P(X <= most), X binomial(n, p), term by term. */
static long double sum_to(size_t n, size_t most, long double p)
{
    long double sum = 0, term = powl(1 - p, (long double)n);
    for (size_t k = 0; k <= most && k <= n; k++) {
        sum += term;
        term *= (long double)(n - k) / (long double)(k + 1) * p / (1 - p);
    }
    return sum;
}

static void test_ranks_are_as_defined(void)
{
    static const double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999};
    for (size_t q = 0; q < sizeof(quantiles) / sizeof(quantiles[0]); q++)
        for (size_t n = 1; n <= 700; n += n < 40 ? 1 : 13) {
            size_t lo, hi;
            double p = quantiles[q];
            stats_quantile_ranks(n, p, 0.95, &lo, &hi);
            /* At most hi - 1 lie below the quantile; one rank less would not do. */
            CU_ASSERT(hi == n + 1 || sum_to(n, hi - 1, p) >= 0.95L);
            CU_ASSERT(hi == 0 || sum_to(n, hi - 2, p) < 0.95L || hi == 1);
            CU_ASSERT(lo == 0 || sum_to(n, lo - 1, p) <= 0.05L);
            CU_ASSERT(sum_to(n, lo, p) > 0.05L);
            CU_ASSERT_EQUAL(hi > n, n < stats_quantile_needs(p, 0.95));
        }
    CU_ASSERT_EQUAL(stats_quantile_needs(0.95, 0.95), 59);
    CU_ASSERT_EQUAL(stats_quantile_needs(0.99, 0.95), 299);
    CU_ASSERT_EQUAL(stats_quantile_needs(0.999, 0.95), 2995);
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Of latencies with a long tail, an exponential's: the quantile is known. */
static void test_each_bound_covers(void)
{
    enum { N = 120 };
    static double v[N];
    const char *full = getenv("BLACKSTART_FULL");
    const int runs = full != NULL && strcmp(full, "yes") == 0 ? 100000 : 20000;
    const double p = 0.9, truth = -log(1 - p);
    int below = 0, above = 0;
    size_t lo, hi;
    stats_quantile_ranks(N, p, 0.95, &lo, &hi);
    for (int i = 0; i < runs; i++) {
        for (size_t k = 0; k < N; k++)
            v[k] = -log((double)(1 + draw(INT64_C(1) << 53)) / 9007199254740993.0);
        qsort(v, N, sizeof(v[0]), compare);
        below += v[lo - 1] <= truth;
        above += v[hi - 1] >= truth;
    }
    printf("figure: bounds of a 90 %% percentile of %d requests hold in %.2f %% and %.2f %% of %d "
           "drawn runs (nominal 95 %%)\n",
           (int)N, 100.0 * below / runs, 100.0 * above / runs, runs);
    CU_ASSERT(below >= runs * 0.95);
    CU_ASSERT(above >= runs * 0.95);
    /* And are not so wide that they say nothing. */
    CU_ASSERT(below < runs * 0.99);
    CU_ASSERT(above < runs * 0.99);
}

static const struct check_test tests[] = {
    {"the lost time lies within", test_the_lost_time_lies_within},
    {"the signal lies within", test_the_signal_lies_within},
    {"ranks are as defined", test_ranks_are_as_defined},
    {"each bound covers", test_each_bound_covers},
};

CHECK_MAIN("targets property", tests)
