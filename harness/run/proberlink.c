/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/proberlink.h"

#include "base/cleanup.h"
#include "base/frame.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_MAX = 8 << 20, BATCH = 1024, PIPE_SIZE = 1 << 20 };

/* A call that has no answer yet; exactly one of the three is set. */
struct call {
    int64_t id;
    prober_done *done;
    prober_stopped *stopped;
    prober_answered *answered;
    size_t asked; /* endpoints of a question */
    void *ctx;
    struct call *next;
};

struct proberlink {
    struct event_base *base;
    struct proberlink_events events;
    pid_t pid;
    int control_fd, samples_fd;
    struct event *control_in, *control_out, *samples_in;
    struct frame_reader in;
    struct buf out;
    struct call *calls;
    int64_t next_id;
    struct sample batch[BATCH];
    size_t batch_bytes;
    bool lost;
    unsigned inside; /* a callback is running: closing waits for it */
    bool closing;
};

static void client_free(struct proberlink *c)
{
    if (c->control_in != NULL)
        event_free(c->control_in);
    if (c->control_out != NULL)
        event_free(c->control_out);
    if (c->samples_in != NULL)
        event_free(c->samples_in);
    cleanup_fd_at(&c->control_fd);
    cleanup_fd_at(&c->samples_fd);
    while (c->calls != NULL) {
        struct call *next = c->calls->next;
        free(c->calls);
        c->calls = next;
    }
    frame_reader_free(&c->in);
    buf_free(&c->out);
    free(c);
}

static void call_finish(struct call *call, const json_t *result, const struct err *why);

static void lose(struct proberlink *c, const struct err *why)
{
    if (c->lost)
        return;
    c->lost = true;
    (void)event_del(c->control_in);
    (void)event_del(c->control_out);
    (void)event_del(c->samples_in);
    while (c->calls != NULL && !c->closing) {
        struct call *call = c->calls;
        c->calls = call->next;
        call_finish(call, NULL, why);
        free(call);
    }
    if (c->events.lost != NULL && !c->closing)
        c->events.lost(c->events.ctx, why);
}

static void leave(struct proberlink *c)
{
    if (--c->inside == 0 && c->closing)
        client_free(c);
}

/* Whole records of what has come; the rest waits at the front. */
static void batch_deliver(struct proberlink *c)
{
    size_t n = c->batch_bytes / sizeof(struct sample);
    if (n != 0 && c->events.samples != NULL && !c->closing)
        c->events.samples(c->events.ctx, c->batch, n);
    size_t rest = c->batch_bytes % sizeof(struct sample);
    memmove(c->batch, &c->batch[n], rest);
    c->batch_bytes = rest;
}

