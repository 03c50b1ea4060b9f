/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/figure.h"

#include "base/buf.h"

#include <math.h>
#include <string.h>

static const struct unit {
    const char *word, *suffix, *shown;
    double times;
    int digits;
} units[] = {
    [UNIT_SECONDS] = {"s", "_s", " s", 1, 3},
    [UNIT_SHARE] = {"share", "", " %", 100, 3},
    [UNIT_COUNT] = {"count", "", "", 1, 0},
};

void figure_put(struct buf *out, enum analysis_unit unit, double value)
{
    const struct unit *u = &units[unit];
    if (isnan(value))
        buf_puts(out, "-");
    else if (isinf(value))
        buf_puts(out, "open");
    else
        buf_printf(out, "%.*f%s", u->digits, value * u->times, u->shown);
}

void figure_put_interval(struct buf *out, const struct analysis_target *t)
{
    if (isnan(t->lower)) {
        buf_puts(out, "not measured");
        return;
    }
    figure_put(out, t->unit, t->lower);
    buf_puts(out, " .. ");
    figure_put(out, t->unit, t->upper);
}

static bool same_words(const struct analysis_target *a, const struct analysis_target *b)
{
    return strcmp(a->measure, b->measure) == 0 && strcmp(a->of, b->of) == 0 &&
           strcmp(a->from, b->from) == 0 && strcmp(a->detail, b->detail) == 0;
}

bool figure_is_twin(const struct analysis_target *list, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (same_words(&list[i], &list[k]))
            return true;
    return false;
}

void figure_put_target(struct buf *out, const struct analysis_target *t)
{
    buf_puts(out, t->measure);
    if (t->of[0] != '\0')
        buf_printf(out, " of %s", t->of);
    if (t->from[0] != '\0')
        buf_printf(out, " from %s", t->from);
    if (t->detail[0] != '\0')
        buf_printf(out, " %s", t->detail);
}

void figure_put_symptom(struct buf *out, const struct analysis_symptom *s)
{
    const struct analysis_target *t = &s->target;
    figure_put_target(out, t);
    buf_printf(out, " must be %s: ", s->missed ? "missed" : "met");
    figure_put_interval(out, t);
    buf_printf(out, ", %s ", figure_side(t));
    figure_put(out, t->unit, t->limit);
}

enum verdict figure_symptom_verdict(enum symptom_state s)
{
    static const enum verdict verdicts[] = {[SYMPTOM_NOT_JUDGED] = VERDICT_NOT_JUDGED,
                                            [SYMPTOM_SHOWN] = VERDICT_PASS,
                                            [SYMPTOM_NOT_DECIDED] = VERDICT_INCONCLUSIVE,
                                            [SYMPTOM_NOT_SHOWN] = VERDICT_INVALID};
    return verdicts[s];
}

const char *figure_side(const struct analysis_target *t)
{
    return t->side == AT_LEAST ? "at least" : "at most";
}

const char *figure_unit(enum analysis_unit unit)
{
    return units[unit].word;
}

const char *figure_suffix(enum analysis_unit unit)
{
    return units[unit].suffix;
}
