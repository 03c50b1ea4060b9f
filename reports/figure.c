/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/figure.h"

#include "base/buf.h"

#include <math.h>

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
