/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/compare.h"

#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 64 << 20 };
static const double alpha = 0.05;
/* What is seen half of the time, times this, is seen in four of five: (1.960 + 0.842) / 1.960. */
static const double four_of_five = 1.4294;

int compare_new(double margin, struct compare **ret, struct err *err)
{
    struct compare *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "comparison");
    c->arena = ARENA_INIT(ARENA_MAX);
    c->margin = margin;
    c->names[COMPARE_A] = "A";
    c->names[COMPARE_B] = "B";
    *ret = c;
    return 0;
}

void compare_free_at(struct compare **c)
{
    if (*c == NULL)
        return;
    arena_free(&(*c)->arena);
    free(*c);
}

static bool is_same(const struct compare_target *t, const struct analysis_summary *s)
{
    return strcmp(t->measure, s->measure) == 0 && strcmp(t->of, s->of) == 0 &&
           strcmp(t->from, s->from) == 0 && strcmp(t->detail, s->detail) == 0;
}

static int target_new(struct compare *c, const struct analysis_summary *s,
                      struct compare_target **ret, struct err *err)
{
    if (c->n_targets == COMPARE_TARGETS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d targets", COMPARE_TARGETS_MAX);
    struct compare_target *t = &c->targets[c->n_targets];
    *t = (struct compare_target){.measure = arena_strdup(&c->arena, s->measure),
                                 .of = arena_strdup(&c->arena, s->of),
                                 .from = arena_strdup(&c->arena, s->from),
                                 .detail = arena_strdup(&c->arena, s->detail),
                                 .unit = s->unit,
                                 .side = s->side,
                                 .why = ""};
    for (int i = 0; i < 2; i++)
        t->figures[i] = arena_array(&c->arena, 1, sizeof(*t->figures[i]));
    if (t->measure == NULL || t->of == NULL || t->from == NULL || t->detail == NULL ||
        t->figures[0] == NULL || t->figures[1] == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "comparison");
    c->n_targets++;
    *ret = t;
    return 0;
}

static int figures_add(struct compare_figures *f, const struct analysis_summary *s, struct err *err)
{
    if (f->n + s->n > COMPARE_TRIALS_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d trials of a side", COMPARE_TRIALS_MAX);
    for (size_t i = 0; i < s->n; i++) {
        f->lower[f->n] = s->values[i].lower;
        f->upper[f->n++] = s->values[i].upper;
        f->censored += isinf(s->values[i].upper) != 0;
    }
    f->left_out += (uint32_t)s->n_left_out;
    return 0;
}

int compare_add(struct compare *c, enum compare_side side, const struct analysis *a,
                struct err *err)
{
    if (analysis_says_nothing(a)) {
        c->left_out[side]++;
        return 0;
    }
    c->runs[side]++;
    c->stopped[side] = c->stopped[side] || a->stopped;
    c->invalid[side] = c->invalid[side] || a->series.invalid;
    c->planned[side] = c->planned[side] || a->series.decision != DECISION_NO_PLAN;
    for (size_t i = 0; i < a->n_summaries; i++) {
        struct compare_target *t = NULL;
        for (size_t k = 0; k < c->n_targets && t == NULL; k++)
            if (is_same(&c->targets[k], &a->summaries[i]))
                t = &c->targets[k];
        if (t == NULL && target_new(c, &a->summaries[i], &t, err) < 0)
            return -1;
        if (figures_add(t->figures[side], &a->summaries[i], err) < 0)
            return -1;
    }
    return 0;
}

/* Turned so that more is worse. */
static void middles(const struct compare_target *t, enum compare_side side, double plus,
                    double ret[COMPARE_TRIALS_MAX])
{
    const struct compare_figures *f = t->figures[side];
    for (size_t i = 0; i < f->n; i++) {
        double middle = (f->lower[i] + f->upper[i]) / 2;
        ret[i] = (t->side == AT_LEAST ? -middle : middle) + plus;
    }
}

static int compare_double(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* The bounds of B - A for one pair: equal unless one of the two was censored. */
static void difference(const struct compare_figures *a, size_t i, const struct compare_figures *b,
                       size_t k, double *ret_lo, double *ret_hi)
{
    bool a_open = isinf(a->upper[i]), b_open = isinf(b->upper[k]);
    double a_middle = (a->lower[i] + a->upper[i]) / 2, b_middle = (b->lower[k] + b->upper[k]) / 2;
    *ret_lo = a_open ? -INFINITY : b_open ? b->lower[k] - a_middle : b_middle - a_middle;
    *ret_hi = b_open ? INFINITY : a_open ? b_middle - a->lower[i] : b_middle - a_middle;
}

static double median_of(const double *sorted, size_t n)
{
    double lo = sorted[(n - 1) / 2], hi = sorted[n / 2];
    return lo == hi ? lo : (lo + hi) / 2; /* of two that are open it is not a number */
}

static int shift_find(struct compare_target *t, struct err *err)
{
    const struct compare_figures *a = t->figures[COMPARE_A], *b = t->figures[COMPARE_B];
    size_t pairs = a->n * b->n, rank;
    double *lo CLEANUP_FREE = calloc(pairs + 1, sizeof(*lo));
    double *hi CLEANUP_FREE = calloc(pairs + 1, sizeof(*hi));
    if (lo == NULL || hi == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "comparison of %zu pairs", pairs);
    for (size_t i = 0; i < a->n; i++)
        for (size_t k = 0; k < b->n; k++)
            difference(a, i, b, k, &lo[i * b->n + k], &hi[i * b->n + k]);
    qsort(lo, pairs, sizeof(*lo), compare_double);
    qsort(hi, pairs, sizeof(*hi), compare_double);
    if (ranks_shift_rank(a->n, b->n, alpha / 2, &rank, err) < 0)
        return -1;
    double from = median_of(lo, pairs), to = median_of(hi, pairs);
    t->shift = isfinite(from) && isfinite(to) ? (from + to) / 2 : NAN;
    t->shift_lower = rank > 0 ? lo[rank - 1] : -INFINITY;
    t->shift_upper = rank > 0 ? hi[pairs - rank] : INFINITY;
    double wide = t->shift_upper - t->shift_lower;
    t->seen = isfinite(wide) ? four_of_five * wide / 2 : NAN;
    return 0;
}

/* How many choices of n of n + m there are decides the smallest p that any outcome can have. */
static double least_p(size_t n, size_t m)
{
    double choices = 1;
    for (size_t i = 1; i <= n; i++)
        choices *= (double)(m + i) / (double)i;
    return 2 / choices;
}

static const char *cannot(const struct compare *c, const struct compare_target *t, size_t family)
{
    size_t n = t->figures[COMPARE_A]->n, m = t->figures[COMPARE_B]->n;
    if (c->invalid[COMPARE_A] || c->invalid[COMPARE_B])
        return "a series is invalid: its fault-free trial showed impact, or the outage's symptoms";
    if (c->planned[COMPARE_A] || c->planned[COMPARE_B])
        return "a series stopped by its plan: the number of its trials was not fixed before";
    if (c->stopped[COMPARE_A] || c->stopped[COMPARE_B])
        return "a series was stopped before its end: the number of its trials was not fixed before";
    if (n == 0 || m == 0)
        return "one side has no trial of it that counts";
    if (n < COMPARE_TRIALS_MIN || m < COMPARE_TRIALS_MIN)
        return "at least 4 trials of each side are needed";
    if (least_p(n, m) > alpha / (double)family)
        return "with so few trials and so many targets no difference could be shown";
    return NULL;
}

/* Larger p's are multiplied by fewer; none is smaller than one before it. */
static void holm(double *p[], bool *done, size_t n)
{
    double most = 0;
    memset(done, 0, n * sizeof(*done));
    for (size_t i = 0; i < n; i++) {
        size_t least = n;
        for (size_t k = 0; k < n; k++)
            if (!done[k] && (least == n || *p[k] < *p[least]))
                least = k;
        done[least] = true;
        double corrected = *p[least] * (double)(n - i);
        most = corrected > most ? corrected : most;
        *p[least] = most < 1 ? most : 1;
    }
}

static int target_test(const struct compare *c, struct compare_target *t, struct err *err)
{
    double a[COMPARE_TRIALS_MAX], b[COMPARE_TRIALS_MAX];
    size_t n = t->figures[COMPARE_A]->n, m = t->figures[COMPARE_B]->n;
    middles(t, COMPARE_A, 0, a);
    middles(t, COMPARE_B, 0, b);
    if (ranks_mann_whitney(a, n, b, m, &t->test, err) < 0)
        return -1;
    middles(t, COMPARE_A, t->unit == UNIT_SECONDS ? c->margin : 0, a);
    if (ranks_mann_whitney(a, n, b, m, &t->beyond, err) < 0)
        return -1;
    t->p = t->test.p;
    t->p_beyond = t->beyond.p;
    return shift_find(t, err);
}

static void target_judge(struct compare *c, struct compare_target *t)
{
    double half = (double)t->figures[COMPARE_A]->n * (double)t->figures[COMPARE_B]->n / 2;
    t->beyond_margin = t->p_beyond <= alpha && t->beyond.u > half;
    t->word = t->p > alpha ? COMPARE_SAME : t->test.u > half ? COMPARE_WORSE : COMPARE_BETTER;
    if (t->beyond_margin)
        c->exit_status = 1;
}

/* The targets of one comparison: what cannot be told, and the p's of the others. */
static int judge_one(struct compare *c, size_t family, double **p, double **beyond, size_t *n,
                     struct err *err)
{
    c->family = family;
    for (size_t i = 0; i < c->n_targets; i++) {
        struct compare_target *t = &c->targets[i];
        const char *why = cannot(c, t, family > 0 ? family : 1);
        t->word = COMPARE_CANNOT;
        t->why = why != NULL ? why : "";
        t->shift = t->shift_lower = t->shift_upper = t->seen = NAN;
        if (why != NULL)
            continue;
        if (target_test(c, t, err) < 0)
            return -1;
        p[*n] = &t->p;
        beyond[(*n)++] = &t->p_beyond;
    }
    return 0;
}

static void exit_of(struct compare *c)
{
    size_t told = 0;
    for (size_t i = 0; i < c->n_targets; i++)
        told += c->targets[i].why[0] == '\0';
    c->exit_status = told == 0 || told < c->n_targets ? 3 : 0;
    for (size_t i = 0; i < c->n_targets; i++)
        if (c->targets[i].why[0] == '\0')
            target_judge(c, &c->targets[i]);
}

int compare_judge_all(struct compare *const *list, size_t n, struct err *err)
{
    size_t family = 0, tests = 0;
    double **p CLEANUP_FREE = calloc(n * COMPARE_TARGETS_MAX + 1, sizeof(*p));
    double **beyond CLEANUP_FREE = calloc(n * COMPARE_TARGETS_MAX + 1, sizeof(*beyond));
    bool *done CLEANUP_FREE = calloc(n * COMPARE_TARGETS_MAX + 1, sizeof(*done));
    if (p == NULL || beyond == NULL || done == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "comparison");
    for (size_t k = 0; k < n; k++)
        for (size_t i = 0; i < list[k]->n_targets; i++)
            family += cannot(list[k], &list[k]->targets[i], 1) == NULL;
    for (size_t k = 0; k < n; k++)
        if (judge_one(list[k], family, p, beyond, &tests, err) < 0)
            return -1;
    holm(p, done, tests);
    holm(beyond, done, tests);
    for (size_t k = 0; k < n; k++)
        exit_of(list[k]);
    return 0;
}

int compare_judge(struct compare *c, struct err *err)
{
    return compare_judge_all(&c, 1, err);
}
