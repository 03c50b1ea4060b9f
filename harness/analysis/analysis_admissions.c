/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What steps asked before they went out, and a person's commands: from the journal's own lines. */
#include "analysis/analysis_parts.h"

#include <string.h>

static int64_t number(const struct history_event *e, const char *member)
{
    return json_integer_value(json_object_get(e->members, member));
}

static const char *word(const struct history_event *e, const char *member)
{
    const char *s = json_string_value(json_object_get(e->members, member));
    return s != NULL ? s : "";
}

static struct analysis_admission *admission_of(struct analysis_trial *t,
                                               const struct history_event *e)
{
    size_t k = 0;
    while (k < t->n_admissions && t->admissions[k].step != number(e, "step"))
        k++;
    if (k == t->n_admissions)
        t->admissions[t->n_admissions++] =
            (struct analysis_admission){.step = number(e, "step"),
                                        .fault = word(e, "fault"),
                                        .as = word(e, "as"),
                                        .approver = word(e, "approver"),
                                        .outcome = "unfinished",
                                        .by = "",
                                        .host = "",
                                        .why = "",
                                        .check_ns = HISTORY_UNKNOWN,
                                        .checked_ns = HISTORY_UNKNOWN,
                                        .asked_ns = HISTORY_UNKNOWN,
                                        .answered_ns = HISTORY_UNKNOWN,
                                        .at_ns = HISTORY_UNKNOWN,
                                        .sentence = ""};
    return &t->admissions[k];
}

static void admission_take(struct analysis_trial *t, const struct history_event *e)
{
    struct analysis_admission *a = admission_of(t, e);
    const char *state = word(e, "state"), *by = word(e, "by");
    bool refused = strcmp(state, "refused") == 0, person = strcmp(by, "approval") == 0;
    if (word(e, "host")[0] != '\0')
        a->host = word(e, "host");
    if (strcmp(state, "check") == 0)
        a->check_ns = e->t;
    else if (strcmp(state, "checked") == 0)
        a->checked_ns = e->t;
    else if (strcmp(state, "asked") == 0)
        a->asked_ns = e->t;
    else if (person)
        a->answered_ns = e->t;
    if (word(e, "what")[0] != '\0')
        a->why = word(e, "what");
    if (!refused && strcmp(state, "executed") != 0)
        return;
    a->partly = refused && strcmp(a->outcome, "executed") == 0;
    a->outcome = state;
    a->by = refused ? by : "";
    a->at_ns = e->t;
}

/* " after approval by senior (waited 30.000 s; a model of a person)" */
static const char *approval_words(struct analysis_maker *m, const struct analysis_admission *a)
{
    char waited[32];
    if (a->asked_ns == HISTORY_UNKNOWN || a->answered_ns == HISTORY_UNKNOWN)
        return "";
    (void)analysis_time(a->answered_ns - a->asked_ns, waited);
    if (strcmp(a->by, "approval") == 0)
        return analysis_text(m, " (waited %s; a model of a person)", waited);
    bool silent = a->by[0] == '\0' && a->why[0] != '\0';
    return analysis_text(m, " after approval by %s (waited %s; a model of a person%s%s)",
                         a->approver, waited, silent ? ": " : "", silent ? a->why : "");
}

static const char *admission_sentence(struct analysis_maker *m, const struct analysis_admission *a)
{
    const char *approval = approval_words(m, a), *colon = a->why[0] != '\0' ? ": " : "";
    const char *as = a->as[0] != '\0' ? analysis_text(m, " as %s", a->as) : "";
    const char *part = a->partly ? "executed in part, then " : "";
    if (strcmp(a->outcome, "executed") == 0)
        return analysis_text(m, "executed%s%s", as, approval);
    if (strcmp(a->outcome, "refused") != 0)
        return "not carried out: the trial ended before";
    if (strcmp(a->by, "check") == 0)
        return analysis_text(m, "refused by the check%s%s", colon, a->why);
    if (strcmp(a->by, "approval") == 0)
        return analysis_text(m, "refused by %s%s%s%s", a->approver, approval, colon, a->why);
    return analysis_text(m, "%srefused by the host %s%s%s%s%s", part, a->host, as, approval, colon,
                         a->why);
}

static struct analysis_task *task_of(struct analysis_trial *t, const struct history_event *e)
{
    size_t k = 0;
    while (k < t->n_tasks &&
           (t->tasks[k].step != number(e, "step") || t->tasks[k].number != number(e, "task")))
        k++;
    if (k == t->n_tasks)
        t->tasks[t->n_tasks++] = (struct analysis_task){.step = number(e, "step"),
                                                        .number = number(e, "task"),
                                                        .name = word(e, "name"),
                                                        .hosts = word(e, "on"),
                                                        .begin_ns = HISTORY_UNKNOWN,
                                                        .typed_ns = HISTORY_UNKNOWN,
                                                        .end_ns = HISTORY_UNKNOWN};
    return &t->tasks[k];
}

static void task_take(struct analysis_trial *t, const struct history_event *e)
{
    struct analysis_task *task = task_of(t, e);
    task->state = word(e, "state");
    task->why = word(e, "what");
    if (strcmp(task->state, "begin") == 0)
        task->begin_ns = e->t;
    else if (strcmp(task->state, "typed") == 0)
        task->typed_ns = e->t;
    else
        task->end_ns = e->t;
}

void analysis_admissions(struct analysis_maker *m, struct analysis_trial *t)
{
    const struct history_event *events = &m->h->events[t->of->first_event];
    size_t asked = 0, tasks = 0;
    for (size_t i = 0; i < t->of->n_events; i++) {
        asked += strcmp(events[i].ev, "admission") == 0;
        tasks += strcmp(events[i].ev, "runbook") == 0;
    }
    t->admissions = analysis_array(m, asked, sizeof(*t->admissions));
    t->tasks = analysis_array(m, tasks, sizeof(*t->tasks));
    for (size_t i = 0; t->admissions != NULL && t->tasks != NULL && i < t->of->n_events; i++) {
        if (strcmp(events[i].ev, "admission") == 0)
            admission_take(t, &events[i]);
        else if (strcmp(events[i].ev, "runbook") == 0)
            task_take(t, &events[i]);
    }
    for (size_t i = 0; t->admissions != NULL && i < t->n_admissions; i++)
        t->admissions[i].sentence = admission_sentence(m, &t->admissions[i]);
}
