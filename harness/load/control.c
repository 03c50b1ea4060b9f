/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/control.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/members.h"
#include "load/changes.h"
#include "load/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { OUT_MAX = 1 << 20, CHUNK = 16384 };

struct control {
    struct event_base *base;
    struct bufferevent *stream;
    struct frame_reader in;
    struct runner *runner;
    struct server *server;
    struct changes changes;
    void *args;
    char name[NAME_MAX_LEN + 1];
    struct named_host hosts[LOAD_HOSTS_MAX];
    size_t n_hosts;
    int64_t epoch_ns, cpu_ns;
    bool failed;
    struct err why;
};

static int shape_read(const json_t *object, struct load_shape *ret, struct err *err)
{
    return params_decode(load_shape_params, load_n_shape_params, object, ret, sizeof(*ret), err);
}

/* Of this process, all its threads. */
static int64_t cpu_now(void)
{
    return clock_system(CLOCK_PROCESS_CPUTIME_ID);
}

static void frame_send(struct control *c, json_t *frame)
{
    CLEANUP_BUF struct buf out = BUF_INIT(OUT_MAX);
    if (frame == NULL || frame_put(&out, frame, &c->why) != 0 ||
        bufferevent_write(c->stream, out.data, out.len) != 0) {
        c->failed = true;
        (void)event_base_loopbreak(c->base);
    }
    json_decref(frame);
}

/* Buckets with something in them: [bucket, count], both in one list. */
static json_t *histogram_json(const struct histogram *h)
{
    json_t *list = json_array();
    for (size_t i = 0; h->n != 0 && i < HISTOGRAM_BUCKETS; i++)
        if (h->buckets[i] != 0) {
            (void)json_array_append_new(list, json_integer((json_int_t)i));
            (void)json_array_append_new(list, json_integer(h->buckets[i]));
        }
    return list;
}

static json_t *failures_json(const struct load_tally *t)
{
    json_t *o = json_object();
    for (int i = LOAD_REFUSED; i < LOAD_OUTCOMES; i++)
        if (t->failures[i] != 0)
            (void)json_object_set_new(o, load_outcome_word((enum load_outcome)i),
                                      json_integer((json_int_t)t->failures[i]));
    return o;
}

static void on_second(void *ctx, int64_t from_ns, int64_t to_ns, const struct load_tally *t)
{
    struct control *c = ctx;
    const struct model *m = runner_model(c->runner);
    int64_t cpu = cpu_now();
    json_t *params = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "from_ns",
        (json_int_t)(from_ns - c->epoch_ns), "to_ns", (json_int_t)(to_ns - c->epoch_ns), "begun",
        (json_int_t)t->begun, "ok", (json_int_t)t->ok, "failed", (json_int_t)t->failed, "attempts",
        (json_int_t)t->attempts, "not_sent", (json_int_t)t->not_sent, "in_flight",
        (json_int_t)model_in_flight(m), "busy", (json_int_t)model_busy(m), "late_ns",
        (json_int_t)t->late_ns, "cpu_ns", (json_int_t)(cpu - c->cpu_ns), "failures",
        failures_json(t), "latency", histogram_json(&t->latency));
    if (params != NULL && t->latency.n != 0)
        (void)json_object_set_new(params, "most_ns", json_integer(t->latency.most));
    c->cpu_ns = cpu;
    frame_send(
        c, json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", "second", "params", params));
}

static void on_counters(void *ctx, struct buf *out)
{
    struct control *c = ctx;
    const struct load_tally *t = runner_total(c->runner);
    buf_printf(out,
               "{\"load\":\"%s\",\"ok\":%llu,\"failed\":%llu,\"attempts\":%llu,\"begun\":%llu,"
               "\"not_sent\":%llu,\"in_flight\":%zu}\n",
               c->name, (unsigned long long)t->ok, (unsigned long long)t->failed,
               (unsigned long long)t->attempts, (unsigned long long)t->begun,
               (unsigned long long)t->not_sent, model_in_flight(runner_model(c->runner)));
}