/* Everything that the pipe holds now; false when it has ended. */
static bool samples_drain(struct proberlink *c)
{
    for (;;) {
        ssize_t n = read(c->samples_fd, (char *)c->batch + c->batch_bytes,
                         sizeof(c->batch) - c->batch_bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN;
        if (n == 0)
            return false;
        c->batch_bytes += (size_t)n;
        batch_deliver(c);
        if (c->closing)
            return true;
    }
}

static void on_samples(evutil_socket_t fd, short what, void *ctx)
{
    struct proberlink *c = ctx;
    struct err err;
    (void)fd;
    (void)what;
    c->inside++;
    if (!samples_drain(c)) {
        (void)make_error(&err, ERR_SYSTEM, 0, "the prober has ended");
        lose(c, &err);
    }
    leave(c);
}

static int64_t number(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

static struct prober_machine machine_take(const json_t *object)
{
    return (struct prober_machine){.steal = number(object, "steal"),
                                   .ticks = number(object, "ticks"),
                                   .pressure_us = number(object, "pressure_us"),
                                   .load_milli = number(object, "load_milli")};
}

static void finish_stopped(struct call *call, const json_t *result)
{
    json_int_t late = 0, gaps = 0, sent = 0, cpu = 0, until = 0;
    struct err err;
    if (json_unpack((json_t *)(uintptr_t)result, "{s:I, s:I, s:I, s:I, s:I}", "late", &late, "gaps",
                    &gaps, "sent", &sent, "cpu_ns", &cpu, "until_ns", &until) != 0) {
        (void)make_error(&err, ERR_PROTOCOL, 0, "the prober's counts are malformed");
        call->stopped(call->ctx, NULL, &err);
        return;
    }
    const json_t *null = json_object_get(result, "null");
    struct prober_health health = {.late = late,
                                   .gaps = gaps,
                                   .sent = sent,
                                   .cpu_ns = cpu,
                                   .until_ns = until,
                                   .null_n = number(null, "n"),
                                   .null_late = number(null, "late"),
                                   .null_p50_ns = number(null, "p50_ns"),
                                   .null_p99_ns = number(null, "p99_ns"),
                                   .null_max_ns = number(null, "max_ns"),
                                   .begin = machine_take(json_object_get(result, "begin")),
                                   .end = machine_take(json_object_get(result, "end")),
                                   .served = json_object_get(result, "served")};
    call->stopped(call->ctx, &health, NULL);
}

static void finish_answered(struct call *call, const json_t *result)
{
    const json_t *list = json_object_get(result, "answers");
    size_t n = json_array_size(list);
    CLEANUP_FREE struct prober_answer *answers = calloc(n + 1, sizeof(*answers));
    struct err err;
    for (size_t i = 0; answers != NULL && i < n; i++) {
        const json_t *item = json_array_get(list, i);
        json_int_t word = json_integer_value(json_object_get(item, "result"));
        answers[i] = (struct prober_answer){
            .result =
                word >= 0 && word < SAMPLE_RESULT_COUNT ? (enum sample_result)word : SAMPLE_ERROR,
            .status = (uint16_t)json_integer_value(json_object_get(item, "status")),
            .took_ns = json_integer_value(json_object_get(item, "took_ns"))};
    }
    if (answers == NULL || n != call->asked) {
        (void)make_error(&err, ERR_PROTOCOL, 0, "the prober's answers are malformed");
        call->answered(call->ctx, NULL, 0, &err);
        return;
    }
    call->answered(call->ctx, answers, n, NULL);
}

static void call_finish(struct call *call, const json_t *result, const struct err *why)
{
    if (call->done != NULL)
        call->done(call->ctx, why);
    else if (call->stopped != NULL && why != NULL)
        call->stopped(call->ctx, NULL, why);
    else if (call->stopped != NULL)
        finish_stopped(call, result);
    else if (why != NULL)
        call->answered(call->ctx, NULL, 0, why);
    else
        finish_answered(call, result);
}

static void frame_take(struct proberlink *c, const json_t *frame)
{
    int64_t id = json_integer_value(json_object_get(frame, "id"));
    struct err why;
    for (struct call **at = &c->calls; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;
        if (call->id != id)
            continue;
        *at = call->next;
        /* Samples that were in the pipe before the answer come first. */
        if (call->stopped != NULL)
            (void)samples_drain(c);
        bool failed = frame_is_error(frame, &why);
        if (failed)
            (void)wrap_error(&why, "prober");
        if (!c->closing)
            call_finish(call, json_object_get(frame, "result"), failed ? &why : NULL);
        free(call);
        return;
    }
}

static int frames_take(struct proberlink *c, struct err *err)
{
    while (!c->closing) {
        json_t *frame = NULL;
        if (frame_next(&c->in, &frame, err) != 0)
            return -1;
        if (frame == NULL)
            return 0;
        frame_take(c, frame);
        json_decref(frame);
    }
    return 0;
}

static void on_control(evutil_socket_t fd, short what, void *ctx)
{
    struct proberlink *c = ctx;
    char chunk[65536];
    struct err err = {.msg = ""};
    (void)what;
    c->inside++;
    ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n == 0)
        (void)make_error(&err, ERR_SYSTEM, 0, "the prober has ended");
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        (void)make_error(&err, ERR_SYSTEM, errno, "the prober's control stream");
    else if (n > 0 &&
             (frame_feed(&c->in, chunk, (size_t)n, &err) != 0 || frames_take(c, &err) != 0))
        (void)wrap_error(&err, "prober");
    if (err.msg[0] != '\0')
        lose(c, &err);
    leave(c);
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct proberlink *c = ctx;
    struct err err;
    (void)what;
    while (c->out.len != 0) {
        ssize_t n = send(fd, c->out.data, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            c->inside++;
            (void)make_error(&err, ERR_SYSTEM, errno, "the prober's control stream");
            lose(c, &err);
            leave(c);
            return;
        }
        buf_drop(&c->out, (size_t)n);
    }
    if (c->out.len != 0)
        (void)event_add(c->control_out, NULL);
}

/* Steals params. */
static int call_send(struct proberlink *c, const char *method, json_t *params,
                     const struct call *as, struct err *err)
{
    json_t *frame = frame_request(++c->next_id, method, params);
    int r = -1;
    if (c->lost)
        (void)make_error(err, ERR_SYSTEM, 0, "the prober has ended");
    else if (frame == NULL)
        (void)make_error(err, ERR_SYSTEM, ENOMEM, "prober");
    else
        r = frame_put(&c->out, frame, err);
    json_decref(frame);
    struct call *call = r == 0 ? malloc(sizeof(*call)) : NULL;
    if (call == NULL)
        return r == 0 ? make_error(err, ERR_SYSTEM, ENOMEM, "prober") : -1;
    *call = *as;
    call->id = c->next_id;
    call->next = c->calls;
    c->calls = call;
    (void)event_add(c->control_out, NULL);
    return 0;
}

static int streams_open(struct proberlink *c, prober_spawn *spawn, void *spawn_ctx, struct err *err)
{
    int control[2], samples[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) != 0)
        return make_error(err, ERR_SYSTEM, errno, "prober's control stream");
    c->control_fd = control[0];
    CLEANUP_FD int theirs = control[1];
    if (pipe2(samples, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "prober's pipe");
    c->samples_fd = samples[0];
    CLEANUP_FD int into = samples[1];
    /* Room for a coordinator that is busy for seconds; less is allowed by the kernel, and is taken.
     */
    (void)fcntl(into, F_SETPIPE_SZ, PIPE_SIZE);
    if (fcntl(c->samples_fd, F_SETFL, O_NONBLOCK) != 0)
        return make_error(err, ERR_SYSTEM, errno, "prober's pipe");
    const int fds[2] = {theirs, into};
    return spawn(spawn_ctx, fds, 2, &c->pid, err);
}

int proberlink_open(struct event_base *base, prober_spawn *spawn, void *spawn_ctx,
                    const struct proberlink_events *events, struct proberlink **ret,
                    struct err *err)
{
    struct proberlink *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "prober");
    c->base = base;
    c->events = *events;
    c->control_fd = c->samples_fd = -1;
    c->out = BUF_INIT(OUT_MAX);
    frame_reader_init(&c->in);
    if (streams_open(c, spawn, spawn_ctx, err) != 0) {
        client_free(c);
        return -1;
    }
    c->control_in = event_new(base, c->control_fd, EV_READ | EV_PERSIST, on_control, c);
    c->control_out = event_new(base, c->control_fd, EV_WRITE, on_writable, c);
    c->samples_in = event_new(base, c->samples_fd, EV_READ | EV_PERSIST, on_samples, c);
    if (c->control_in == NULL || c->control_out == NULL || c->samples_in == NULL ||
        event_add(c->control_in, NULL) != 0 || event_add(c->samples_in, NULL) != 0) {
        client_free(c);
        return make_error(err, ERR_SYSTEM, ENOMEM, "prober");
    }
    *ret = c;
    return 0;
}

