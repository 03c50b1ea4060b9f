/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/runner.h"

#include "base/clock.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct runner {
    struct runner_spec spec;
    struct load_place place;
    struct model *model;
    struct load_tally total; /* of this trial's seconds that are over */
    struct load_tally sum;   /* and of the one that is not */
    void *clients[LOAD_USERS_MAX];
    struct event *due, *tick;
    int64_t from_ns; /* the second under way */
    bool runs, in_turn, begun;
    char failure[ERR_MSG_MAX];
};

static int64_t now_ns(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

static void arm(struct runner *r)
{
    int64_t next = model_next(r->model);
    if (next == INT64_MAX) {
        (void)evtimer_del(r->due);
        return;
    }
    int64_t left = next - now_ns();
    left = left > 0 ? left : 0;
    struct timeval tv = {.tv_sec = (time_t)(left / NS_PER_SEC),
                         .tv_usec = (suseconds_t)((left % NS_PER_SEC + 999) / NS_PER_US)};
    (void)evtimer_add(r->due, &tv);
}

static void *client_of(struct runner *r, size_t user)
{
    struct err err;
    if (r->clients[user] == NULL &&
        r->spec.kind->ops->open(&r->place, user, &r->clients[user], &err) != 0) {
        (void)snprintf(r->failure, sizeof(r->failure), "%s", err.msg);
        r->clients[user] = NULL;
    }
    return r->clients[user];
}

/* All that is due. What is answered meanwhile is only counted: the next round sees it. */
static void turn(struct runner *r)
{
    if (r->in_turn)
        return;
    r->in_turn = true;
    for (;;) {
        struct model_task task = model_take(r->model, now_ns());
        if (task.what == MODEL_NOTHING)
            break;
        void *client = client_of(r, task.user);
        if (task.what == MODEL_CANCEL && client != NULL)
            r->spec.kind->ops->cancel(client);
        else if (task.what == MODEL_SEND && client != NULL)
            r->spec.kind->ops->send(client, task.id, task.turn % r->spec.n_hosts);
        else if (task.what == MODEL_SEND)
            model_done(r->model, task.user, LOAD_REFUSED, now_ns());
    }
    r->in_turn = false;
    arm(r);
}

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    turn(ctx);
}

static void on_answer(void *ctx, size_t user, enum load_outcome outcome)
{
    struct runner *r = ctx;
    model_done(r->model, user, outcome, now_ns());
    turn(r);
}

static void second_end(struct runner *r, int64_t now)
{
    struct load_tally *tally = model_tally(r->model);
    if (now > r->from_ns)
        r->spec.second(r->spec.ctx, r->from_ns, now, tally);
    load_tally_add(&r->total, tally);
    memset(tally, 0, sizeof(*tally));
    r->from_ns = now;
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    second_end(ctx, now_ns());
}

int runner_new(struct event_base *base, const struct runner_spec *spec, struct runner **ret,
               struct err *err)
{
    struct runner *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    r->spec = *spec;
    r->place = (struct load_place){.base = base,
                                   .args = spec->args,
                                   .hosts = spec->hosts,
                                   .n_hosts = spec->n_hosts,
                                   .fresh = spec->fresh,
                                   .answered = on_answer,
                                   .ctx = r};
    r->due = evtimer_new(base, on_due, r);
    r->tick = event_new(base, -1, EV_PERSIST, on_tick, r);
    int rc = r->due != NULL && r->tick != NULL ? 0 : make_error(err, ERR_SYSTEM, ENOMEM, "load");
    if (rc == 0)
        rc = model_new(&spec->shape, spec->seed, &r->model, err);
    if (rc == 0 && spec->kind->ops->begin != NULL)
        rc = spec->kind->ops->begin(&r->place, err);
    if (rc != 0) {
        runner_free(r);
        return -1;
    }
    r->begun = true;
    *ret = r;
    return 0;
}

void runner_free(struct runner *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < LOAD_USERS_MAX; i++)
        if (r->clients[i] != NULL)
            r->spec.kind->ops->close(r->clients[i]);
    if (r->begun && r->spec.kind->ops->end != NULL)
        r->spec.kind->ops->end(&r->place);
    model_free(r->model);
    if (r->due != NULL)
        event_free(r->due);
    if (r->tick != NULL)
        event_free(r->tick);
    free(r);
}

void runner_start(struct runner *r)
{
    static const struct timeval second = {.tv_sec = 1};
    r->from_ns = now_ns();
    r->runs = true;
    memset(&r->total, 0, sizeof(r->total));
    model_start(r->model, r->from_ns);
    (void)event_add(r->tick, &second);
    turn(r);
}

void runner_stop(struct runner *r)
{
    bool sent[LOAD_USERS_MAX];
    if (!r->runs)
        return;
    r->runs = false;
    (void)event_del(r->tick);
    for (size_t i = 0; i < LOAD_USERS_MAX; i++)
        sent[i] = model_is_sent(r->model, i);
    model_stop(r->model);
    for (size_t i = 0; i < LOAD_USERS_MAX; i++)
        if (sent[i] && r->clients[i] != NULL)
            r->spec.kind->ops->cancel(r->clients[i]);
    second_end(r, now_ns());
    arm(r);
}

bool runner_runs(const struct runner *r)
{
    return r->runs;
}

void runner_change(struct runner *r, const struct load_shape *shape)
{
    int64_t now = now_ns();
    if (r->runs)
        second_end(r, now);
    model_change(r->model, shape, now);
    turn(r);
}

const struct load_tally *runner_total(struct runner *r)
{
    memcpy(&r->sum, &r->total, sizeof(r->sum));
    load_tally_add(&r->sum, model_tally(r->model));
    return &r->sum;
}

struct model *runner_model(struct runner *r)
{
    return r->model;
}

const char *runner_failure(const struct runner *r)
{
    return r->failure[0] != '\0' ? r->failure : NULL;
}