static int spec_read(struct control *c, const json_t *params, struct runner_spec *s,
                     int64_t *ret_port, struct err *err)
{
    int64_t seed = 0;
    const char *kind = "", *name = "";
    if (member_word(params, "kind", NAME_MAX_LEN, &kind, err) != 0 ||
        member_word(params, "name", NAME_MAX_LEN, &name, err) != 0 ||
        member_integer(params, "port", 1, 65535, ret_port, err) != 0 ||
        member_integer(params, "epoch_ns", 0, INT64_MAX, &c->epoch_ns, err) != 0 ||
        member_integer(params, "seed", 0, INT64_MAX, &seed, err) != 0 ||
        shape_read(json_object_get(params, "shape"), &s->shape, err) != 0 ||
        member_hosts(json_object_get(params, "hosts"), LOAD_HOSTS_MAX, c->hosts, &c->n_hosts,
                     err) != 0)
        return -1;
    memcpy(c->name, name, strlen(name) + 1);
    s->kind = load_kind_find(kind);
    if (s->kind == NULL)
        return make_error(err, ERR_PROTOCOL, 0, "no such kind of load");
    if (c->n_hosts == 0)
        return make_error(err, ERR_PROTOCOL, 0, "a load without hosts");
    s->hosts = c->hosts;
    s->n_hosts = c->n_hosts;
    s->seed = (uint64_t)seed;
    s->fresh = json_is_true(json_object_get(params, "fresh"));
    s->second = on_second;
    s->ctx = c;
    return 0;
}

static json_t *do_configure(struct control *c, const json_t *params, struct err *err)
{
    struct runner_spec s = {.kind = NULL};
    int64_t port = 0;
    if (c->runner != NULL) {
        (void)make_error(err, ERR_PROTOCOL, 0, "it is configured already");
        return NULL;
    }
    if (spec_read(c, params, &s, &port, err) != 0)
        return NULL;
    c->args = calloc(1, s.kind->args_size + 1);
    if (c->args == NULL) {
        (void)make_error(err, ERR_SYSTEM, ENOMEM, "load");
        return NULL;
    }
    s.args = c->args;
    if (params_decode(s.kind->params, s.kind->n_params, json_object_get(params, "args"), c->args,
                      s.kind->args_size, err) != 0 ||
        runner_new(c->base, &s, &c->runner, err) != 0 ||
        server_open(c->base, (uint16_t)port, on_counters, c, &c->server, err) != 0)
        return NULL;
    c->changes = (struct changes){.runner = c->runner, .own = s.shape};
    return json_object();
}

static json_t *do_start(struct control *c, const json_t *params, struct err *err)
{
    (void)params;
    (void)err;
    changes_drop(&c->changes);
    c->cpu_ns = cpu_now();
    if (!runner_runs(c->runner))
        runner_start(c->runner);
    return json_object();
}

static json_t *do_stop(struct control *c, const json_t *params, struct err *err)
{
    (void)params;
    (void)err;
    runner_stop(c->runner);
    changes_drop(&c->changes);
    return json_object();
}

static json_t *do_prepare(struct control *c, const json_t *params, struct err *err)
{
    struct load_shape shape;
    const char *id;
    if (member_word(params, "injection", INJECTION_ID_MAX, &id, err) != 0 ||
        shape_read(json_object_get(params, "args"), &shape, err) != 0 ||
        changes_prepare(&c->changes, id, &shape, err) != 0)
        return NULL;
    return json_object();
}

typedef json_t *on_change(struct changes *c, const char *id, struct err *err);

static json_t *do_change(struct control *c, const json_t *params, on_change *how, struct err *err)
{
    const char *id;
    return member_word(params, "injection", INJECTION_ID_MAX, &id, err) == 0
               ? how(&c->changes, id, err)
               : NULL;
}

