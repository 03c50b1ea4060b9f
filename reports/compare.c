/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/compare.h"

#include "reports/figure.h"

#include <math.h>
#include <stdio.h>

static const char *word_of(const struct compare_target *t)
{
    bool time = t->unit == UNIT_SECONDS;
    switch (t->word) {
    case COMPARE_WORSE:
        return time ? "slower" : "worse";
    case COMPARE_BETTER:
        return time ? "faster" : "better";
    case COMPARE_SAME:
        return "no difference shown";
    case COMPARE_CANNOT:
        break;
    }
    return "cannot tell";
}

static void put_name(struct buf *out, const struct compare_target *t)
{
    buf_printf(out, "%s%s%s%s%s%s%s", t->measure, t->of[0] != '\0' ? " of " : "", t->of,
               t->from[0] != '\0' ? " from " : "", t->from, t->detail[0] != '\0' ? " " : "",
               t->detail);
}

/* +0.120 s; an open bound is a side without an end. */
static void put_shift(struct buf *out, const struct compare_target *t, double value)
{
    if (isinf(value)) {
        buf_puts(out, value < 0 ? "no bound below" : "no bound above");
        return;
    }
    buf_puts(out, value >= 0 ? "+" : "");
    figure_put(out, t->unit, value);
}

static void put_target(struct buf *out, const struct compare *c, const struct compare_target *t)
{
    const struct compare_figures *a = t->figures[COMPARE_A], *b = t->figures[COMPARE_B];
    buf_printf(out, "  %-19s ", word_of(t));
    put_name(out, t);
    buf_printf(out, ", %zu v %zu trials", a->n, b->n);
    if (a->left_out + b->left_out != 0)
        buf_printf(out, " (%u and %u left out)", a->left_out, b->left_out);
    if (t->word == COMPARE_CANNOT) {
        buf_printf(out, "\n      %s\n", t->why);
        return;
    }
    buf_printf(out, "\n      %s is shifted by ", c->names[COMPARE_B]);
    if (isnan(t->shift))
        buf_puts(out, "an amount that censored trials hide");
    else
        put_shift(out, t, t->shift);
    buf_puts(out, "; with 95 % confidence between ");
    put_shift(out, t, t->shift_lower);
    buf_puts(out, " and ");
    put_shift(out, t, t->shift_upper);
    buf_printf(out, "; p %.4f (Mann-Whitney, %s)\n", t->p, t->test.exact ? "exact" : "normal");
    if (a->censored + b->censored != 0)
        buf_printf(out, "      %u and %u trials never came to their end, and rank as the longest\n",
                   a->censored, b->censored);
    if (t->word == COMPARE_SAME && !isnan(t->seen)) {
        buf_puts(out, "      of a shift of ");
        figure_put(out, t->unit, t->seen);
        buf_puts(out,
                 " four of five such comparisons would have shown it; of a smaller one, fewer\n");
    }
    if (c->margin > 0 && t->unit == UNIT_SECONDS)
        buf_printf(out, "      by more than the margin of %.3f s: %s (p %.4f)\n", c->margin,
                   t->beyond_margin             ? "yes"
                   : t->shift_upper < c->margin ? "no, with 95 % confidence"
                                                : "not shown",
                   t->p_beyond);
}

static const char *verdict(const struct compare *c)
{
    if (c->exit_status == 1)
        return c->margin > 0 ? "slower by more than the margin" : "slower";
    return c->exit_status == 0 ? "not slower" : "cannot tell";
}

void report_compare_text(const struct compare *c, struct buf *out)
{
    buf_printf(out, "%s: %s against %s\n", verdict(c), c->names[COMPARE_B], c->names[COMPARE_A]);
    if (c->n_targets == 0)
        buf_puts(out, "  no run has a target\n");
    for (size_t i = 0; i < c->n_targets; i++)
        put_target(out, c, &c->targets[i]);
    if (c->left_out[COMPARE_A] + c->left_out[COMPARE_B] != 0)
        buf_printf(out,
                   "  left out: %zu run%s of %s and %zu of %s, stopped before any trial with a "
                   "fault had ended\n",
                   c->left_out[COMPARE_A], c->left_out[COMPARE_A] == 1 ? "" : "s",
                   c->names[COMPARE_A], c->left_out[COMPARE_B], c->names[COMPARE_B]);
    if (c->family > c->n_targets)
        buf_printf(out,
                   "  each p is corrected for %zu tests, of all pairs (Holm); the intervals are "
                   "each target's own\n",
                   c->family);
    else if (c->n_targets > 1)
        buf_printf(out,
                   "  each p is corrected for %zu targets (Holm); the intervals are each "
                   "target's own\n",
                   c->n_targets);
}

static void put(json_t *o, const char *name, const struct compare_target *t, double value)
{
    char key[40];
    (void)snprintf(key, sizeof(key), "%s%s", name, figure_suffix(t->unit));
    (void)json_object_set_new(o, key, isfinite(value) ? json_real(value) : json_null());
}

static json_t *side_json(const struct compare_target *t, enum compare_side side)
{
    const struct compare_figures *f = t->figures[side];
    json_t *values = json_array();
    for (size_t i = 0; i < f->n; i++) {
        json_t *one = json_object();
        put(one, "lower", t, f->lower[i]);
        put(one, "upper", t, f->upper[i]);
        (void)json_array_append_new(values, one);
    }
    return json_pack("{s:i, s:i, s:i, s:o}", "n", (int)f->n, "left_out", (int)f->left_out,
                     "censored", (int)f->censored, "values", values);
}

static json_t *target_json(const struct compare_target *t)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "measure", t->measure, "of", t->of,
                  "from", t->from, "detail", t->detail, "unit", figure_unit(t->unit), "result",
                  word_of(t), "a", side_json(t, COMPARE_A), "b", side_json(t, COMPARE_B));
    if (t->word == COMPARE_CANNOT) {
        (void)json_object_set_new(o, "why", json_string(t->why));
        return o;
    }
    put(o, "shift", t, t->shift);
    put(o, "shift_lower", t, t->shift_lower);
    put(o, "shift_upper", t, t->shift_upper);
    put(o, "seen_in_four_of_five", t, t->seen);
    (void)json_object_set_new(o, "u", json_real(t->test.u));
    (void)json_object_set_new(o, "exact", json_boolean(t->test.exact));
    (void)json_object_set_new(o, "p_alone", json_real(t->test.p));
    (void)json_object_set_new(o, "p", json_real(t->p));
    (void)json_object_set_new(o, "p_beyond_margin", json_real(t->p_beyond));
    (void)json_object_set_new(o, "beyond_margin", json_boolean(t->beyond_margin));
    return o;
}

json_t *report_compare_json(const struct compare *c)
{
    json_t *targets = json_array();
    for (size_t i = 0; i < c->n_targets; i++)
        (void)json_array_append_new(targets, target_json(&c->targets[i]));
    return json_pack("{s:s, s:i, s:f, s:i, s:i, s:i, s:i, s:o}", "verdict", verdict(c), "exit",
                     c->exit_status, "margin_s", c->margin, "runs_a", (int)c->runs[COMPARE_A],
                     "runs_b", (int)c->runs[COMPARE_B], "left_out_a", (int)c->left_out[COMPARE_A],
                     "left_out_b", (int)c->left_out[COMPARE_B], "targets", targets);
}
