/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world in virtual time for tests of the engine: performs its actions with fixed delays, has
 * three hosts, one role and one probe, or more, and writes down what happened, one line each:
 *     [  110] apply i1 on n1
 */
#ifndef BLACKSTART_TESTS_ENGINE_WORLD_H
#define BLACKSTART_TESTS_ENGINE_WORLD_H

#include "base/buf.h"
#include "base/clock.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORLD_QUEUE_MAX = 4096, WORLD_END_MS = 600000 };

struct world_args {
    int64_t nothing;
};

struct world {
    struct scenario scenario;
    struct scenario_probe probes[4], roles[1];
    struct lab_spec lab;
    struct lab_host_spec hosts[4];
    struct selector leader, others;
    struct scenario_step steps[8];
    struct engine_options options;
    struct world_args args;

    /* What the world does. Times in ms; 0: never. */
    int64_t bad_from, bad_to; /* the probe is bad in between */
    struct {
        int64_t from, to;
    } also[4];        /* so are the others; or there, when it is a signal */
    uint64_t holders; /* of the role; changes to holders_later at later_ms */
    uint64_t holders_later;
    int64_t later_ms;
    size_t fail_prepare, fail_apply; /* 1-based injection number of the run */
    int64_t interrupt_ms, interrupt2_ms, go_on_ms, lose_ms, lapse_ms, die_ms;
    const char *interrupt_by; /* NULL: a person */
    int64_t silent_from;      /* no answer of the probe from then on */
    uint64_t refuses;         /* bit h: host h refuses what is prepared there */
    const char *check_fails;  /* what the check says then */
    bool check_breaks;        /* it cannot be run */
    size_t fail_task;         /* 1-based command of the runbook */
    size_t slow_apply;        /* this injection's takes 100 ms */
    int64_t revert_ms;        /* how long a revert takes, when it is not 2 ms */
    size_t last;              /* trial that may begin, when the engine asks */
    int64_t turn_ms;          /* how long that answer takes */
    size_t interrupt_at;      /* after so many events */
    bool log_all;

    /* What happened. */
    struct buf log;
    struct queued {
        struct event event;
        uint64_t order;
    } queue[WORLD_QUEUE_MAX];
    size_t n_queue, n_events;
    uint64_t order;
    int64_t now;
    size_t n_open_at_abort, n_ends, n_prepared, n_reverted, n_prepare_failed, n_lost;
    bool ended_ok, overflow;
    char failed_text[32], awaited[400];
};

static const struct fault world_fault = {
    .name = "test.fault", .lifetime = LIFETIME_KERNEL, .args_size = sizeof(struct world_args)};

static inline struct duration ms(int64_t n)
{
    return (struct duration){n * NS_PER_MS};
}

static inline void world_init(struct world *w)
{
    static const char *const names[] = {"n1", "n2", "n3", "client"};
    memset(w, 0, sizeof(*w));
    w->log = BUF_INIT(1 << 20);
    for (size_t i = 0; i < 4; i++)
        w->hosts[i].name = names[i];
    w->lab = (struct lab_spec){.name = "world", .hosts = w->hosts, .n_hosts = 4};
    w->leader = (struct selector){.kind = SELECT_ROLE, .word = "leader"};
    w->others = (struct selector){.kind = SELECT_ALL_BUT, .of = &w->leader};
    w->probes[0] = (struct scenario_probe){.name = "write", .every = ms(100)};
    w->roles[0] = (struct scenario_probe){.name = "leader"};
    w->scenario = (struct scenario){.name = "world",
                                    .lab = &w->lab,
                                    .probes = w->probes,
                                    .n_probes = 1,
                                    .roles = w->roles,
                                    .n_roles = 1,
                                    .steps = w->steps,
                                    .trials = 1,
                                    .deadline = ms(60000),
                                    .steady_for = ms(300),
                                    .steady_within = ms(2000),
                                    .stable_for = ms(300),
                                    .observe = ms(2000)};
    w->holders = 2; /* n2 */
    w->options = (struct engine_options){.trials = 1, .lease_ns = 3000 * NS_PER_MS};
}

