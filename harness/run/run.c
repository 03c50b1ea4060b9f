/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t run_now(const struct run *r)
{
    return clock_now(&r->clock);
}

/* Something of ours broke: the engine puts everything back, and the run ends. */
void run_break(struct run *r, const struct err *why)
{
    if (r->failed)
        return;
    r->failed = true;
    r->why = *why;
    run_post(r, EVENT_ERROR, 0, false, 0, why->msg);
}

/* What agents do, to an injection or on a host. */
static void (*const by_agents[])(struct run *r, size_t index) = {
    [ACTION_BASELINE] = run_agent_baseline, [ACTION_PREPARE] = run_agent_prepare,
    [ACTION_APPLY] = run_agent_apply,       [ACTION_EVIDENCE] = run_agent_evidence,
    [ACTION_REVERT] = run_agent_revert,     [ACTION_RENEW] = run_agent_renew,
    [ACTION_CLEAN] = run_agent_clean,
};

static void begin_trial(struct run *r, uint32_t trial)
{
    run_probes_begin_trial(r, trial);
    run_ledgers_begin_trial(r, trial);
    run_loads_begin_trial(r, trial);
}

static void perform(struct run *r, const struct action *a)
{
    run_record_action(r, a);
    if (a->kind < sizeof(by_agents) / sizeof(by_agents[0]) && by_agents[a->kind] != NULL)
        by_agents[a->kind](r, a->index);
    switch (a->kind) {
    case ACTION_TRIAL_START:
        begin_trial(r, (uint32_t)a->index);
        break;
    case ACTION_ASK_ROLE:
        run_probes_ask(r, a->index);
        break;
    case ACTION_STEADY:
        run_logs_before(r);
        break;
    case ACTION_RUN:
        run_step_command(r, a->index);
        break;
    case ACTION_CHECK:
        run_step_check(r, a->index, a->host);
        break;
    case ACTION_TASK:
        if (strcmp(a->text, "run") == 0)
            run_step_task(r, a->index, a->host);
        break;
    case ACTION_HOLD:
        run_hold_begin(r);
        break;
    case ACTION_HOLD_OVER:
        run_hold_over(r, a->text);
        break;
    case ACTION_DRAIN:
        run_probes_drain(r);
        break;
    case ACTION_NEXT:
        run_next_ask(r);
        break;
    case ACTION_END:
        r->ended = true;
        r->aborted = !a->ok;
        break;
    case ACTION_BASELINE: /* above */
    case ACTION_PREPARE:
    case ACTION_APPLY:
    case ACTION_EVIDENCE:
    case ACTION_REVERT:
    case ACTION_RENEW:
    case ACTION_CLEAN:
    case ACTION_STATE: /* only told: run_record.c */
    case ACTION_ROLE:
    case ACTION_STEP:
    case ACTION_ROLLOUT:
    case ACTION_ADMISSION:
    case ACTION_GUARD:
    case ACTION_ABORT:
    case ACTION_TRIAL_END:
        break;
    }
}

static void set_timer(struct run *r)
{
    int64_t deadline = engine_deadline(r->engine);
    if (deadline == INT64_MAX) {
        (void)evtimer_del(r->timer);
        return;
    }
    int64_t left = deadline - run_now(r);
    if (left < 0)
        left = 0;
    /* Rounded up: a tick that came too early would find nothing to do and come again. */
    struct timeval tv = {.tv_sec = (time_t)(left / NS_PER_SEC),
                         .tv_usec = (suseconds_t)(left % NS_PER_SEC / NS_PER_US + 1)};
    (void)evtimer_add(r->timer, &tv);
}

static void work_queue(struct run *r)
{
    if (r->busy || r->engine == NULL)
        return;
    r->busy = true;
    while (r->queue_n != 0 && !r->ended) {
        struct event_copy e = r->queue[r->queue_head].e;
        r->queue_head = (r->queue_head + 1) % RUN_EVENTS_MAX;
        r->queue_n--;
        struct event event = {.kind = e.kind,
                              .t = e.t,
                              .index = e.index,
                              .holders = e.holders,
                              .at_ns = e.at_ns,
                              .ok = e.ok,
                              .refused = e.refused,
                              .text = e.has_text ? e.text : NULL};
        r->actions->n = 0;
        engine_step(r->engine, &event, r->actions);
        for (size_t i = 0; i < r->actions->n; i++)
            perform(r, &r->actions->list[i]);
    }
    r->busy = false;
    if (r->timer != NULL)
        set_timer(r);
    if (r->ended)
        (void)event_base_loopbreak(r->base);
}

static void post(struct run *r, const struct event_copy *e, const char *text)
{
    if (!r->started || r->ended)
        return;
    if (r->queue_n == RUN_EVENTS_MAX) {
        /* Only probes' slots can be that many, and the newest say the same. */
        r->queue_head = (r->queue_head + 1) % RUN_EVENTS_MAX;
        r->queue_n--;
    }
    struct event_copy *at = &r->queue[(r->queue_head + r->queue_n++) % RUN_EVENTS_MAX].e;
    *at = *e;
    at->t = run_now(r);
    at->has_text = text != NULL;
    (void)snprintf(at->text, sizeof(at->text), "%s", text != NULL ? text : "");
    work_queue(r);
}

