/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of result.json share: json.c is the whole of it, json_vantage.c what each vantage
 * saw and how it fared itself. */
#ifndef BLACKSTART_REPORTS_JSON_PARTS_H
#define BLACKSTART_REPORTS_JSON_PARTS_H

#include "reports/letter.h"
#include "reports/report.h"

#include <math.h>

static inline json_t *seconds(int64_t ns)
{
    return ns == HISTORY_UNKNOWN || ns == SPAN_OPEN ? json_null() : json_real((double)ns / 1e9);
}

static inline json_t *figure(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static inline json_t *text(const char *s)
{
    return letter_json(s);
}

/* Probe x vantage x endpoint; and the probers' health. */
json_t *json_matrix(const struct analysis_trial *t);
json_t *json_ledgers(const struct analysis_trial *t);
json_t *json_traffic(const struct analysis_trial *t);
/* json_admission.c: what steps asked, and a person's commands. */
json_t *json_admissions(const struct analysis_trial *t);
json_t *json_tasks(const struct analysis_trial *t);
json_t *json_health(const struct analysis_trial *t);
/* json.c: what the outage showed, in one trial or in the run; and over all trials. */
json_t *json_symptoms(const struct analysis_symptom *list, size_t n);
json_t *json_shown(const struct analysis *a);
/* json_earlier.c: the run beside earlier ones; null where the journal does not list them. */
json_t *json_earlier(const struct report *report);

#endif
