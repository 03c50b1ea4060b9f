/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A target's figures in words and in JSON, for all renderers: a row per unit. */
#ifndef BLACKSTART_REPORTS_FIGURE_H
#define BLACKSTART_REPORTS_FIGURE_H

#include "analysis/analysis.h"

/* "1.490 s", "99.900 %", "3"; "open" for what has no bound, "-" for what is none. */
void figure_put(struct buf *out, enum analysis_unit unit, double value);
/* "1.490 s .. 1.602 s", or "not measured". */
void figure_put_interval(struct buf *out, const struct analysis_target *t);
/* One that says the same as an earlier one of the list: figures of both would bear one name. */
bool figure_is_twin(const struct analysis_target *list, size_t k);
/* Measure, of, from and detail: "availability of write over 20s". */
void figure_put_target(struct buf *out, const struct analysis_target *t);
/* "availability of buy over 20s must be missed: 0.000 % .. 1.000 %, at least 50.000 %". */
void figure_put_symptom(struct buf *out, const struct analysis_symptom *s);
/* As which verdict it is painted. */
enum verdict figure_symptom_verdict(enum symptom_state s);
/* "at most" or "at least". */
const char *figure_side(const struct analysis_target *t);

/* "s", "share", "count"; and what a figure's name ends with: limit_s. */
const char *figure_unit(enum analysis_unit unit);
const char *figure_suffix(enum analysis_unit unit);

#endif
