/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of result.json on all trials together; json.c is the whole of it. */
#ifndef BLACKSTART_REPORTS_JSON_SERIES_H
#define BLACKSTART_REPORTS_JSON_SERIES_H

#include "reports/report.h"

json_t *json_summaries(const struct analysis *a);     /* `series` */
json_t *json_sequential(const struct report *report); /* null without a plan */

#endif
