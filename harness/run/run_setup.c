/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands before the first trial, and how it is all taken away. */
#include "lab/place.h"
#include "run/run_parts.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

uint64_t run_draw_seed(void)
{
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        seed = (uint64_t)clock_system(CLOCK_REALTIME);
    return seed >> 11; /* a JSON number holds 53 bits exactly */
}

static void on_progress(void *ctx, const char *text)
{
    run_say(ctx, "%s", text);
}

/* The run's id is part of the name of all that is made; the time makes it readable, the rest
 * unique. */
static int name_run(struct run *r, struct err *err)
{
    char base[PATH_MAX - RUN_ID_MAX - 2];
    uint64_t unique = run_draw_seed();
    (void)snprintf(r->id, sizeof(r->id), "r%x-%05x", (unsigned)getpid(),
                   (unsigned)(unique & 0xfffff));
    if (place_programs(r->exe_dir, sizeof(r->exe_dir), err) < 0 ||
        lab_base_dir(base, sizeof(base), err) < 0)
        return -1;
    (void)snprintf(r->state_dir, sizeof(r->state_dir), "%s/%s", base, r->id);
    size_t swept = 0;
    struct err ignored;
    if (lab_sweep(base, &swept, &ignored) == 0 && swept != 0)
        run_say(r, "cleared away what %zu dead lab%s left", swept, swept == 1 ? "" : "s");
    return 0;
}

static json_t *host_json(const struct lab_host_info *info, const struct plan_host *host)
{
    json_t *addrs = json_array(), *labels = json_array();
    for (size_t i = 0; i < 2; i++) {
        char text[64];
        if (info->addrs[i].family == 0)
            continue;
        (void)addr_print(&info->addrs[i], text, sizeof(text));
        (void)json_array_append_new(addrs, json_string(text));
    }
    for (size_t i = 0; i < host->n_labels; i++)
        (void)json_array_append_new(labels, json_string(host->labels[i]));
    return json_pack("{s:s, s:o, s:o}", "name", info->name, "addrs", addrs, "labels", labels);
}

static int take_hosts(struct run *r, int64_t took, struct err *err)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < lab_n_hosts(r->lab); i++) {
        const struct lab_host_info *info = lab_host(r->lab, i);
        size_t h = plan_host_index(r->plan, info->name);
        if (h == r->plan->n_hosts) {
            json_decref(hosts);
            return make_error(err, ERR_PROTOCOL, 0, "the lab has a host %s that the plan has not",
                              info->name);
        }
        struct addr addrs[2];
        size_t n = 0;
        for (size_t k = 0; k < 2; k++)
            if (info->addrs[k].family != 0) {
                addrs[n] = info->addrs[k];
                addrs[n++].prefix = info->addrs[k].family == 4 ? 32 : 128;
            }
        plan_set_addrs(r->plan, h, addrs, n);
        (void)json_array_append_new(hosts, host_json(info, &r->plan->hosts[h]));
    }
    run_record(r, "lab.up",
               json_pack("{s:o, s:I, s:s}", "hosts", hosts, "took_ns", (json_int_t)took, "packages",
                         lab_packages(r->lab)));
    return 0;
}

static json_t *trapped_json(const struct run *r)
{
    json_t *names = json_array();
    for (size_t i = 0; i < r->scenario->lab->n_services; i++)
        if (lab_service_is_trapped(r->lab, i))
            (void)json_array_append_new(names, json_string(r->scenario->lab->services[i].name));
    return names;
}

static int start_lab(struct run *r, struct err *err)
{
    struct lab_options options = {.id = r->id,
                                  .state_dir = r->state_dir,
                                  .progress = on_progress,
                                  .progress_ctx = r,
                                  .cancelled = run_signal_waiting};
    int64_t began = run_now(r);
    if (lab_up(r->scenario->lab, &options, &r->lab, err) < 0)
        return -1;
    int64_t up = run_now(r);
    if (take_hosts(r, up - began, err) < 0)
        return -1;
    if (lab_start_services(r->lab, err) < 0)
        return -1;
    int64_t ready = run_now(r);
    run_record(
        r, "services.ready",
        json_pack("{s:I, s:o}", "took_ns", (json_int_t)(ready - up), "trapped", trapped_json(r)));
    if (r->scenario->lab->n_services != 0)
        run_say(r, "services ready after %.1f s", (double)(ready - up) / 1e9);
    return 0;
}

static int make_engine(struct run *r, struct err *err)
{
    struct engine_options options = {.no_fault = r->options->no_fault,
                                     .hold = r->options->hold,
                                     .ask = r->options->another != NULL || r->options->takes_turns,
                                     .trials = r->options->trials,
                                     .lease_ns = RUN_LEASE_S * NS_PER_SEC,
                                     .hold_limit_ns = RUN_HOLD_MIN * 60 * NS_PER_SEC};
    r->actions = calloc(1, sizeof(*r->actions));
    r->queue = calloc(RUN_EVENTS_MAX, sizeof(*r->queue));
    if (r->actions == NULL || r->queue == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the run");
    return engine_new(r->plan, &options, &r->engine, err);
}

int run_setup(struct run *r, struct err *err)
{
    if (plan_build(r->scenario, r->options->seed, &r->plan, err) < 0 || make_engine(r, err) < 0 ||
        name_run(r, err) < 0 || journal_create(r->options->dir, &r->clock, &r->journal, err) < 0 ||
        run_record_start(r, err) < 0)
        return -1;
    r->base = event_base_new();
    if (r->base == NULL)
        return make_error(err, ERR_SYSTEM, errno, "make an event loop");
    if (start_lab(r, err) < 0 || run_watch_start(r, err) < 0 || run_agents_start(r, err) < 0 ||
        run_probes_start(r, err) < 0 || run_ledgers_start(r, err) < 0 ||
        run_loads_start(r, err) < 0)
        return -1;
    return 0;
}

static void take_lab_down(struct run *r, struct err *err)
{
    struct err why;
    if (r->lab == NULL)
        return;
    run_logs_collect(r);
    if (lab_down(r->lab, &why) < 0 && err->code == ERR_NONE)
        *err = why;
    lab_free(r->lab);
    r->lab = NULL;
    run_say(r, "lab down");
}

void run_teardown(struct run *r, struct err *err)
{
    if (r->base != NULL) {
        run_steps_stop(r);
        run_ledgers_stop(r);
        run_loads_stop(r);
        run_probes_stop(r);
        run_agents_stop(r);
        run_watch_stop(r);
    }
    take_lab_down(r, err);
    run_logs_free(r);
    r->unwritten = false; /* what happened is said now, whatever broke before */
    if (err->code == ERR_NONE)
        run_record(r, "run.end", json_pack("{s:b}", "aborted", r->aborted));
    else
        run_record(r, "run.end", json_pack("{s:b, s:s}", "aborted", true, "error", err->msg));
    struct err ignored;
    if (r->journal != NULL && journal_sync(r->journal, &ignored) < 0 && err->code == ERR_NONE)
        *err = ignored;
    journal_close(r->journal);
    struct event *events[] = {r->timer, r->signals, r->keys, r->drain_timer, r->progress, r->turn};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (r->base != NULL)
        event_base_free(r->base);
    engine_free(r->engine);
    plan_free(r->plan);
    for (size_t i = 0; i < PLAN_STEPS_MAX; i++)
        free(r->step_output[i]);
    free(r->actions);
    free(r->queue);
}
