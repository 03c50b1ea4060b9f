/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A prober's process and the coordinator's end of its streams, in a network namespace of the test's
 * own whose loopback device is up. One per program.
 */
#ifndef BLACKSTART_TESTS_PROBER_RIG_H
#define BLACKSTART_TESTS_PROBER_RIG_H

#include "base/clock.h"
#include "check.h"
#include "prober_process.h"
#include "run/proberlink.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIG_SAMPLES = 1 << 17 };

static struct {
    struct event_base *base;
    struct proberlink *client;
    pid_t prober;
    bool waiting, lost;
    struct prober_answer answer;
    struct prober_health health;
    struct sample samples[RIG_SAMPLES];
    size_t n_samples;
} rig;

static inline int rig_start_process(void *ctx, const int *fds, size_t n, pid_t *ret_pid,
                                    struct err *err)
{
    int rc = prober_process_start(ctx, fds, n, ret_pid, err);
    if (rc == 0)
        rig.prober = *ret_pid;
    return rc;
}

static inline void rig_answered(void)
{
    rig.waiting = false;
    (void)event_base_loopbreak(rig.base);
}

static inline void rig_on_samples(void *ctx, const struct sample *samples, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n && rig.n_samples < RIG_SAMPLES; i++)
        rig.samples[rig.n_samples++] = samples[i];
}

static inline void rig_on_lost(void *ctx, const struct err *why)
{
    (void)ctx;
    (void)why;
    rig.lost = true;
    rig_answered();
}

static inline void rig_on_done(void *ctx, const struct err *why)
{
    (void)ctx;
    CU_ASSERT_PTR_NULL(why);
    rig_answered();
}

static inline void rig_on_stopped(void *ctx, const struct prober_health *health,
                                  const struct err *why)
{
    rig_on_done(ctx, why);
    if (health != NULL)
        rig.health = *health;
}

static inline void rig_on_answered(void *ctx, const struct prober_answer *answers, size_t n,
                                   const struct err *why)
{
    rig_on_done(ctx, why);
    if (n == 1)
        rig.answer = answers[0];
}

static inline void rig_wait(void)
{
    rig.waiting = true;
    while (rig.waiting)
        CU_ASSERT_EQUAL_FATAL(event_base_dispatch(rig.base), 0);
}

static inline void rig_loop_for(int ms)
{
    struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)event_base_loopexit(rig.base, &t);
    (void)event_base_dispatch(rig.base);
}

static inline void rig_network(void)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(own_network(&err), 0);
}

/* A prober that `spawn` starts. */
static inline void rig_open_by(int (*spawn)(void *ctx, const int *fds, size_t n, pid_t *ret_pid,
                                            struct err *err),
                               void *ctx)
{
    struct err err;
    memset(&rig, 0, sizeof(rig));
    rig.base = event_base_new();
    struct proberlink_events events = {.samples = rig_on_samples, .lost = rig_on_lost};
    CU_ASSERT_EQUAL_FATAL(proberlink_open(rig.base, spawn, ctx, &events, &rig.client, &err), 0);
    CU_ASSERT_EQUAL_FATAL(proberlink_configure(rig.client, 0, 7, rig_on_done, NULL, &err), 0);
    rig_wait();
}

static inline void rig_open(void)
{
    rig_open_by(rig_start_process, NULL);
}

static inline void rig_close(void)
{
    int status = -1;
    proberlink_close(rig.client);
    if (rig.prober > 0) { /* a child of ours */
        CU_ASSERT_EQUAL(waitpid(rig.prober, &status, 0), rig.prober);
        CU_ASSERT_EQUAL(status, 0);
    }
    event_base_free(rig.base);
}

/* Steals args. */
static inline void rig_probe(struct scenario_probe *p, const char *kind, json_t *args)
{
    struct err err = {.msg = ""};
    *p = (struct scenario_probe){.name = "p",
                                 .kind = probe_kind_find(kind),
                                 .every = {20 * NS_PER_MS},
                                 .timeout = {500 * NS_PER_MS},
                                 .fresh = true,
                                 .expect = {.body = "^pong$", .latency = {200 * NS_PER_MS}}};
    void *room = calloc(1, p->kind->args_size);
    CU_ASSERT_EQUAL(
        params_decode(p->kind->params, p->kind->n_params, args, room, p->kind->args_size, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    p->args = room;
    json_decref(args);
}

static inline void rig_probe_free(struct scenario_probe *p)
{
    free((void *)(uintptr_t)p->args);
}

static inline void rig_add(uint16_t index, const struct scenario_probe *p,
                           const struct prober_endpoint *at, size_t n)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(proberlink_add(rig.client, index, p, at, n, rig_on_done, NULL, &err), 0);
    rig_wait();
}

static inline void rig_start(uint32_t trial)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(proberlink_start(rig.client, trial, rig_on_done, NULL, &err), 0);
    rig_wait();
}

static inline void rig_stop(void)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(proberlink_stop(rig.client, rig_on_stopped, NULL, &err), 0);
    rig_wait();
}

static inline void rig_ask(const struct scenario_probe *p, const struct prober_endpoint *at)
{
    struct err err;
    rig.answer = (struct prober_answer){.result = SAMPLE_GAP};
    CU_ASSERT_EQUAL_FATAL(proberlink_ask(rig.client, p, at, 1, rig_on_answered, NULL, &err), 0);
    rig_wait();
}

#endif
