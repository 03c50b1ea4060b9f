/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/control.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/frame.h"
#include "base/members.h"
#include "prober/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_MAX = 4 << 20 };

struct control {
    struct prober *prober;
    int fd;
    struct prober_watch *watch;
    struct frame_reader in;
    struct buf out;
    int64_t stop_id;
};

/* A question on its way. */
struct asking {
    struct control *control;
    int64_t id;
};

static void out_flush(struct control *c)
{
    while (c->out.len != 0) {
        ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            prober_quit(c->prober);
            return;
        }
        buf_drop(&c->out, (size_t)n);
    }
    prober_rewatch(c->prober, c->watch, EPOLLIN | (c->out.len != 0 ? EPOLLOUT : 0U));
}

/* Steals the frame. */
static void answer(struct control *c, json_t *frame)
{
    struct err err;
    if (frame == NULL || frame_put(&c->out, frame, &err) != 0)
        prober_quit(c->prober);
    json_decref(frame);
    out_flush(c);
}

static json_t *machine_json(const struct machine *m)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "steal", (json_int_t)m->steal, "ticks",
                     (json_int_t)m->ticks, "pressure_us", (json_int_t)m->pressure_us, "load_milli",
                     (json_int_t)m->load_milli);
}

static json_t *served_json(const struct prober *p)
{
    json_t *list = json_array();
    struct prober_served_count n;
    for (size_t i = 0; prober_served_at(p, i, &n); i++)
        (void)json_array_append_new(list, json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "probe",
                                                    (int)n.probe, "endpoint", (int)n.endpoint,
                                                    "asked", (json_int_t)n.asked, "known",
                                                    (json_int_t)n.known, "grown",
                                                    (json_int_t)n.grown, "own", (json_int_t)n.own));
    return list;
}

static void on_stopped(void *ctx, const struct prober_counts *n)
{
    struct control *c = ctx;
    json_t *null =
        json_pack("{s:I, s:I, s:I, s:I, s:I}", "n", (json_int_t)n->null_n, "late",
                  (json_int_t)n->null_late, "p50_ns", (json_int_t)n->null_p50_ns, "p99_ns",
                  (json_int_t)n->null_p99_ns, "max_ns", (json_int_t)n->null_max_ns);
    answer(c, frame_result(c->stop_id,
                           json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o}", "late",
                                     (json_int_t)n->late, "gaps", (json_int_t)n->gaps, "sent",
                                     (json_int_t)n->sent, "cpu_ns", (json_int_t)n->cpu_ns,
                                     "until_ns", (json_int_t)n->until_ns, "null", null, "begin",
                                     machine_json(&n->begin), "end", machine_json(&n->end),
                                     "served", served_json(c->prober))));
}

static void on_asked(void *ctx, const struct prober_asked *asked, size_t n)
{
    struct asking *a = ctx;
    if (n == 0) {
        free(a);
        return;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:i, s:i, s:I}", "result", (int)asked[i].result, "status",
                            (int)asked[i].status, "took_ns", (json_int_t)asked[i].took_ns));
    answer(a->control, frame_result(a->id, json_pack("{s:o}", "answers", list)));
    free(a);
}

