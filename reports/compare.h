/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a comparison found, in words and in JSON; it formats and computes nothing. */
#ifndef BLACKSTART_REPORTS_COMPARE_H
#define BLACKSTART_REPORTS_COMPARE_H

#include "analysis/compare.h"
#include "base/buf.h"

#include <jansson.h>

void report_compare_text(const struct compare *c, struct buf *out);
json_t *report_compare_json(const struct compare *c); /* the caller decrefs */

#endif
