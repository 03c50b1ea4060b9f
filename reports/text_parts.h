/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the text report share: text.c is the whole of it, text_unfold.c what steps with
 * waves or phases add, text_vantage.c what each vantage saw and how its prober fared. */
#ifndef BLACKSTART_REPORTS_TEXT_PARTS_H
#define BLACKSTART_REPORTS_TEXT_PARTS_H

#include "reports/report.h"

/* Where the parts of a target's line begin, so that several stand below each other; 0: anywhere. */
struct text_columns {
    size_t name, interval;
};
void text_put_target(struct buf *out, const struct analysis_target *t,
                     const struct report_paint *paint, const struct text_columns *columns);

/* text_symptoms.c: with a line before them and one behind; nothing where there are none. */
void text_put_symptoms(struct buf *out, const struct analysis_symptom *list, size_t n,
                       const struct report_paint *paint);

void text_put_time(struct buf *out, int64_t ns);
void text_put_evidence(struct buf *out, const struct history_evidence *e);

/* All phases of a fault that came and went, at the first of them. False: injection k is none. */
bool text_put_phases(struct buf *out, const struct analysis *a, size_t k);
/* text_series.c */
void text_put_series(struct buf *out, const struct analysis *a);
/* text_admission.c: what steps asked, and a person's commands. */
void text_put_admissions(struct buf *out, const struct analysis *a);
void text_put_rollouts(struct buf *out, const struct analysis *a);

void text_put_matrix(struct buf *out, const struct analysis_trial *t);
void text_put_ledgers(struct buf *out, const struct analysis_trial *t);
void text_put_loads(struct buf *out, const struct analysis_trial *t);
void text_put_health(struct buf *out, const struct analysis_trial *t);

#endif