void run_post(struct run *r, enum event_kind kind, size_t index, bool ok, int64_t at_ns,
              const char *text)
{
    post(r, &(struct event_copy){.kind = kind, .index = index, .ok = ok, .at_ns = at_ns}, text);
}

void run_post_check(struct run *r, size_t step, bool ok, bool refused, const char *text)
{
    post(r,
         &(struct event_copy){.kind = EVENT_CHECKED, .index = step, .ok = ok, .refused = refused},
         text);
}

void run_post_refused(struct run *r, size_t injection, const char *text)
{
    post(r, &(struct event_copy){.kind = EVENT_PREPARED, .index = injection, .refused = true},
         text);
}

void run_post_role(struct run *r, size_t role, uint64_t holders, int64_t asked_ns)
{
    post(r,
         &(struct event_copy){
             .kind = EVENT_ROLE, .index = role, .holders = holders, .at_ns = asked_ns},
         NULL);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    run_post(ctx, EVENT_TICK, 0, true, 0, NULL);
}

static void on_signal(evutil_socket_t fd, short what, void *ctx)
{
    struct run *r = ctx;
    (void)fd;
    (void)what;
    for (unsigned n = run_signal_take(); n > 0; n--)
        run_post(r, EVENT_INTERRUPT, 0, true, 0, NULL);
}

static void on_wait_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    *(bool *)ctx = true;
}

int run_wait(struct run *r, int limit_s, const char *what, struct err *err)
{
    bool late = false;
    struct timeval tv = {.tv_sec = limit_s}, poll_tv = {.tv_usec = 100000};
    struct event *timer = evtimer_new(r->base, on_wait_timer, &late);
    if (timer == NULL || evtimer_add(timer, &tv) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a timer");
    while (r->pending != 0 && !late && !r->failed && !run_signal_waiting(NULL)) {
        (void)event_base_loopexit(r->base, &poll_tv);
        if (event_base_loop(r->base, EVLOOP_ONCE) < 0)
            break;
    }
    event_free(timer);
    if (r->failed) {
        *err = r->why;
        return -1;
    }
    if (run_signal_waiting(NULL))
        return make_error(err, ERR_CANCELLED, 0, "stopped by the person");
    if (r->pending != 0)
        return make_error(err, ERR_TIMEOUT, 0, "%s were not ready after %d s", what, limit_s);
    return 0;
}

static int add_events(struct run *r, struct err *err)
{
    r->timer = evtimer_new(r->base, on_timer, r);
    r->signals = event_new(r->base, run_signal_fd(), EV_READ | EV_PERSIST, on_signal, r);
    if (r->timer == NULL || r->signals == NULL || event_add(r->signals, NULL) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for events");
    if (run_progress_start(r, err) < 0)
        return -1;
    return r->options->hold ? run_hold_open(r, err) : 0;
}

static int turn(struct run *r, struct err *err)
{
    if (add_events(r, err) < 0)
        return -1;
    if (run_next_first(r, err) < 0)
        return -1;
    r->started = true;
    run_post(r, EVENT_START, 0, true, 0, NULL);
    while (!r->ended) {
        if (event_base_dispatch(r->base) != 0)
            return make_error(err, ERR_SYSTEM, errno, "the event loop ended");
    }
    if (r->failed) {
        *err = r->why;
        return -1;
    }
    run_next_last(r);
    return 0;
}

/* A host that died took with it what was on it. */
static bool is_clean(const struct run *r)
{
    for (size_t h = 0; h < PLAN_HOSTS_MAX; h++)
        if (r->agents[h].touched && !r->agents[h].died && !r->lab_ended)
            return false;
    return true;
}

/* Somebody removed it under us: no report can say what became of the faults. */
static void check_folder(const char *dir, bool clean, struct err *err)
{
    char journal[PATH_MAX + 32];
    const struct err why = *err;
    (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, dir);
    if (access(journal, F_OK) == 0 || errno != ENOENT)
        return;
    bool there = access(dir, F_OK) == 0;
    (void)make_error(err, clean ? ERR_SYSTEM : ERR_DIRTY, 0,
                     "the run's folder %.200s has %s while it went on%s%.100s%s; %s", dir,
                     there ? "lost its journal" : "vanished", why.code != ERR_NONE ? " (" : "",
                     why.msg, why.code != ERR_NONE ? ")" : "",
                     clean ? "no fault is on any more, and the hosts are clean"
                           : "A HOST IS NOT CLEAN");
}

int run_execute(const struct run_options *options, struct err *err)
{
    struct err why = {0};
    struct run *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the run");
    r->options = options;
    r->scenario = options->scenario;
    r->fault_ns = -1;
    for (size_t i = 0; i < PLAN_ROLES_MAX; i++)
        r->role_holder[i] = SIZE_MAX;
    clock_start(&r->clock);
    int rc = run_signal_open(&why);
    if (rc == 0)
        rc = run_setup(r, &why);
    if (rc == 0)
        rc = turn(r, &why);
    if (rc < 0 && why.code == ERR_CANCELLED)
        run_record(r, "abort", json_pack("{s:s, s:s}", "why", "interrupt", "what", why.msg));
    bool clean = is_clean(r), begun = r->journal != NULL;
    run_teardown(r, &why);
    if (begun)
        check_folder(options->dir, clean, &why);
    run_signal_close();
    free(r);
    if (why.code == ERR_NONE)
        return 0;
    *err = why;
    return -1;
}
