/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A person's commands, one after the other: each needs its time before it is typed. */
#include "engine/engine_parts.h"

#include <stdio.h>

static const struct scenario_step *step_of(const struct engine *e, const struct cursor *c)
{
    return e->plan->steps[c->step].step;
}

static void task_begin(struct engine *e, struct cursor *c)
{
    engine_emit(e, ACTION_TASK, c->step, "begin")->host = c->task;
    c->wait = CURSOR_TAKES;
    c->until = e->now + step_of(e, c)->tasks[c->task].takes.ns;
}

void runbook_begin(struct engine *e, struct cursor *c)
{
    c->task = 0;
    if (e->fault_free || steps_spared(e))
        step_next(e, c, "skipped");
    else
        task_begin(e, c);
}

void runbook_type(struct engine *e, struct cursor *c)
{
    c->wait = CURSOR_RUN;
    engine_emit(e, ACTION_TASK, c->step, "run")->host = c->task;
}

void runbook_ran(struct engine *e, struct cursor *c, const struct event *event)
{
    const char *why = event->text != NULL ? event->text : "the command failed";
    struct action *a = engine_emit(e, ACTION_TASK, c->step, event->ok ? "end" : "failed");
    a->host = c->task;
    if (!event->ok) {
        char text[120];
        engine_explain(a, "%s", why);
        (void)snprintf(text, sizeof(text), "%.50s: %.60s", step_of(e, c)->tasks[c->task].name, why);
        step_fail(e, c, text);
    } else if (++c->task < step_of(e, c)->n_tasks) {
        task_begin(e, c);
    } else {
        step_next(e, c, "end");
    }
}
