/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that draw over time share: an axis of seconds from the fault, and what is drawn on
 * it in every chart. */
#ifndef BLACKSTART_REPORTS_HTML_TIMELINE_H
#define BLACKSTART_REPORTS_HTML_TIMELINE_H

#include "reports/html_parts.h"

struct timeline_view {
    const struct analysis_trial *t;
    int64_t zero;
    struct svg_axis axis; /* seconds since `zero` */
};

/* In percent of the width; what the journal does not know lies at `otherwise`. */
double timeline_x(const struct timeline_view *v, int64_t ns, double otherwise);
/* Seconds since the zero, in words: "+1.049 s". */
const char *timeline_since(const struct timeline_view *v, int64_t ns, char ret[32]);

/* From y to y + h: the time that each fault stood; with names above. */
void timeline_faults(struct html *h, const struct timeline_view *v, double y, double height,
                     bool names);
/* The same of where the onset and the recovery of outages may lie. */
void timeline_unsure(struct html *h, const struct timeline_view *v, const struct analysis_probe *p,
                     double y, double height);
/* Ticks below y, and lines upwards to `top`. */
void timeline_axis(struct html *h, const struct svg_axis *axis, double top, double y);
/* "failed from +0.000 s .. +0.042 s until +0.935 s .. +1.057 s" */
void timeline_outage_text(struct buf *out, const struct timeline_view *v,
                          const struct analysis_outage *o);

/* One probe's chart. */
void timeline_chart(struct html *h, const struct timeline_view *v, const struct analysis_probe *p);
/* One probe over all trials, a line each. */
void timeline_strips(struct html *h, size_t probe);

#endif
