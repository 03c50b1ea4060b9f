/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/trend.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static const char *unit_word(enum analysis_unit unit)
{
    return unit == UNIT_SECONDS ? "s" : unit == UNIT_SHARE ? "share" : "count";
}

static int setup_of(const struct history *h, struct arena *arena, const char **ret, struct err *err)
{
    const json_t *other = json_object_get(h->start, "other");
    char *setup = arena_alloc(arena, EARLIER_SETUP_TEXT);
    if (setup == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the run's setup");
    *ret = setup;
    return earlier_setup(h->sha256, json_string_value(other), json_string_length(other),
                         json_object_get(h->start, "vars"), setup, err);
}

void trend_target_of(const struct analysis_target *t, struct earlier_target *ret)
{
    *ret = (struct earlier_target){.measure = t->measure,
                                   .of = text(t->of),
                                   .from = text(t->from),
                                   .unit = unit_word(t->unit),
                                   .limit = t->limit,
                                   .lower = t->lower,
                                   .upper = t->upper,
                                   .verdict = verdict_word(t->verdict),
                                   .detail = text(t->detail),
                                   .at_least = t->side == AT_LEAST};
}

static const char *packages_of(const struct history *h)
{
    for (size_t i = 0; i < h->n_events; i++)
        if (strcmp(h->events[i].ev, "lab.up") == 0)
            return text(json_string_value(json_object_get(h->events[i].members, "packages")));
    return "";
}

int trend_run_of(const struct history *h, const struct analysis *a, struct arena *arena,
                 struct earlier_run *ret, struct err *err)
{
    *ret = (struct earlier_run){.run = h->run,
                                .wall = text(h->wall),
                                .version = text(h->version),
                                .verdict = verdict_word(a->verdict),
                                .sha256 = h->sha256,
                                .packages = packages_of(h),
                                .trials = a->n_ended,
                                .stopped = a->stopped};
    ret->targets = arena_array(arena, a->n_targets + 1, sizeof(*ret->targets));
    if (ret->targets == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu targets", a->n_targets);
    for (size_t i = 0; i < a->n_targets && i < EARLIER_TARGETS_MAX; i++)
        trend_target_of(&a->targets[i], &ret->targets[ret->n_targets++]);
    return setup_of(h, arena, &ret->setup, err);
}

static const struct earlier_target *target_find(const struct earlier_run *r,
                                                const struct earlier_target *like)
{
    for (size_t i = 0; i < r->n_targets; i++) {
        const struct earlier_target *t = &r->targets[i];
        if (strcmp(t->measure, like->measure) == 0 && strcmp(t->of, like->of) == 0 &&
            strcmp(t->from, like->from) == 0 && strcmp(t->unit, like->unit) == 0 &&
            strcmp(t->detail, like->detail) == 0)
            return t;
    }
    return NULL;
}

static unsigned changes(const struct earlier_run *before, const struct earlier_run *r)
{
    unsigned c = 0;
    if (strcmp(before->sha256, r->sha256) != 0)
        c |= TREND_SCENARIO;
    else if (strcmp(before->setup, r->setup) != 0)
        c |= TREND_SETUP;
    if (strcmp(before->version, r->version) != 0)
        c |= TREND_VERSION;
    const char *was = text(before->packages), *is = text(r->packages);
    if (was[0] != '\0' && is[0] != '\0' && strcmp(was, is) != 0)
        c |= TREND_PACKAGES;
    return c;
}

struct maker {
    struct trend *t;
    const struct earlier_target *target;
    const struct earlier_run *last, *before;
};

static bool says_nothing(const struct earlier_run *r)
{
    return r->stopped && r->trials == 0;
}

/* What a trial showed until somebody stopped it is no figure. */
static void point_add(struct maker *m, const struct earlier_run *r)
{
    const struct earlier_target *t = target_find(r, m->target);
    if (t == NULL)
        return;
    bool none = says_nothing(r);
    m->t->points[m->t->n++] =
        (struct trend_point){.run = r->run,
                             .wall = r->wall,
                             .version = r->version,
                             .verdict = t->verdict,
                             .limit = t->limit,
                             .lower = none ? NAN : t->lower,
                             .upper = none ? NAN : t->upper,
                             .trials = r->trials,
                             .stopped = r->stopped,
                             .changes = m->before != NULL ? changes(m->before, r) : 0,
                             .same = m->last != NULL && strcmp(m->last->setup, r->setup) == 0};
    m->before = r;
}

/* The share of the same experiment: what this run may be compared with. */
static void same_fill(struct trend *t)
{
    t->same_lower = INFINITY;
    t->same_upper = -INFINITY;
    for (size_t i = 0; i < t->n - (t->this_run ? 1 : 0); i++) {
        const struct trend_point *p = &t->points[i];
        if (!p->same || isnan(p->lower))
            continue;
        t->n_same++;
        t->same_lower = fmin(t->same_lower, p->lower);
        t->same_upper = fmax(t->same_upper, p->upper);
    }
}

int trend_make(const struct earlier_run *runs, size_t n, const struct earlier_run *now,
               const struct earlier_target *target, struct arena *arena, struct trend *ret,
               struct err *err)
{
    *ret = (struct trend){.measure = target->measure,
                          .of = target->of,
                          .from = target->from,
                          .unit = target->unit,
                          .detail = target->detail,
                          .at_least = target->at_least,
                          .points = arena_array(arena, n + 2, sizeof(*ret->points))};
    if (ret->points == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "%zu runs", n);
    struct maker m = {.t = ret,
                      .target = target,
                      .last = now != NULL ? now
                              : n != 0    ? &runs[n - 1]
                                          : NULL};
    for (size_t i = 0; i < n; i++) {
        if (says_nothing(&runs[i]))
            ret->left_out++;
        else
            point_add(&m, &runs[i]);
    }
    size_t earlier = ret->n;
    if (now != NULL)
        point_add(&m, now);
    ret->this_run = ret->n != earlier;
    same_fill(ret);
    return 0;
}

int trend_of_run(const struct history *h, const struct analysis *a, size_t k, struct arena *arena,
                 struct trend *ret, struct err *err)
{
    struct earlier_run *now = arena_alloc(arena, sizeof(*now));
    *ret = (struct trend){.n = 0};
    if (now == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the trend");
    if (trend_run_of(h, a, arena, now, err) != 0)
        return -1;
    const struct earlier_target *target = k < now->n_targets ? &now->targets[k] : NULL;
    if (k == TREND_MAIN)
        target = trend_main_target(now);
    if (target == NULL || h->no_fault)
        return 0;
    if (trend_make(h->earlier.runs, h->earlier.n, now, target, arena, ret, err) != 0)
        return -1;
    ret->left_out += h->earlier.stopped;
    return 0;
}

const struct earlier_target *trend_main_target(const struct earlier_run *run)
{
    for (size_t i = 0; i < run->n_targets; i++)
        if (strcmp(run->targets[i].measure, "recovery_time") == 0)
            return &run->targets[i];
    for (size_t i = 0; i < run->n_targets; i++)
        if (!isnan(run->targets[i].lower))
            return &run->targets[i];
    return run->n_targets != 0 ? &run->targets[0] : NULL;
}

const struct earlier_target *trend_deciding_target(const struct earlier_run *run)
{
    bool pass = strcmp(run->verdict, verdict_word(VERDICT_PASS)) == 0;
    for (size_t i = 0; !pass && i < run->n_targets; i++)
        if (strcmp(run->targets[i].verdict, run->verdict) == 0)
            return &run->targets[i];
    return trend_main_target(run);
}

void trend_print_name(const struct earlier_target *t, struct buf *out)
{
    buf_puts(out, t->measure);
    if (t->of[0] != '\0')
        buf_printf(out, " of %s", t->of);
    if (t->from[0] != '\0')
        buf_printf(out, " from %s", t->from);
    if (t->detail != NULL && t->detail[0] != '\0')
        buf_printf(out, " %s", t->detail);
}

void trend_print_figure(const char *unit, double value, struct buf *out)
{
    if (isnan(value))
        buf_puts(out, "-");
    else if (isinf(value))
        buf_puts(out, "open");
    else if (strcmp(unit, "s") == 0)
        buf_printf(out, "%.3f s", value);
    else if (strcmp(unit, "share") == 0)
        buf_printf(out, "%.3f %%", value * 100);
    else
        buf_printf(out, "%.6g", value);
}

static void put_interval(const char *unit, double lower, double upper, struct buf *out)
{
    trend_print_figure(unit, lower, out);
    buf_puts(out, " .. ");
    trend_print_figure(unit, upper, out);
}

void trend_print_comparison(const struct trend *t, struct buf *out)
{
    const struct trend_point *p = t->this_run ? &t->points[t->n - 1] : NULL;
    if (t->n_same == 0 && t->left_out != 0)
        buf_printf(out, "earlier: no run that counts, and %lld that %s stopped",
                   (long long)t->left_out, t->left_out == 1 ? "was" : "were");
    if (t->n_same == 0)
        return;
    buf_printf(out, "earlier: %zu run%s", t->n_same, t->n_same == 1 ? "" : "s");
    if (t->left_out != 0)
        buf_printf(out, " and %lld that %s stopped", (long long)t->left_out,
                   t->left_out == 1 ? "was" : "were");
    buf_puts(out, ", ");
    trend_print_name(
        &(struct earlier_target){
            .measure = t->measure, .of = t->of, .from = t->from, .detail = t->detail},
        out);
    buf_puts(out, " ");
    put_interval(t->unit, t->same_lower, t->same_upper, out);
    buf_puts(out, "; this one ");
    if (p != NULL && isnan(p->lower) && p->stopped)
        buf_puts(out, "was stopped");
    else if (p == NULL || isnan(p->lower))
        buf_puts(out, "not measured");
    else
        put_interval(t->unit, p->lower, p->upper, out);
}
