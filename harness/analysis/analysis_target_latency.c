/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A percentile of the time from when a request was due to its answer. One that got none took for
 * ever. What the prober sent late or not at all may have taken anything: nothing, for the lower
 * bound, or for ever.
 */
#include "analysis/analysis_target.h"
#include "analysis/stats.h"

#include <math.h>
#include <stdlib.h>

#define CONFIDENCE 0.95

/* The requests of one window. */
struct sum {
    int64_t clock; /* by how much times of a distant clock may be too long */
    size_t n, unknown, failed;
    double lower, upper;
    bool few; /* too few for an upper bound */
};

static int compare(const void *left, const void *right)
{
    const int64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* Bounds of the percentile from sorted times, to which `unknown` ones may be added anywhere. */
static void sum_rank(struct sum *s, const int64_t *took, size_t n, double p)
{
    size_t lo, hi;
    s->n = n + s->unknown;
    stats_quantile_ranks(s->n, p, CONFIDENCE, &lo, &hi);
    s->few = hi > s->n;
    s->lower = 0;
    if (lo > s->unknown)
        s->lower = target_seconds(target_minus(took[lo - s->unknown - 1], s->clock));
    s->upper = hi <= n ? target_seconds(took[hi - 1]) : INFINITY;
}

static void window_sum(struct analysis_maker *m, const struct slot_range *r, int64_t until,
                       const struct target_window *w, double p, struct sum *ret)
{
    *ret = (struct sum){.clock = ret->clock, .upper = INFINITY, .few = true};
    int64_t *took = calloc(r->n + 1, sizeof(*took));
    size_t n = 0;
    if (took == NULL) {
        m->no_memory = true;
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        const struct slot *s = &r->slots[i];
        if (s->due < w->from || s->due >= w->to || s->state == SLOT_GAP || s->stalled || s->late)
            continue;
        bool answered = s->state == SLOT_GOOD || s->slow;
        took[n++] = answered ? s->done - s->due : SPAN_OPEN;
        ret->failed += !answered;
    }
    struct slot_count c = analysis_slots_count(r, w->from, w->to, until);
    ret->unknown = c.scheduled > n ? c.scheduled - n : 0;
    qsort(took, n, sizeof(*took), compare);
    if (n + ret->unknown != 0)
        sum_rank(ret, took, n, p);
    free(took);
}

static const char *percent(const struct scenario_target *of, char out[32])
{
    return ratio_print(of->percentile, out, 32);
}

static void words(struct analysis_maker *m, const struct scenario_target *of, const struct sum *s,
                  struct analysis_target *ret)
{
    char p[32], lower[32], upper[32], limit[32];
    (void)percent(of, p);
    (void)analysis_time(of->within.ns, limit);
    if (isinf(ret->lower)) {
        ret->why =
            analysis_text(m, "%zu of %zu requests got no answer: the %s percentile has no end",
                          s->failed, s->n, p);
        return;
    }
    (void)analysis_time(llround(ret->lower * 1e9), lower);
    if (ret->verdict == VERDICT_FAIL)
        ret->why =
            analysis_text(m, "lower bound %s of %zu requests is beyond %s", lower, s->n, limit);
    else if (s->few)
        ret->why =
            analysis_text(m,
                          "%zu requests are too few: an upper bound of the %s percentile "
                          "needs %zu",
                          s->n, p, stats_quantile_needs(of->percentile.ppm / 1e6, CONFIDENCE));
    else if (isinf(ret->upper))
        ret->why = analysis_text(
            m, "%zu of %zu requests got no answer and %zu are not known: there is no upper bound",
            s->failed, s->n, s->unknown);
    else
        ret->why = analysis_text(m,
                                 ret->verdict == VERDICT_PASS
                                     ? "upper bound %s of %zu requests is within %s"
                                     : "bounds reach up to %s of %zu requests, beyond %s",
                                 analysis_time(llround(ret->upper * 1e9), upper), s->n, limit);
}

/* Both windows' bounds; *ret_worst is that with less to go by. False: one has no requests, or the
 * prober missed too much of it. */
static bool both_sum(struct analysis_maker *m, const struct target_case *c,
                     const struct target_window windows[2], struct sum *ret_worst,
                     struct analysis_target *ret)
{
    const struct probe_slots *p = &c->slots[c->probe];
    struct slot_range r = analysis_range(m, c->probe, p);
    bool enough = true;
    ret->lower = INFINITY;
    ret->upper = 0;
    for (int i = 0; i < 2; i++) {
        const struct history_vantage *v =
            analysis_history_vantage(c->t->of, analysis_from(&m->s->probes[c->probe]));
        struct sum s = {.clock = v != NULL ? v->clock_hi - v->clock_lo : 0};
        window_sum(m, &r, p->until, &windows[i], c->of->percentile.ppm / 1e6, &s);
        struct slot_count n = analysis_slots_count(&r, windows[i].from, windows[i].to, p->until);
        enough = enough && s.n != 0 && (uint64_t)n.gaps * 100 <= n.scheduled;
        ret->lower = s.lower < ret->lower ? s.lower : ret->lower;
        if (i == 0 || s.upper > ret->upper || s.few)
            *ret_worst = s;
        ret->upper = s.upper > ret->upper ? s.upper : ret->upper;
    }
    return enough;
}

/* A bound that has no end is told as a number that it is beyond: readers of figures need one. */
static void lower_end(const struct analysis_maker *m, const struct target_case *c,
                      struct analysis_target *ret)
{
    if (isinf(ret->lower))
        ret->lower = fmax(target_seconds(m->s->probes[c->probe].timeout.ns), ret->limit);
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    struct target_window windows[2];
    struct sum worst;
    if (!target_windows(c, windows)) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = target_never_removed;
        return;
    }
    bool enough = both_sum(m, c, windows, &worst, ret);
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    words(m, c->of, &worst, ret);
    lower_end(m, c, ret);
    if (!enough) {
        ret->verdict = VERDICT_INCONCLUSIVE;
        ret->why = worst.n == 0
                       ? "no request was due in the window"
                       : analysis_text(m, "%zu of %zu requests of the window are missing or late",
                                       worst.unknown, worst.n);
    }
    /* Fast ones that never came would have moved the percentile either way. */
    if (!target_is_cut(c->t, c->of->over.ns))
        return;
    ret->lower = 0;
    ret->upper = INFINITY;
    ret->verdict = VERDICT_INCONCLUSIVE;
    target_cut_short(m, c->t, "what would have come is not known", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    int64_t from = c->slots[c->probe].from;
    int64_t to = c->of->over.ns > 0 ? from + c->of->over.ns : SPAN_OPEN;
    const struct target_window both[2] = {{from, to}, {from, to}};
    struct sum s;
    (void)both_sum(m, c, both, &s, ret);
    lower_end(m, c, ret);
}

static const char *detail(struct analysis_maker *m, const struct scenario_target *of)
{
    char p[32];
    const char *window = target_window_text(m, of);
    return analysis_text(m, "at %s%s%s", percent(of, p), window[0] != '\0' ? " " : "", window);
}

static double limit(const struct scenario_target *of)
{
    return target_seconds(of->within.ns);
}

const struct target_judging target_latency = {
    .most = INFINITY, .limit = limit, .detail = detail, .judge = judge, .show = show};