int proberlink_configure(struct proberlink *c, int64_t epoch_ns, uint64_t seed, prober_done *done,
                         void *ctx, struct err *err)
{
    struct call as = {.done = done, .ctx = ctx};
    return call_send(
        c, "configure",
        json_pack("{s:I, s:I}", "epoch_ns", (json_int_t)epoch_ns, "seed", (json_int_t)seed), &as,
        err);
}

static json_t *number_encode(const struct probe_number *number)
{
    json_t *o = json_object();
    if (number->match != NULL)
        (void)json_object_set_new(o, "match", json_string(number->match));
    if (number->has_least)
        (void)json_object_set_new(o, "at_least", json_real(number->at_least));
    if (number->has_most)
        (void)json_object_set_new(o, "at_most", json_real(number->at_most));
    return o;
}

static json_t *rate_encode(const struct probe_rate *rate)
{
    json_t *o = json_pack("{s:I, s:I, s:f}", "over_ns", (json_int_t)rate->over.ns, "per_ns",
                          (json_int_t)rate->per.ns, "at_least", rate->at_least);
    if (rate->match != NULL)
        (void)json_object_set_new(o, "match", json_string(rate->match));
    return o;
}

static json_t *served_encode(const struct scenario_probe *ask)
{
    return json_pack("{s:s, s:o, s:I, s:b, s:o}", "kind", ask->kind->name, "args",
                     params_encode(ask->kind->params, ask->kind->n_params, ask->args), "timeout_ns",
                     (json_int_t)ask->timeout.ns, "fresh", ask->fresh, "number",
                     number_encode(&ask->expect.number));
}