static inline struct scenario_step *world_add(struct world *w, enum step_kind kind)
{
    struct scenario_step *s = &w->steps[w->scenario.n_steps++];
    s->kind = kind;
    if (kind == STEP_FAULT) {
        s->fault = &world_fault;
        s->args = &w->args;
        s->hosts = &w->leader;
    }
    return s;
}

static inline void world_send(struct world *w, int64_t after_ms, struct event event)
{
    if (w->n_queue == WORLD_QUEUE_MAX)
        abort();
    event.t = w->now + after_ms * NS_PER_MS;
    if (event.kind == EVENT_PROBE || event.kind == EVENT_APPLIED)
        event.at_ns = event.t;
    w->queue[w->n_queue++] = (struct queued){event, w->order++};
}

static inline void world_say(struct world *w, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline void world_say(struct world *w, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_printf(&w->log, "[%5lld] %s\n", (long long)(w->now / NS_PER_MS), text);
}

static inline void world_call(struct world *w, const struct engine *e, const struct action *a,
                              const char *verb, enum event_kind answer, size_t fails)
{
    const struct engine_injection *i = engine_injection(e, a->index);
    size_t number = (size_t)strtoul(i->id + 1, NULL, 10);
    bool refused = answer == EVENT_PREPARED && ((w->refuses >> i->host) & 1) != 0;
    bool ok = number != fails && !refused;
    world_say(w, "%s %s on %s", verb, i->id, w->hosts[i->host].name);
    int64_t took = answer == EVENT_REVERTED && w->revert_ms != 0        ? w->revert_ms
                   : answer == EVENT_APPLIED && number == w->slow_apply ? 100
                                                                        : 2;
    world_send(w, took,
               (struct event){.kind = answer,
                              .index = a->index,
                              .ok = ok,
                              .refused = refused,
                              .text = refused ? "may not" : "refused"});
    if (answer == EVENT_PREPARED && ok)
        w->n_prepared++;
    if (answer == EVENT_PREPARED && !ok)
        w->n_prepare_failed++;
}

static inline void world_tell_admission(struct world *w, const struct action *a)
{
    world_say(w, "admission %s%s%s%s%s%s%s", a->text, a->by != NULL ? " by " : "",
              a->by != NULL ? a->by : "", a->host < 4 ? " on " : "",
              a->host < 4 ? w->hosts[a->host].name : "", a->why[0] ? ": " : "", a->why);
}

/* What is only told. */
static inline void world_tell(struct world *w, const struct engine *e, const struct action *a)
{
    switch (a->kind) {
    case ACTION_TRIAL_START:
        world_say(w, "trial %zu%s", a->index, a->ok ? ", fault-free" : "");
        break;
    case ACTION_STATE:
        world_say(w, "state %s", engine_state_word((enum engine_state)a->index));
        if (a->why[0] != '\0')
            (void)snprintf(w->awaited, sizeof(w->awaited), "%s", a->why);
        break;
    case ACTION_STEADY:
        world_say(w, "steady %s%s", a->ok ? "held" : "not held: ", a->why);
        break;
    case ACTION_ROLE:
        world_say(w, "role %s: %s%s", a->text, a->host < 4 ? w->hosts[a->host].name : "nobody",
                  a->ok ? "" : ", not as it was");
        break;
    case ACTION_EVIDENCE:
        if (w->log_all)
            world_say(w, "evidence %s", engine_injection(e, a->index)->id);
        break;
    case ACTION_RENEW:
        world_say(w, "renew %s", w->hosts[a->index].name);
        break;
    case ACTION_ADMISSION:
        world_tell_admission(w, a);
        break;
    case ACTION_STEP:
        world_say(w, "step %zu %s%s%s", a->index + 1, a->text, a->why[0] ? ": " : "", a->why);
        break;
    case ACTION_ROLLOUT:
        world_say(w, "rollout %s %zu%s%s", a->text, a->host, a->why[0] ? ": " : "", a->why);
        break;
    case ACTION_HOLD_OVER:
        world_say(w, "hold over: %s", a->text);
        break;
    case ACTION_GUARD:
        world_say(w, "guard: %s", a->why);
        break;
    case ACTION_ABORT:
        world_say(w, "abort %s: %s", a->text, a->why);
        w->n_open_at_abort = a->index;
        break;
    case ACTION_TRIAL_END:
        world_say(w, "trial %zu %s", a->index, a->ok ? "done" : "aborted");
        break;
    case ACTION_END:
        world_say(w, "end%s", a->ok ? "" : ", aborted");
        w->n_ends++;
        w->ended_ok = a->ok;
        break;
    default:
        break;
    }
}

static inline void world_answer_role(struct world *w, const struct action *a)
{
    world_send(w, 3,
               (struct event){.kind = EVENT_ROLE,
                              .index = a->index,
                              .at_ns = w->now,
                              .holders = w->later_ms != 0 && w->now >= w->later_ms * NS_PER_MS
                                             ? w->holders_later
                                             : w->holders});
}

static inline void world_answer_task(struct world *w, const struct action *a)
{
    world_say(w, "task %zu %s%s%s", a->host + 1, a->text, a->why[0] ? ": " : "", a->why);
    if (strcmp(a->text, "run") == 0)
        world_send(w, 5,
                   (struct event){.kind = EVENT_RAN,
                                  .index = a->index,
                                  .ok = a->host + 1 != w->fail_task,
                                  .text = "exit status 1"});
}

static inline void world_perform(struct world *w, const struct engine *e, const struct action *a)
{
    switch (a->kind) {
    case ACTION_BASELINE:
        world_send(w, 1, (struct event){.kind = EVENT_BASELINE, .index = a->index, .ok = true});
        break;
    case ACTION_ASK_ROLE:
        world_answer_role(w, a);
        break;
    case ACTION_PREPARE:
        world_call(w, e, a, "prepare", EVENT_PREPARED, w->fail_prepare);
        break;
    case ACTION_APPLY:
        world_call(w, e, a, "apply", EVENT_APPLIED, w->fail_apply);
        break;
    case ACTION_REVERT:
        world_call(w, e, a, "revert", EVENT_REVERTED, 0);
        w->n_reverted++;
        break;
    case ACTION_RUN:
        world_say(w, "run step %zu", a->index + 1);
        world_send(w, 5, (struct event){.kind = EVENT_RAN, .index = a->index, .ok = true});
        break;
    case ACTION_CHECK:
        world_send(w, 10,
                   (struct event){.kind = EVENT_CHECKED,
                                  .index = a->index,
                                  .ok = w->check_fails == NULL,
                                  .refused = !w->check_breaks,
                                  .text = w->check_fails});
        break;
    case ACTION_HOLD:
        world_say(w, "hold");
        if (w->go_on_ms != 0)
            world_send(w, w->go_on_ms, (struct event){.kind = EVENT_GO_ON});
        break;
    case ACTION_CLEAN:
        world_say(w, "clean %s", w->hosts[a->index].name);
        world_send(w, 1, (struct event){.kind = EVENT_CLEAN, .index = a->index, .ok = true});
        break;
    case ACTION_DRAIN:
        world_send(w, 1, (struct event){.kind = EVENT_DRAINED});
        break;
    case ACTION_NEXT:
        world_say(w, "may trial %zu begin?", a->index);
        world_send(w, w->turn_ms, (struct event){.kind = EVENT_NEXT, .ok = a->index <= w->last});
        break;
    case ACTION_TASK:
        world_answer_task(w, a);
        break;
    default:
        world_tell(w, e, a);
        break;
    }
}

/* The next of what is queued and the engine's own deadline; false: nothing is left. */
static inline bool world_next(struct world *w, const struct engine *e, struct event *ret)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < w->n_queue; i++)
        if (best == SIZE_MAX || w->queue[i].event.t < w->queue[best].event.t ||
            (w->queue[i].event.t == w->queue[best].event.t &&
             w->queue[i].order < w->queue[best].order))
            best = i;
    int64_t deadline = engine_deadline(e);
    if (best == SIZE_MAX && deadline == INT64_MAX)
        return false;
    if (best == SIZE_MAX || deadline < w->queue[best].event.t) {
        *ret = (struct event){.kind = EVENT_TICK, .t = deadline};
        return true;
    }
    *ret = w->queue[best].event;
    w->queue[best] = w->queue[--w->n_queue];
    return true;
}

