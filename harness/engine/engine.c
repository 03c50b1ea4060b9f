/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/engine_parts.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const state_words[] = {"steady",  "inject", "hold", "heal",
                                          "recover", "settle", "ended"};

const char *engine_state_word(enum engine_state state)
{
    return state_words[state];
}

struct action *engine_emit(struct engine *e, enum action_kind kind, size_t index, const char *text)
{
    struct actions *out = e->out;
    if (out->n == ENGINE_ACTIONS_MAX) {
        out->overflow = true;
        out->n--;
    }
    struct action *a = &out->list[out->n++];
    *a = (struct action){.kind = kind, .index = index, .host = SIZE_MAX, .ok = true, .text = text};
    return a;
}

void engine_explain(struct action *action, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(action->why, sizeof(action->why), fmt, args) < 0)
        action->why[0] = '\0';
    va_end(args);
}

void engine_enter(struct engine *e, enum engine_state state)
{
    if (e->state == state)
        return;
    e->state = state;
    engine_emit(e, ACTION_STATE, (size_t)state, NULL);
}

void engine_begin_hold(struct engine *e)
{
    if (e->holding)
        return;
    e->holding = e->held = true;
    e->hold_ns = e->now;
    engine_emit(e, ACTION_HOLD, 0, NULL);
}

static int64_t hold_end(const struct engine *e)
{
    return e->holding && e->options.hold_limit_ns > 0 ? e->hold_ns + e->options.hold_limit_ns
                                                      : INT64_MAX;
}

/* While a person looked, the time of steps and faults stood still. */
static void end_hold(struct engine *e, const char *by_whom)
{
    if (!e->holding)
        return;
    int64_t by = e->now - e->hold_ns;
    e->holding = false;
    engine_emit(e, ACTION_HOLD_OVER, 0, by_whom);
    e->deadline_ns += by;
    steps_shift(e, by);
    inject_shift(e, by);
}

void engine_stop_trial(struct engine *e)
{
    end_hold(e, "stopped");
    e->stopping = true;
    unfold_heal(e, PLAN_NONE);
    inject_heal_rest(e, false);
    steps_drop(e);
}

void engine_abort(struct engine *e, const char *why, const char *fmt, ...)
{
    if (!e->aborting) {
        e->aborting = true;
        struct action *a = engine_emit(e, ACTION_ABORT, inject_count_open(e), why);
        va_list args;
        va_start(args, fmt);
        if (vsnprintf(a->why, sizeof(a->why), fmt, args) < 0)
            a->why[0] = '\0';
        va_end(args);
    }
    engine_stop_trial(e);
}

static void begin_trial(struct engine *e)
{
    inject_drop(e);
    steps_drop(e);
    watch_begin_trial(e);
    e->fault_free = e->options.no_fault || (e->n_trials > 1 && e->trial == 0);
    e->stopping = e->seen_good = e->chance_over = e->told = false;
    e->refused = e->touched = e->went_out = false;
    e->first_ns = -1;
    e->dry_ends_ns = e->heal_ns = 0;
    e->trial_ns = e->now;
    for (size_t r = 0; r < PLAN_ROLES_MAX; r++)
        e->roles[r].host = SIZE_MAX;
    e->state = ENGINE_STEADY;
    engine_emit(e, ACTION_TRIAL_START, e->trial, NULL)->ok = e->fault_free;
    engine_emit(e, ACTION_STATE, ENGINE_STEADY, NULL);
}

static void on_start(struct engine *e)
{
    if (e->scenario->deadline.ns > 0)
        e->deadline_ns = e->now + e->scenario->deadline.ns;
    begin_trial(e);
    for (size_t h = 0; h < e->plan->n_hosts; h++)
        if (e->plan->hosts[h].has_agent) {
            e->baselines |= UINT64_C(1) << h;
            engine_emit(e, ACTION_BASELINE, h, NULL);
        }
    e->baselined = true;
}

