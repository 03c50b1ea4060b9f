/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is measured in the test of ground truth, a row for each harm and interval, and the truth of
 * each outage against the bounds that the analysis gives it.
 */
#ifndef BLACKSTART_TESTS_TRUTH_SCORE_H
#define BLACKSTART_TESTS_TRUTH_SCORE_H

#include "analysis/analysis.h"
#include "analysis/stats.h"
#include "check.h"
#include "truth.h"

#include <math.h>

enum {
    ROWS = 23,
    ROWS_MAX = 2 * ROWS,
    SCORE_MAX = 1024,
    SCORE_QUIET_MS = 3, /* up to here a packet's way is no way at all: the loop beside it sees 1 */
    SCORE_HELD_UP_MS = 50 /* from here on nobody knows what users saw */
};

/* What is done to the server, as a user sees it. */
enum harm { REFUSED, DROPPED, SLOW, CONTENT, FLAPPING, PARTIAL, HUNG, HARMS };
static const char *const harms[HARMS] = {"refused",  "dropped", "slow", "content",
                                         "flapping", "partial", "hung"};

static struct row {
    enum harm harm;
    int every_ms;
    bool http;
    char name[32];
} rows[ROWS_MAX];
static size_t n_rows;

static void row_add(enum harm harm, int every_ms, bool http, int copy)
{
    struct row *r = &rows[n_rows++];
    *r = (struct row){.harm = harm, .every_ms = every_ms, .http = http};
    (void)snprintf(r->name, sizeof(r->name), "%dms-%s-%d", every_ms, harms[harm], copy);
}

static void rows_make(int copies)
{
    static const int every[] = {10, 50, 100};
    row_add(REFUSED, 1, true, 0);
    row_add(DROPPED, 1, false, 0);
    for (int copy = 0; copy < copies; copy++)
        for (int harm = 0; harm < HARMS; harm++)
            for (size_t i = 0; i < 3; i++)
                row_add((enum harm)harm, every[i], (harm + copy) % 2 == 0, copy);
}

/* The row of the same harm and interval that stands for all copies. */
static size_t row_first(size_t row)
{
    size_t i = 0;
    while (rows[i].harm != rows[row].harm || rows[i].every_ms != rows[row].every_ms)
        i++;
    return i;
}

struct score {
    uint32_t outages, unseen, inconclusive, wrong, unknown;
    int64_t widths[SCORE_MAX];
    size_t n_widths;
    int64_t p99[SCORE_MAX];
    size_t n_p99;
};

static void score_wrong(struct score *s, uint32_t trial, const struct analysis_probe *p,
                        const char *what, const struct truth *t)
{
    s->wrong++;
    printf("wrong: trial %u %s: %s; down %lld..%lld up %lld..%lld\n", trial, p->name, what,
           (long long)t->down_lo, (long long)t->down_hi, (long long)t->up_lo, (long long)t->up_hi);
    for (size_t i = 0; i < p->n_outages; i++)
        printf("  %s: onset (%lld, %lld] recovery (%lld, %lld], %u bad\n",
               sample_result_word(p->outages[i].first_result), (long long)p->outages[i].onset.lo,
               (long long)p->outages[i].onset.hi, (long long)p->outages[i].recovery.lo,
               (long long)p->outages[i].recovery.hi, p->outages[i].bad_slots);
}

/*
 * A packet on the loopback may wait for the kernel's own thread when the machine is busy: a request
 * that was sent just before the server went down arrives behind that, and the server cannot know.
 * Until it is whole, four have to go one after the other.
 */
static bool score_meets(const struct span *s, int64_t lo, int64_t hi, int64_t transit)
{
    return s->lo <= hi && s->hi >= lo - (transit > SCORE_QUIET_MS * NS_PER_MS ? 4 * transit : 0);
}

static void score_outage(struct score *s, uint32_t trial, const struct analysis_probe *p,
                         const struct truth *t, int64_t transit)
{
    if (t->starved || transit > SCORE_HELD_UP_MS * NS_PER_MS || s->n_p99 == SCORE_MAX) {
        s->unknown++;
        return;
    }
    s->outages++;
    s->p99[s->n_p99++] = p->baseline_p99_ns;
    if (p->n_outages == 0) {
        s->unseen++;
        if (p->missed_ns < t->longest_ns)
            score_wrong(s, trial, p, "not seen, and longer than what is said could be missed", t);
        return;
    }
    const struct analysis_outage *first = &p->outages[0], *last = &p->outages[p->n_outages - 1];
    bool conclusive = p->enough && last->recovered;
    for (size_t i = 0; i < p->n_outages; i++)
        conclusive = conclusive && !p->outages[i].gap_at_edge;
    s->inconclusive += !conclusive;
    if (!score_meets(&first->onset, t->down_lo, t->down_hi, transit))
        score_wrong(s, trial, p, "the onset lies elsewhere", t);
    if (!score_meets(&last->recovery, t->up_lo, t->up_hi, transit))
        score_wrong(s, trial, p, "the recovery lies elsewhere", t);
    if (conclusive)
        s->widths[s->n_widths++] = last->recovery.hi - last->recovery.lo;
}

/* judged: the machine was quiet, so that measuring's own limits hold. */
static void score_print(const struct row *row, struct score *s, const char *what, bool judged)
{
    if (s->outages == 0)
        return;
    int64_t width = s->n_widths != 0 ? stats_percentile(s->widths, s->n_widths, 50) : -1;
    int64_t p99 = s->n_p99 != 0 ? stats_percentile(s->p99, s->n_p99, 50) : -1;
    int64_t bound = row->every_ms * NS_PER_MS + p99;
    printf("figure: ground truth, %s: %3d ms %-8s outages %3u wrong %u unseen %u inconclusive %u "
           "(%.1f %%) median width %.3f ms, one interval and p99 %.3f ms\n",
           what, row->every_ms, harms[row->harm], s->outages, s->wrong, s->unseen, s->inconclusive,
           100.0 * s->inconclusive / s->outages, (double)width / NS_PER_MS,
           (double)bound / NS_PER_MS);
    CU_ASSERT_EQUAL(s->wrong, 0);
    /* Bounds that hold everything would never be wrong either. */
    if (s->n_widths >= 2)
        CU_ASSERT_TRUE(width <= 2 * bound);
    /* The jitter of the slots moves the median of n by so much; outages end in long intervals
     * rather than in short ones. */
    double jitter = 0.0067 + 3 * 0.102 / sqrt((double)s->n_widths);
    if (judged && s->n_widths >= 10)
        CU_ASSERT_TRUE((double)(width - bound) <= jitter * row->every_ms * NS_PER_MS);
}

#endif
