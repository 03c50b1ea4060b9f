/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loads: a process for each (docs/load-protocol.md), spoken to as agents are. What each counted
 * goes into the journal second by second. */
#include "base/cleanup.h"
#include "run/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct run_load {
    struct run *run;
    const struct scenario_load *of;
    struct agentlink *link;
    bool lost, closing;
};

/* A call about an injection, whose answer goes to `done` as an agent's would. */
struct load_call {
    struct run_load *load;
    agentlink_done *done;
    struct run_call *call;
    size_t index;
};

static void fail(struct run_load *l, const struct err *why)
{
    if (!l->closing && !run_lab_ended(l->run)) /* else that is why */
        run_break(l->run, why);
}

static void on_lost(void *ctx, const struct err *why)
{
    struct run_load *l = ctx;
    struct err err;
    (void)why;
    (void)make_error(&err, ERR_SYSTEM, 0, "load %s: its process has ended", l->of->name);
    if (!l->lost)
        fail(l, &err);
    l->lost = true;
}

static void on_notice(void *ctx, const char *method, const json_t *params)
{
    struct run_load *l = ctx;
    if (strcmp(method, "second") != 0 || !json_is_object(params))
        return;
    run_record(l->run, "load",
               json_pack("{s:s, s:o}", "load", l->of->name, "second", json_deep_copy(params)));
}

static void on_configured(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                          int64_t got_ns)
{
    struct run_load *l = ctx;
    (void)sent_ns;
    (void)got_ns;
    if (result == NULL)
        fail(l, err);
    if (l->run->pending > 0)
        l->run->pending--;
}

static void on_started(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                       int64_t got_ns)
{
    (void)sent_ns;
    (void)got_ns;
    if (result == NULL)
        fail(ctx, err);
}

static void drained_one(struct run *r)
{
    if (r->loads_waiting > 0 && --r->loads_waiting == 0)
        run_ledgers_drain(r);
}

static void on_stopped(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                       int64_t got_ns)
{
    struct run_load *l = ctx;
    (void)sent_ns;
    (void)got_ns;
    if (result == NULL)
        fail(l, err);
    drained_one(l->run);
}

static int spawn(struct run_load *l, struct err *err)
{
    struct run *r = l->run;
    char program[PATH_MAX + 32], who[NAME_MAX_LEN + 8];
    int ends[2];
    pid_t pid = -1;
    (void)snprintf(program, sizeof(program), "%s/blackstart-load", r->exe_dir);
    (void)snprintf(who, sizeof(who), "load %s", l->of->name);
    const char *const argv[] = {program, NULL};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return make_error(err, ERR_SYSTEM, errno, "its control stream");
    CLEANUP_FD int ours = ends[0];
    CLEANUP_FD int theirs = ends[1];
    const struct agentlink_events events = {.lost = on_lost, .notice = on_notice, .ctx = l};
    if (lab_spawn(r->lab, l->of->from, argv, &theirs, 1, &pid, err) < 0 ||
        agentlink_open(r->base, ours, who, &events, &l->link, err) != 0)
        return -1;
    (void)steal_fd(&ours);
    return 0;
}

static json_t *hosts_json(struct run *r, const struct scenario_load *of, struct err *err)
{
    struct prober_endpoint hosts[PLAN_HOSTS_MAX];
    size_t indices[PLAN_HOSTS_MAX];
    size_t n = run_endpoints(r, of->hosts, indices, hosts, err);
    if (n == 0)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", hosts[i].name, "ip",
                                                    hosts[i].ip, "ip6", hosts[i].ip6));
    return list;
}

static json_t *shape_json(const struct load_shape *s)
{
    return params_encode(load_shape_params, load_n_shape_params, s);
}

/* Each load draws by itself. */
static json_int_t seed_of(const struct run *r, const struct run_load *l)
{
    uint64_t seed = r->options->seed + (uint64_t)(l - r->loads) * UINT64_C(0x9e3779b97f4a7c15);
    return (json_int_t)(seed >> 1);
}

