/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trend as text: a run after the other, its interval drawn over one scale. Pure. */
#ifndef BLACKSTART_TREND_CHART_H
#define BLACKSTART_TREND_CHART_H

#include "analysis/trend.h"

/* `style`: the escape sequence of a verdict, "" of none, and that which ends it for NULL. */
struct trend_chart {
    size_t columns; /* where they are too few for one line a run, each has three */
    const char *(*style)(const char *verdict);
};

void trend_chart_print(const struct trend *t, const char *scenario, const struct trend_chart *how,
                       struct buf *out);
/* The same without a drawing, for files and programs. */
void trend_print_plain(const struct trend *t, const char *scenario, struct buf *out);

#endif