static json_t *probe_encode(const struct scenario_probe *p, const struct prober_endpoint *endpoints,
                            size_t n)
{
    json_t *hosts = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(hosts,
                                    json_pack("{s:s, s:s, s:s}", "name", endpoints[i].name, "ip",
                                              endpoints[i].ip, "ip6", endpoints[i].ip6));
    json_t *params =
        json_pack("{s:s, s:o, s:o, s:I, s:b, s:I, s:i, s:i}", "kind", p->kind->name, "args",
                  params_encode(p->kind->params, p->kind->n_params, p->args), "hosts", hosts,
                  "timeout_ns", (json_int_t)p->timeout.ns, "fresh", p->fresh, "latency_ns",
                  (json_int_t)p->expect.latency.ns, "status_lo", (int)p->expect.status_lo,
                  "status_hi", (int)p->expect.status_hi);
    if (params != NULL && p->expect.body != NULL)
        (void)json_object_set_new(params, "body", json_string(p->expect.body));
    if (params != NULL && p->expect.address != NULL)
        (void)json_object_set_new(params, "address", json_string(p->expect.address));
    if (params != NULL && p->expect.number.given)
        (void)json_object_set_new(params, "number", number_encode(&p->expect.number));
    if (params != NULL && p->expect.rate.given)
        (void)json_object_set_new(params, "rate", rate_encode(&p->expect.rate));
    return params;
}

int proberlink_add(struct proberlink *c, uint16_t index, const struct scenario_probe *probe,
                   const struct prober_endpoint *endpoints, size_t n, prober_done *done, void *ctx,
                   struct err *err)
{
    struct call as = {.done = done, .ctx = ctx};
    json_t *params = probe_encode(probe, endpoints, n);
    if (params != NULL) {
        (void)json_object_set_new(params, "index", json_integer(index));
        (void)json_object_set_new(params, "every_ns", json_integer(probe->every.ns));
        if (probe->served != NULL)
            (void)json_object_set_new(params, "served", served_encode(&probe->served->ask));
    }
    return call_send(c, "probe", params, &as, err);
}

int proberlink_start(struct proberlink *c, uint32_t trial, prober_done *done, void *ctx,
                     struct err *err)
{
    struct call as = {.done = done, .ctx = ctx};
    return call_send(c, "start", json_pack("{s:I}", "trial", (json_int_t)trial), &as, err);
}

int proberlink_stop(struct proberlink *c, prober_stopped *done, void *ctx, struct err *err)
{
    struct call as = {.stopped = done, .ctx = ctx};
    return call_send(c, "stop", json_object(), &as, err);
}

int proberlink_ask(struct proberlink *c, const struct scenario_probe *role,
                   const struct prober_endpoint *endpoints, size_t n, prober_answered *done,
                   void *ctx, struct err *err)
{
    struct call as = {.answered = done, .asked = n, .ctx = ctx};
    return call_send(c, "ask", probe_encode(role, endpoints, n), &as, err);
}

pid_t proberlink_pid(const struct proberlink *c)
{
    return c->pid;
}

void proberlink_close(struct proberlink *c)
{
    if (c == NULL)
        return;
    c->closing = true;
    if (c->inside == 0)
        client_free(c);
}
