/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/json_parts.h"

/* "" has no value. */
static json_t *word(const char *s)
{
    return s[0] != '\0' ? text(s) : json_null();
}

static json_t *between(int64_t from, int64_t to)
{
    return from != HISTORY_UNKNOWN && to != HISTORY_UNKNOWN ? seconds(to - from) : json_null();
}

static json_t *admission_json(const struct analysis_admission *a)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b, s:o, s:o}", "step",
                     (json_int_t)a->step, "fault", text(a->fault), "as", word(a->as), "outcome",
                     text(a->outcome), "refused_by", word(a->by), "approver", word(a->approver),
                     "checked", a->checked_ns != HISTORY_UNKNOWN, "waited_s",
                     between(a->asked_ns, a->answered_ns), "host", word(a->host), "why",
                     word(a->why), "partly", a->partly, "at_s", seconds(a->at_ns), "sentence",
                     text(a->sentence));
}

json_t *json_admissions(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_admissions; i++)
        (void)json_array_append_new(list, admission_json(&t->admissions[i]));
    return list;
}

static json_t *task_json(const struct analysis_task *k)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "step",
                     (json_int_t)k->step, "number", (json_int_t)k->number, "name", text(k->name),
                     "hosts", text(k->hosts), "state", text(k->state), "begin_s",
                     seconds(k->begin_ns), "typed_s", seconds(k->typed_ns), "end_s",
                     seconds(k->end_ns), "person_s", between(k->begin_ns, k->typed_ns), "command_s",
                     between(k->typed_ns, k->end_ns), "why", word(k->why));
}

json_t *json_tasks(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_tasks; i++)
        (void)json_array_append_new(list, task_json(&t->tasks[i]));
    return list;
}
