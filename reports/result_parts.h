/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that say which fields result.json has share: result_series.c is what several
 * trials, and earlier runs, say together; result_fields.c is the rest. */
#ifndef BLACKSTART_REPORTS_RESULT_PARTS_H
#define BLACKSTART_REPORTS_RESULT_PARTS_H

#include "reports/result_fields.h"

#define FIGURES(suffix, what)                                                                      \
    {"limit" suffix, FIELD_REAL, NULLABLE | OPTIONAL, "The limit" what ".", NULL},                 \
        {"lower" suffix, FIELD_REAL, NULLABLE | OPTIONAL,                                          \
         "The truth is not below this" what "; null: not measured.", NULL},                        \
    {                                                                                              \
        "upper" suffix, FIELD_REAL, NULLABLE | OPTIONAL,                                           \
            "The truth is not above this" what "; null: open, or not measured.", NULL              \
    }

#define COUNTED(name, text)                                                                        \
    {                                                                                              \
        name, FIELD_COUNT, 0, text, NULL                                                           \
    }
extern const struct section result_value, result_left_out, result_median, result_quantile,
    result_order, result_series, result_sequential, result_earlier_run, result_earlier_target,
    result_earlier;

#endif