static inline bool world_is_good(const struct world *w, size_t probe, int64_t t)
{
    if (probe == 0)
        return w->bad_to == 0 || t < w->bad_from || t >= w->bad_to;
    bool in = t >= w->also[probe].from && t < w->also[probe].to;
    return in == w->probes[probe].signal;
}

static inline void world_feed(struct world *w, struct engine *e, struct actions *out,
                              const struct event *event)
{
    w->now = event->t > w->now ? event->t : w->now;
    out->n = 0;
    engine_step(e, event, out);
    w->overflow = w->overflow || out->overflow;
    for (size_t i = 0; i < out->n; i++)
        world_perform(w, e, &out->list[i]);
    w->n_events++;
    if (w->interrupt_at != 0 && w->n_events == w->interrupt_at)
        world_send(w, 0, (struct event){.kind = EVENT_INTERRUPT});
    bool silent = w->silent_from != 0 && w->now >= w->silent_from * NS_PER_MS;
    if (event->kind == EVENT_PROBE && !silent) {
        int64_t t = w->now / NS_PER_MS + 100;
        bool good = world_is_good(w, event->index, t);
        world_send(w, 100,
                   (struct event){.kind = EVENT_PROBE,
                                  .index = event->index,
                                  .ok = good,
                                  .text = good ? NULL : "refused"});
    }
}