static int targets_read(const json_t *hosts, struct prober_target **ret, size_t *ret_n,
                        struct err *err)
{
    size_t n = json_array_size(hosts);
    if (n == 0 || n > PROBER_TARGETS_MAX)
        return make_error(err, ERR_PROTOCOL, 0, "a probe of %zu endpoints", n);
    CLEANUP_FREE struct prober_target *list = calloc(n, sizeof(*list));
    if (list == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    for (size_t i = 0; i < n; i++) {
        struct named_host h = {.name = ""};
        if (member_host(hosts, i, &h, err) != 0)
            return -1;
        memcpy(list[i].name, h.name, sizeof(h.name));
        memcpy(list[i].ip, h.ip, sizeof(h.ip));
        memcpy(list[i].ip6, h.ip6, sizeof(h.ip6));
    }
    *ret = steal_ptr(&list);
    *ret_n = n;
    return 0;
}

static int numbers_read(const json_t *params, struct prober_probe_spec *spec, struct err *err)
{
    const int64_t day = 86400 * NS_PER_SEC;
    int64_t index = 0, lo = 0, hi = 0;
    if (member_integer_given(params, "index", 0, UINT16_MAX, &index, err) != 0 ||
        member_integer_given(params, "every_ns", 0, day, &spec->every_ns, err) != 0 ||
        member_integer_given(params, "timeout_ns", 0, day, &spec->timeout_ns, err) != 0 ||
        member_integer_given(params, "latency_ns", 0, day, &spec->latency_ns, err) != 0 ||
        member_integer_given(params, "status_lo", 0, 999, &lo, err) != 0 ||
        member_integer_given(params, "status_hi", 0, 999, &hi, err) != 0)
        return -1;
    spec->index = (uint16_t)index;
    spec->status_lo = (uint16_t)lo;
    spec->status_hi = (uint16_t)hi;
    return 0;
}

static int bound_read(const json_t *number, const char *name, bool *has, double *ret,
                      struct err *err)
{
    const json_t *v = json_object_get(number, name);
    if (v != NULL && !json_is_number(v))
        return make_error(err, ERR_PROTOCOL, 0, "%s is no number", name);
    *has = v != NULL;
    *ret = json_number_value(v);
    return 0;
}

static int rate_read(const json_t *rate, struct probe_rate *to, struct err *err)
{
    const int64_t day = 86400 * NS_PER_SEC;
    bool has_least = false;
    if (rate == NULL)
        return 0;
    to->given = true;
    to->match = json_string_value(json_object_get(rate, "match"));
    if (member_integer_given(rate, "over_ns", 0, day, &to->over.ns, err) != 0 ||
        member_integer_given(rate, "per_ns", 0, day, &to->per.ns, err) != 0 ||
        bound_read(rate, "at_least", &has_least, &to->at_least, err) != 0)
        return -1;
    return to->over.ns > 0 && to->per.ns > 0 && has_least
               ? 0
               : make_error(err, ERR_PROTOCOL, 0, "a rate of nothing");
}

static int expect_read(const json_t *params, struct prober_probe_spec *spec, struct err *err)
{
    const json_t *number = json_object_get(params, "number");
    struct probe_number *to = &spec->number;
    spec->body = json_string_value(json_object_get(params, "body"));
    spec->address = json_string_value(json_object_get(params, "address"));
    to->given = number != NULL;
    to->match = json_string_value(json_object_get(number, "match"));
    if (bound_read(number, "at_least", &to->has_least, &to->at_least, err) != 0 ||
        bound_read(number, "at_most", &to->has_most, &to->at_most, err) != 0)
        return -1;
    return rate_read(json_object_get(params, "rate"), &spec->rate, err);
}

/* Its kind and args, which the caller frees. */
static int kind_read(const json_t *params, struct prober_probe_spec *spec, void **ret_args,
                     struct err *err)
{
    const char *kind = json_string_value(json_object_get(params, "kind"));
    spec->kind = kind != NULL ? probe_kind_find(kind) : NULL;
    if (spec->kind == NULL)
        return make_error(err, ERR_PROTOCOL, 0, "no such kind of probe");
    *ret_args = calloc(1, spec->kind->args_size + 1);
    if (*ret_args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "probe");
    spec->args = *ret_args;
    return params_decode(spec->kind->params, spec->kind->n_params, json_object_get(params, "args"),
                         *ret_args, spec->kind->args_size, err);
}

/* How a service is asked what it counted. */
static int served_read(const json_t *params, struct prober_probe_spec *spec, void **ret_args,
                       struct err *err)
{
    if (kind_read(params, spec, ret_args, err) != 0 || numbers_read(params, spec, err) != 0 ||
        expect_read(params, spec, err) != 0)
        return -1;
    spec->fresh = !json_is_false(json_object_get(params, "fresh"));
    if (!spec->number.given || spec->timeout_ns <= 0)
        return make_error(err, ERR_PROTOCOL, 0, "what a service counts is a number");
    return 0;
}

/* Reads a probe and hands it on by `put`, while everything it points to is still there. */
static int probe_read(struct control *c, const json_t *params, bool ask,
                      int (*put)(struct control *c, const struct prober_probe_spec *spec, void *ctx,
                                 struct err *err),
                      void *ctx, struct err *err)
{
    struct prober_probe_spec spec = {.fresh = true}, served = {.fresh = true};
    CLEANUP_FREE void *args = NULL, *served_args = NULL;
    const json_t *ask_served = json_object_get(params, "served");
    if (kind_read(params, &spec, &args, err) != 0 || numbers_read(params, &spec, err) != 0 ||
        expect_read(params, &spec, err) != 0 ||
        (ask_served != NULL && served_read(ask_served, &served, &served_args, err) != 0))
        return -1;
    spec.served = ask_served != NULL ? &served : NULL;
    CLEANUP_FREE struct prober_target *targets = NULL;
    if (targets_read(json_object_get(params, "hosts"), &targets, &spec.n_targets, err) != 0)
        return -1;
    spec.targets = targets;
    spec.fresh = !json_is_false(json_object_get(params, "fresh"));
    if (ask)
        spec.every_ns = NS_PER_SEC;
    return put(c, &spec, ctx, err);
}

static int put_probe(struct control *c, const struct prober_probe_spec *spec, void *ctx,
                     struct err *err)
{
    (void)ctx;
    return prober_add(c->prober, spec, err);
}

static int put_ask(struct control *c, const struct prober_probe_spec *spec, void *ctx,
                   struct err *err)
{
    return prober_ask(c->prober, spec, on_asked, ctx, err);
}

/* Each returns 0 and *later = true when it answers by itself. */
static int do_configure(struct control *c, int64_t id, const json_t *params, bool *later,
                        struct err *err)
{
    int64_t epoch = 0;
    (void)id;
    (void)later;
    if (member_integer_given(params, "epoch_ns", 0, INT64_MAX, &epoch, err) != 0)
        return -1;
    prober_configure(c->prober, epoch,
                     (uint64_t)json_integer_value(json_object_get(params, "seed")));
    return 0;
}

static int do_probe(struct control *c, int64_t id, const json_t *params, bool *later,
                    struct err *err)
{
    (void)id;
    (void)later;
    return probe_read(c, params, false, put_probe, NULL, err);
}

static int do_start(struct control *c, int64_t id, const json_t *params, bool *later,
                    struct err *err)
{
    int64_t trial = 0;
    (void)id;
    (void)later;
    if (member_integer_given(params, "trial", 0, UINT32_MAX - 1, &trial, err) != 0)
        return -1;
    return prober_start(c->prober, (uint32_t)trial, err);
}

static int do_stop(struct control *c, int64_t id, const json_t *params, bool *later,
                   struct err *err)
{
    (void)params;
    c->stop_id = id;
    *later = true;
    return prober_stop(c->prober, on_stopped, c, err);
}

static int do_ask(struct control *c, int64_t id, const json_t *params, bool *later, struct err *err)
{
    struct asking *a = malloc(sizeof(*a));
    if (a == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "question");
    *a = (struct asking){.control = c, .id = id};
    *later = true;
    if (probe_read(c, params, true, put_ask, a, err) != 0) {
        free(a);
        return -1;
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct control *c, int64_t id, const json_t *params, bool *later, struct err *err);
} methods[] = {{"configure", do_configure},
               {"probe", do_probe},
               {"start", do_start},
               {"stop", do_stop},
               {"ask", do_ask}};

static void frame_run(struct control *c, const json_t *frame)
{
    const char *method = json_string_value(json_object_get(frame, "method"));
    int64_t id = json_integer_value(json_object_get(frame, "id"));
    struct err err = {.code = ERR_NONE};
    bool later = false;
    int r = -1;
    size_t i = 0, n = sizeof(methods) / sizeof(methods[0]);
    while (i < n && (method == NULL || strcmp(methods[i].name, method) != 0))
        i++;
    if (i < n)
        r = methods[i].run(c, id, json_object_get(frame, "params"), &later, &err);
    else
        (void)make_error(&err, ERR_PROTOCOL, 0, "no such method");
    if (r != 0)
        answer(c, frame_error(id, &err));
    else if (!later)
        answer(c, frame_result(id, json_object()));
}

static void control_ready(void *ctx, uint32_t events)
{
    struct control *c = ctx;
    char chunk[65536];
    struct err err;
    if ((events & EPOLLOUT) != 0)
        out_flush(c);
    ssize_t n = recv(c->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || frame_feed(&c->in, chunk, (size_t)n, &err) != 0) {
        prober_quit(c->prober);
        return;
    }
    for (;;) {
        json_t *frame = NULL;
        if (frame_next(&c->in, &frame, &err) != 0) {
            prober_quit(c->prober);
            return;
        }
        if (frame == NULL)
            return;
        frame_run(c, frame);
        json_decref(frame);
    }
}

int control_open(struct prober *p, int fd, struct control **ret, struct err *err)
{
    struct control *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "control stream");
    c->prober = p;
    c->fd = fd;
    c->out = BUF_INIT(OUT_MAX);
    frame_reader_init(&c->in);
    c->watch = prober_watch(p, fd, EPOLLIN, control_ready, c);
    if (c->watch == NULL) {
        free(c);
        return make_error(err, ERR_SYSTEM, errno, "watch the control stream");
    }
    *ret = c;
    return 0;
}

void control_close(struct control *c)
{
    if (c == NULL)
        return;
    prober_unwatch(c->prober, c->watch);
    frame_reader_free(&c->in);
    buf_free(&c->out);
    free(c);
}