static int configure(struct run_load *l, struct err *err)
{
    struct run *r = l->run;
    const struct scenario_load *of = l->of;
    json_t *hosts = hosts_json(r, of, err);
    if (hosts == NULL)
        return -1;
    json_t *params = json_pack(
        "{s:s, s:s, s:I, s:b, s:I, s:I, s:o, s:o, s:o}", "kind", of->kind->name, "name", of->name,
        "port", (json_int_t)of->port, "fresh", of->fresh, "epoch_ns", (json_int_t)r->clock.epoch,
        "seed", seed_of(r, l), "shape", shape_json(&of->shape), "hosts", hosts, "args",
        params_encode(of->kind->params, of->kind->n_params, of->args));
    if (params == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    r->pending++;
    agentlink_call(l->link, "configure", params, RUN_CALL_NS, on_configured, l);
    return 0;
}

static json_t *load_json(const struct scenario_load *of)
{
    char model[400];
    return json_pack("{s:s, s:s, s:s, s:I, s:s, s:o}", "name", of->name, "kind", of->kind->name,
                     "from", of->from, "port", (json_int_t)of->port, "model",
                     load_shape_text(&of->shape, model, sizeof(model)), "shape",
                     shape_json(&of->shape));
}

int run_loads_start(struct run *r, struct err *err)
{
    if (r->scenario->n_loads == 0)
        return 0;
    r->loads = calloc(r->scenario->n_loads, sizeof(*r->loads));
    if (r->loads == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for loads");
    json_t *list = json_array();
    for (size_t i = 0; i < r->scenario->n_loads; i++) {
        struct run_load *l = &r->loads[r->n_loads++];
        *l = (struct run_load){.run = r, .of = &r->scenario->loads[i]};
        (void)json_array_append_new(list, load_json(l->of));
        if (spawn(l, err) != 0 || configure(l, err) != 0) {
            json_decref(list);
            return wrap_error(err, "load %s", l->of->name);
        }
    }
    run_record(r, "loads", json_pack("{s:o}", "list", list));
    return run_wait(r, RUN_SETUP_S, "the loads", err);
}

void run_loads_stop(struct run *r)
{
    for (size_t i = 0; i < r->n_loads; i++) {
        r->loads[i].closing = true;
        agentlink_close(r->loads[i].link);
    }
    free(r->loads);
    r->loads = NULL;
    r->n_loads = 0;
}

void run_loads_begin_trial(struct run *r, uint32_t trial)
{
    for (size_t i = 0; i < r->n_loads; i++)
        agentlink_call(r->loads[i].link, "start", json_pack("{s:I}", "trial", (json_int_t)trial),
                       RUN_CALL_NS, on_started, &r->loads[i]);
}

void run_loads_drain(struct run *r)
{
    r->loads_waiting = r->n_loads + 1;
    for (size_t i = 0; i < r->n_loads; i++)
        agentlink_call(r->loads[i].link, "stop", json_object(), RUN_CALL_NS, on_stopped,
                       &r->loads[i]);
    drained_one(r);
}

/* One that cannot be told any more has ended, and its change with it. */
static void on_answer(void *ctx, const json_t *result, const struct err *err, int64_t sent_ns,
                      int64_t got_ns)
{
    struct load_call *c = ctx;
    struct run *r = c->load->run;
    if (result == NULL)
        fail(c->load, err);
    if (result != NULL || !c->load->closing)
        c->done(c->call, result, err, sent_ns, got_ns);
    else
        free(c->call);
    if (result == NULL && !c->load->closing)
        run_post(r, EVENT_REVERTED, c->index, false, 0, err->msg);
    free(c);
}

static struct run_load *load_of(struct run *r, const struct scenario_load *of)
{
    size_t i = 0;
    while (r->loads[i].of != of)
        i++;
    return &r->loads[i];
}

void run_load_call(struct run *r, size_t injection, const char *method, json_t *params,
                   agentlink_done *done)
{
    const struct engine_injection *i = engine_injection(r->engine, injection);
    struct load_call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        abort(); /* as run_call_new */
    *c = (struct load_call){.load = load_of(r, r->plan->steps[i->step].step->load),
                            .done = done,
                            .call = run_call_new(r, injection, i->id),
                            .index = injection};
    agentlink_call(c->load->link, method, params, RUN_CALL_NS, on_answer, c);
}