static inline void world_run(struct world *w)
{
    static struct actions out;
    struct plan *plan = NULL;
    struct engine *e = NULL;
    struct err err;
    if (plan_build(&w->scenario, 7, &plan, &err) < 0 ||
        engine_new(plan, &w->options, &e, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        plan_free(plan);
        return;
    }
    world_send(w, 0, (struct event){.kind = EVENT_START});
    for (size_t i = 0; i < w->scenario.n_probes; i++)
        world_send(w, 50,
                   (struct event){.kind = EVENT_PROBE, .index = i, .ok = world_is_good(w, i, 50)});
    if (w->interrupt_ms != 0)
        world_send(w, w->interrupt_ms,
                   (struct event){.kind = EVENT_INTERRUPT, .text = w->interrupt_by});
    if (w->interrupt2_ms != 0)
        world_send(w, w->interrupt2_ms, (struct event){.kind = EVENT_INTERRUPT});
    if (w->lose_ms != 0)
        world_send(w, w->lose_ms,
                   (struct event){.kind = EVENT_AGENT_LOST, .index = 1, .text = "link closed"});
    if (w->die_ms != 0)
        world_send(w, w->die_ms, (struct event){.kind = EVENT_HOST_DIED, .index = 1});
    if (w->lapse_ms != 0)
        world_send(w, w->lapse_ms, (struct event){.kind = EVENT_LAPSED, .index = 0});
    struct event event;
    while (w->n_ends == 0 && w->now < WORLD_END_MS * NS_PER_MS && world_next(w, e, &event))
        world_feed(w, e, &out, &event);
    engine_free(e);
    plan_free(plan);
}

#endif