static void on_baseline(struct engine *e, const struct event *event)
{
    e->baselines &= ~(UINT64_C(1) << event->index);
    if (!event->ok)
        engine_abort(e, "error", "%s: %s", e->plan->hosts[event->index].name,
                     event->text != NULL ? event->text : "its state cannot be read");
}

static void on_interrupt(struct engine *e, const struct event *event)
{
    if (e->aborting)
        e->hurry = true;
    else
        engine_abort(e, "interrupt", "%s",
                     event->text != NULL ? event->text : "stopped by the person");
}

static void begin_ask(struct engine *e)
{
    e->asking = true;
    e->asked_ns = e->now;
    engine_emit(e, ACTION_NEXT, e->trial + 1, NULL);
}

/* The wait for a turn is no part of the run's own time. */
static void on_next(struct engine *e, const struct event *event)
{
    if (!e->asking)
        return;
    e->asking = false;
    e->enough = !event->ok;
    if (e->deadline_ns != INT64_MAX)
        e->deadline_ns += e->now - e->asked_ns;
}

static void take_event(struct engine *e, const struct event *event)
{
    switch (event->kind) {
    case EVENT_START:
        on_start(e);
        break;
    case EVENT_TICK:
        break;
    case EVENT_BASELINE:
        on_baseline(e, event);
        break;
    case EVENT_PROBE:
        watch_sample(e, event);
        break;
    case EVENT_ROLE:
        role_event(e, event);
        break;
    case EVENT_RAN:
        steps_ran(e, event);
        break;
    case EVENT_CHECKED:
        admission_checked(e, event);
        break;
    case EVENT_CLEAN:
        e->cleans &= ~(UINT64_C(1) << event->index);
        break;
    case EVENT_DRAINED:
        e->drained = true;
        break;
    case EVENT_NEXT:
        on_next(e, event);
        break;
    case EVENT_GO_ON:
        end_hold(e, "person");
        break;
    case EVENT_INTERRUPT:
        on_interrupt(e, event);
        break;
    case EVENT_ERROR:
        e->hurry = true;
        engine_abort(e, "error", "%s", event->text != NULL ? event->text : "");
        break;
    case EVENT_PREPARED:
    case EVENT_APPLIED:
    case EVENT_REVERTED:
    case EVENT_INJECTION_ENDED:
    case EVENT_LAPSED:
    case EVENT_AGENT_LOST:
    case EVENT_HOST_DIED:
        inject_event(e, event);
        break;
    }
}

static void enter_settle(struct engine *e)
{
    engine_enter(e, ENGINE_SETTLE);
    e->drained = false;
    engine_emit(e, ACTION_DRAIN, 0, NULL);
    for (size_t h = 0; e->baselined && h < e->plan->n_hosts; h++)
        if (e->plan->hosts[h].has_agent) {
            e->cleans |= UINT64_C(1) << h;
            engine_emit(e, ACTION_CLEAN, h, NULL);
        }
}

/* *ret_not: the first probe that is not as it should be; *ret_how: what it is not. */
static bool is_steady(const struct engine *e, size_t *ret_not, const char **ret_how)
{
    *ret_how = "good";
    if (!watch_all_good(e, e->trial_ns, e->scenario->steady_for.ns, ret_not))
        return false;
    *ret_how = "silent";
    return watch_all_silent(e, e->trial_ns, e->scenario->steady_for.ns, ret_not);
}

static bool advance_steady(struct engine *e)
{
    size_t not_good = e->scenario->n_probes;
    const char *how = "";
    if (e->stopping) {
        enter_settle(e);
        return true;
    }
    if (e->baselines == 0 && is_steady(e, &not_good, &how)) {
        engine_emit(e, ACTION_STEADY, 0, NULL);
        engine_enter(e, ENGINE_HOLD);
        steps_begin(e);
        return true;
    }
    if (e->now < e->trial_ns + e->scenario->steady_within.ns)
        return false;
    struct action *a = engine_emit(e, ACTION_STEADY, 0, NULL);
    char text[64], limit[64], got[64];
    a->ok = false;
    (void)is_steady(e, &not_good, &how);
    got[0] = '\0';
    if (strcmp(how, "good") == 0)
        watch_explain(e, not_good, got, sizeof(got));
    engine_explain(a, "%.60s was not %s for %s within %s%s",
                   not_good < e->scenario->n_probes
                       ? scenario_probe_label(&e->scenario->probes[not_good])
                       : "",
                   how, duration_print(e->scenario->steady_for, text, sizeof(text)),
                   duration_print(e->scenario->steady_within, limit, sizeof(limit)), got);
    e->not_steady = e->stopping = true;
    return true;
}

