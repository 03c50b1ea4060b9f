/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coordinator's side of one prober process (docs/prober-protocol.md), on libevent. There is one
 * prober per vantage; how it is started is the caller's (in a lab by lab_spawn in the vantage
 * host). Samples are handed on in the order in which they came, in batches; nothing is judged here.
 */
#ifndef BLACKSTART_RUN_PROBERLINK_H
#define BLACKSTART_RUN_PROBERLINK_H

#include "base/err.h"
#include "base/sample.h"
#include "scenario/scenario.h"

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct proberlink;

struct prober_endpoint {
    const char *name;
    char ip[INET_ADDRSTRLEN], ip6[INET6_ADDRSTRLEN]; /* empty: has none */
};

/* What its machine says of itself, since it started; -1: it does not. */
struct prober_machine {
    int64_t steal, ticks, pressure_us, load_milli;
};
/* What a prober counted in one trial. */
struct prober_health {
    int64_t late, gaps, sent, cpu_ns;
    int64_t until_ns; /* its schedule ended here */
    /* Its own null server's answers, from when they were due; -1: it has none. */
    int64_t null_n, null_late, null_p50_ns, null_p99_ns, null_max_ns;
    struct prober_machine begin, end; /* of the trial */
    const json_t *served; /* as the protocol has it, or NULL; borrowed, during the call */
};

struct proberlink_events {
    void (*samples)(void *ctx, const struct sample *samples, size_t n);
    void (*lost)(void *ctx, const struct err *why); /* once; not after proberlink_close */
    void *ctx;
};

/* Starts `blackstart-prober` with fds[0] as its descriptor 0 and fds[1] as its 1; the caller closes
 * neither. */
typedef int prober_spawn(void *ctx, const int *fds, size_t n_fds, pid_t *ret_pid, struct err *err);

/* result of a call: err is NULL when it went well. */
typedef void prober_done(void *ctx, const struct err *err);
typedef void prober_stopped(void *ctx, const struct prober_health *health, const struct err *err);
/* One result per endpoint, in the order asked. */
struct prober_answer {
    enum sample_result result;
    uint16_t status;
    int64_t took_ns;
};
typedef void prober_answered(void *ctx, const struct prober_answer *answers, size_t n,
                             const struct err *err);

int proberlink_open(struct event_base *base, prober_spawn *spawn, void *spawn_ctx,
                    const struct proberlink_events *events, struct proberlink **ret,
                    struct err *err) MUST_CHECK;

/* epoch: the CLOCK_MONOTONIC instant that the run counts from (clock.epoch). */
int proberlink_configure(struct proberlink *c, int64_t epoch_ns, uint64_t seed, prober_done *done,
                         void *ctx, struct err *err) MUST_CHECK;

/* Adds a probe; `index` is what its samples carry. Endpoints are copied. */
int proberlink_add(struct proberlink *c, uint16_t index, const struct scenario_probe *probe,
                   const struct prober_endpoint *endpoints, size_t n, prober_done *done, void *ctx,
                   struct err *err) MUST_CHECK;

/* Slots go on counting over the trials of a run. */
int proberlink_start(struct proberlink *c, uint32_t trial, prober_done *done, void *ctx,
                     struct err *err) MUST_CHECK;

/* No slot is due any more; done is called when every attempt under way has ended and every sample
 * has been delivered. */
int proberlink_stop(struct proberlink *c, prober_stopped *done, void *ctx,
                    struct err *err) MUST_CHECK;

/* One attempt at each endpoint now, outside of the schedule: roles. */
int proberlink_ask(struct proberlink *c, const struct scenario_probe *role,
                   const struct prober_endpoint *endpoints, size_t n, prober_answered *done,
                   void *ctx, struct err *err) MUST_CHECK;

pid_t proberlink_pid(const struct proberlink *c);

/* Closes the control stream, at which the prober ends. Calls under way are not answered. NULL is
 * allowed. */
void proberlink_close(struct proberlink *c);

#endif
