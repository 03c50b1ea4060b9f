/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of several variants of one scenario beside each other; it formats and computes nothing. */
#ifndef BLACKSTART_REPORTS_VARIANTS_H
#define BLACKSTART_REPORTS_VARIANTS_H

#include "analysis/compare.h"
#include "analysis/overview.h"
#include "base/buf.h"

#include <jansson.h>

struct variants_row {
    const char *name; /* of the variant */
    const char *dir;  /* the run's folder */
    const struct scenario *scenario;
    enum verdict verdict;
    const char *why;
    bool dirty;
    enum variant_expect expect;
    struct overview overview;
};

struct variants_report {
    const struct variants_row *rows; /* the first is what the others are compared with */
    size_t n;
    struct compare *const *comparisons; /* of the others, in their order; none with few trials */
    size_t n_comparisons;
    int exit_status;
};

void report_variants_text(const struct variants_report *r, struct buf *out);
json_t *report_variants_json(const struct variants_report *r); /* the caller decrefs */

json_t *report_variant_json(const struct variants_row *row); /* one of its rows */

/* "1.490 s .. 1.602 s", one figure where both ends are the same, "-" where there is none. */
void report_overview_put(struct buf *out, const struct overview_figure *f);
/* "5: 3 fail, 2 pass". */
void report_overview_trials(struct buf *out, const struct overview *o);

#endif
