/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of several scenarios, one row for each variant of each; it formats and computes nothing. */
#ifndef BLACKSTART_REPORTS_OUTAGES_H
#define BLACKSTART_REPORTS_OUTAGES_H

#include "reports/variants.h"

/* A Markdown table; rows of one scenario stand together. */
void report_outages_markdown(const struct variants_row *rows, size_t n, struct buf *out);
json_t *report_outages_json(const struct variants_row *rows, size_t n); /* the caller decrefs */

#endif