static bool injecting(const struct engine *e)
{
    for (size_t i = 0; i < CURSORS_MAX; i++) {
        const struct cursor *c = &e->cursors[i];
        if (c->used && c->wait >= CURSOR_SELECT && c->wait <= CURSOR_RECHECK)
            return true;
    }
    return false;
}

static int64_t window_end(const struct engine *e)
{
    return e->first_ns < 0 || e->aborting ? 0 : e->first_ns + e->plan->window_ns;
}

static int64_t observe_end(const struct engine *e)
{
    int64_t end = e->heal_ns + e->scenario->observe.ns;
    return end > window_end(e) ? end : window_end(e);
}

/* A fault that was on its way to some hosts, and active on a part of them, may have done harm. */
static bool nothing_done(const struct engine *e)
{
    return e->first_ns < 0 && !e->touched;
}

/* Nothing may happen for long from here on: what is waited for, and how long. */
static void explain_recover(struct engine *e)
{
    if (e->hurry || (nothing_done(e) && e->stopping))
        return;
    char stable[64];
    int64_t window = window_end(e) - e->now;
    (void)duration_print(e->scenario->stable_for, stable, sizeof(stable));
    struct action *a = &e->out->list[e->out->n - 1];
    if (window > e->scenario->stable_for.ns)
        engine_explain(a, "measuring on for %.1f s, until the targets' windows are over",
                       (double)window / 1e9);
    else
        engine_explain(a, "waiting until all probes are good for %s, at most %.1f s", stable,
                       (double)(observe_end(e) - e->now) / 1e9);
}

static bool advance_running(struct engine *e)
{
    watch_guards(e);
    bool went = inject_tick(e);
    went = steps_advance(e) || went;
    if (!e->stopping && !steps_over(e)) {
        engine_enter(e, injecting(e) ? ENGINE_INJECT : ENGINE_HOLD);
        return went;
    }
    if (e->holding)
        return went;
    inject_heal_rest(e, true); /* those without a length of their own end with the steps */
    bool follows = unfold_pending(e, PLAN_NONE);
    if (follows || inject_waits(e)) {
        engine_enter(e, follows || inject_holds(e) ? ENGINE_HOLD : ENGINE_HEAL);
        return went;
    }
    if (!e->stopping && e->now < e->dry_ends_ns)
        return went;
    if (e->heal_ns == 0 || !inject_over(e))
        e->heal_ns = e->now;
    engine_enter(e, ENGINE_RECOVER);
    explain_recover(e);
    return true;
}

static bool advance_recover(struct engine *e)
{
    size_t not_good;
    bool untouched = nothing_done(e);
    (void)inject_tick(e);
    if (e->now >= window_end(e) &&
        (e->fault_free || untouched || steps_spared(e) || e->stopping || watch_signals_came(e)) &&
        watch_all_good(e, e->heal_ns, e->scenario->stable_for.ns, &not_good))
        e->seen_good = true;
    if (!(e->seen_good || e->hurry || (untouched && e->stopping) || e->now >= observe_end(e)))
        return false;
    if (inject_over(e)) {
        enter_settle(e);
        return true;
    }
    /* What has not come back by itself is started, and then has its own time to recover. */
    e->chance_over = true;
    inject_heal(e, PLAN_NONE);
    return false;
}