static json_t *do_apply(struct control *c, const json_t *params, struct err *err)
{
    return do_change(c, params, changes_apply, err);
}

static json_t *do_evidence(struct control *c, const json_t *params, struct err *err)
{
    return do_change(c, params, changes_evidence, err);
}

static json_t *do_revert(struct control *c, const json_t *params, struct err *err)
{
    return do_change(c, params, changes_revert, err);
}

static const struct {
    const char *name;
    json_t *(*run)(struct control *c, const json_t *params, struct err *err);
} methods[] = {{"configure", do_configure}, {"start", do_start}, {"stop", do_stop},
               {"prepare", do_prepare},     {"apply", do_apply}, {"evidence", do_evidence},
               {"revert", do_revert}};

static void frame_run(struct control *c, const json_t *frame)
{
    const char *method = json_string_value(json_object_get(frame, "method"));
    int64_t id = json_integer_value(json_object_get(frame, "id"));
    struct err err = {.code = ERR_NONE};
    size_t i = 0, n = sizeof(methods) / sizeof(methods[0]);
    json_t *result = NULL;
    while (i < n && (method == NULL || strcmp(methods[i].name, method) != 0))
        i++;
    if (i == n)
        (void)make_error(&err, ERR_PROTOCOL, 0, "no such method");
    else if (i != 0 && c->server == NULL)
        (void)make_error(&err, ERR_PROTOCOL, 0, "it is not configured");
    else
        result = methods[i].run(c, json_object_get(frame, "params"), &err);
    if (result != NULL && runner_failure(c->runner) != NULL) {
        json_decref(result);
        result = NULL;
        (void)make_error(&err, ERR_SYSTEM, 0, "%s", runner_failure(c->runner));
    }
    frame_send(c, result != NULL ? frame_result(id, result) : frame_error(id, &err));
}

static void on_input(struct bufferevent *stream, void *ctx)
{
    struct control *c = ctx;
    char chunk[CHUNK];
    for (size_t n; (n = bufferevent_read(stream, chunk, sizeof(chunk))) > 0;) {
        int r = frame_feed(&c->in, chunk, n, &c->why);
        for (json_t *frame = NULL; r == 0;) {
            r = frame_next(&c->in, &frame, &c->why);
            if (r != 0 || frame == NULL)
                break;
            frame_run(c, frame);
            json_decref(frame);
        }
        if (r != 0) {
            c->failed = true;
            (void)event_base_loopbreak(c->base);
            return;
        }
    }
}

static void on_end(struct bufferevent *stream, short what, void *ctx)
{
    struct control *c = ctx;
    (void)stream;
    (void)what;
    (void)event_base_loopbreak(c->base);
}

/* Timers of a microsecond: a back-off of a few milliseconds must not become one of many. */
static struct event_base *base_new(void)
{
    struct event_config *config = event_config_new();
    if (config == NULL)
        return NULL;
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static void control_free(struct control *c)
{
    if (c->runner != NULL) {
        runner_stop(c->runner);
        changes_drop(&c->changes);
    }
    server_close(c->server);
    runner_free(c->runner);
    if (c->stream != NULL)
        bufferevent_free(c->stream);
    if (c->base != NULL)
        event_base_free(c->base);
    frame_reader_free(&c->in);
    free(c->args);
    free(c);
}

int control_serve(int fd, struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));
    int r = 0;
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    frame_reader_init(&c->in);
    c->base = base_new();
    if (c->base != NULL && evutil_make_socket_nonblocking(fd) == 0)
        c->stream = bufferevent_socket_new(c->base, fd, 0);
    if (c->stream == NULL) {
        control_free(c);
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    }
    bufferevent_setcb(c->stream, on_input, NULL, on_end, c);
    (void)bufferevent_enable(c->stream, EV_READ | EV_WRITE);
    (void)event_base_dispatch(c->base);
    if (c->failed) {
        *err = c->why;
        r = -1;
    }
    control_free(c);
    return r;
}
