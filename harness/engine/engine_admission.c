/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a fault step asks before it goes out: a check, then an approval, then each host's kernel.
 * Who is refused at any of them is over, and that is a result.
 */
#include "engine/engine_parts.h"

static const struct scenario_step *step_at(const struct engine *e, size_t step)
{
    return e->plan->steps[step].step;
}

static struct action *say(struct engine *e, size_t step, const char *state, const char *by)
{
    struct action *a = engine_emit(e, ACTION_ADMISSION, step, state);
    a->by = by;
    return a;
}

/* From here on the trial is measured, as it would be from a fault. */
static struct action *refused(struct engine *e, size_t step, const char *by)
{
    e->refused = true;
    if (e->first_ns < 0)
        e->first_ns = e->now;
    return say(e, step, "refused", by);
}

bool admission_asks(struct engine *e, struct cursor *c)
{
    const struct scenario_step *s = step_at(e, c->step);
    if (s->approval.by == NULL || c->approved || (s->check.n_command != 0 && !c->checked))
        return false;
    (void)say(e, c->step, "asked", "approval");
    c->wait = CURSOR_APPROVAL;
    c->until = e->now + approval_wait_ns(&s->approval);
    return true;
}

bool admission_checks(struct engine *e, struct cursor *c)
{
    struct plan_injections list = {0};
    if (step_at(e, c->step)->check.n_command == 0 || c->checked)
        return false;
    if (!inject_expand(e, c, &list))
        return true;
    size_t host = list.list[0].host;
    plan_injections_free(&list);
    c->wait = CURSOR_CHECK;
    say(e, c->step, "check", "check")->host = host;
    engine_emit(e, ACTION_CHECK, c->step, NULL)->host = host;
    return true;
}

static void take_check(struct engine *e, struct cursor *c, const struct event *event)
{
    const char *text = event->text != NULL ? event->text : "";
    if (event->ok) {
        c->checked = true;
        (void)say(e, c->step, "checked", "check");
        inject_begin(e, c);
    } else if (event->refused) {
        engine_explain(refused(e, c->step, "check"), "%s", text);
        step_next(e, c, "refused");
    } else {
        engine_abort(e, "error", "step %u: its check cannot be run: %s",
                     e->plan->steps[c->step].number, text);
    }
}

void admission_checked(struct engine *e, const struct event *event)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        struct cursor *c = &e->cursors[i];
        if (c->used && c->wait == CURSOR_CHECK && c->step == event->index)
            take_check(e, c, event);
    }
}

bool admission_advance(struct engine *e, struct cursor *c)
{
    const struct scenario_approval *a = &step_at(e, c->step)->approval;
    if (e->now < c->until)
        return false;
    bool given = approval_given(a), late = approval_wait_ns(a) != a->after.ns;
    bool silent = a->answer == ANSWER_NONE || late;
    struct action *said =
        given ? say(e, c->step, "approved", "approval") : refused(e, c->step, "approval");
    if (silent) {
        char text[64];
        engine_explain(said, "no answer within %s, so that it %s",
                       duration_print(a->within, text, sizeof(text)),
                       given ? "proceeds" : "is refused");
    }
    c->approved = true;
    if (given)
        inject_begin(e, c);
    else
        step_next(e, c, "refused");
    return true;
}

void admission_refused(struct engine *e, struct group *g, size_t host, const char *why)
{
    struct cursor *c = g->cursor != PLAN_NONE ? &e->cursors[g->cursor] : NULL;
    if (g->refused || e->stopping)
        return;
    g->refused = true;
    struct action *a = refused(e, g->step, "host");
    a->host = host;
    engine_explain(a, "%s", why != NULL ? why : "");
    if (c != NULL) {
        c->refused = true;
        c->wait = CURSOR_REFUSED;
        c->group = (size_t)(g - e->groups);
    }
    if (unfold_is(e, g->step))
        unfold_refused(e, g->step, c, a->why);
}

void admission_executed(struct engine *e, const struct group *g)
{
    if (step_asks(step_at(e, g->step)) && g->wave <= 1 && g->phase <= 1)
        (void)say(e, g->step, "executed", NULL);
}