static bool advance_settle(struct engine *e)
{
    if (e->cleans != 0 || !e->drained)
        return false;
    if (!e->told)
        engine_emit(e, ACTION_TRIAL_END, e->trial, NULL)->ok = !e->stopping;
    bool follows = !e->aborting && !e->not_steady && !e->enough && e->trial + 1 < e->n_trials;
    if (follows && e->options.ask && !e->told)
        begin_ask(e);
    e->told = true;
    if (follows && e->asking)
        return false;
    if (follows) {
        e->trial++;
        begin_trial(e);
        return true;
    }
    e->state = ENGINE_ENDED;
    engine_emit(e, ACTION_END, 0, NULL)->ok = !e->aborting;
    return false;
}

static bool advance(struct engine *e)
{
    if (!e->aborting && !e->holding && e->now >= e->deadline_ns && e->state < ENGINE_SETTLE)
        engine_abort(e, "deadline", "the run's deadline has passed");
    if (e->now >= hold_end(e))
        end_hold(e, "limit");
    switch (e->state) {
    case ENGINE_STEADY:
        return advance_steady(e);
    case ENGINE_INJECT:
    case ENGINE_HOLD:
    case ENGINE_HEAL:
        return advance_running(e);
    case ENGINE_RECOVER:
        return advance_recover(e);
    case ENGINE_SETTLE:
        return advance_settle(e);
    case ENGINE_ENDED:
        break;
    }
    return false;
}

void engine_step(struct engine *e, const struct event *event, struct actions *actions)
{
    if (e->state == ENGINE_ENDED)
        return;
    e->out = actions;
    if (event->t > e->now)
        e->now = event->t;
    take_event(e, event);
    /* Steps that take no time follow each other at once; the bound is only against ourselves. */
    for (int i = 0; i < 4 * PLAN_STEPS_MAX && advance(e); i++)
        ;
    e->out = NULL;
}

int64_t engine_deadline(const struct engine *e)
{
    int64_t next = earlier(inject_deadline(e), hold_end(e));
    if (e->state == ENGINE_ENDED)
        return INT64_MAX;
    if (!e->aborting && !e->holding && !e->asking)
        next = earlier(next, e->deadline_ns);
    if (e->state == ENGINE_STEADY)
        next = earlier(next, e->trial_ns + e->scenario->steady_within.ns);
    if (e->state >= ENGINE_INJECT && e->state <= ENGINE_HEAL) {
        next = earlier(next, steps_deadline(e));
        next = earlier(next, watch_deadline(e));
        if (e->dry_ends_ns > e->now)
            next = earlier(next, e->dry_ends_ns);
    }
    if (e->state == ENGINE_RECOVER && (!e->chance_over || inject_over(e))) {
        next = earlier(next, observe_end(e));
        if (window_end(e) > e->now)
            next = earlier(next, window_end(e));
    }
    return next;
}

int engine_new(const struct plan *plan, const struct engine_options *options, struct engine **ret,
               struct err *err)
{
    const struct scenario *s = plan->scenario;
    if (s->n_probes > ENGINE_PROBES_MAX || s->n_roles > PLAN_ROLES_MAX)
        return make_error(err, ERR_LIMIT, 0, "at most %d probes and %d roles",
                          (int)ENGINE_PROBES_MAX, (int)PLAN_ROLES_MAX);
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the engine");
    e->plan = plan;
    e->scenario = s;
    e->options = *options;
    e->deadline_ns = INT64_MAX;
    e->n_trials = options->no_fault ? options->trials : plan_trials(options->trials);
    if (e->n_trials == 0)
        e->n_trials = 1;
    *ret = e;
    return 0;
}

void engine_free(struct engine *e)
{
    if (e == NULL)
        return;
    inject_drop(e);
    free(e);
}

enum engine_state engine_state(const struct engine *e)
{
    return e->state;
}

uint32_t engine_trial(const struct engine *e)
{
    return e->trial;
}

size_t engine_n_injections(const struct engine *e)
{
    return e->n_injections;
}

const struct engine_injection *engine_injection(const struct engine *e, size_t i)
{
    return &e->injections[i];
}

bool engine_holding(const struct engine *e)
{
    return e->holding;
}
