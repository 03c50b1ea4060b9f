/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/agentlink.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/frame.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_MAX = 4 * FRAME_MAX, CHUNK = 16 * 1024, NAME_LEN = 96 };

struct call {
    struct call *next;
    struct agentlink *link;
    struct event *timer;
    int64_t id, sent_ns, timeout_ns;
    agentlink_done *done;
    void *ctx;
};

struct agentlink {
    struct event_base *base;
    struct event *readable, *writable, *later; /* later: what must not happen inside a call */
    int fd;
    char who[NAME_LEN];
    struct agentlink_events events;
    struct frame_reader in;
    struct buf out;
    struct call *calls;
    int64_t last_id;
    unsigned depth; /* of callbacks under way: while one is, the link is not freed */
    bool broken, told, closed;
    struct err why;
};

static void call_free(struct call *c)
{
    if (c->timer != NULL)
        event_free(c->timer);
    free(c);
}

static struct call *take_call(struct agentlink *l, int64_t id)
{
    for (struct call **at = &l->calls; *at != NULL; at = &(*at)->next)
        if ((*at)->id == id) {
            struct call *found = *at;
            *at = found->next;
            return found;
        }
    return NULL;
}

static void link_free(struct agentlink *l)
{
    struct event *events[] = {l->readable, l->writable, l->later};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i] != NULL)
            event_free(events[i]);
    if (l->fd >= 0)
        (void)close(l->fd);
    frame_reader_free(&l->in);
    buf_free(&l->out);
    free(l);
}

static void link_enter(struct agentlink *l)
{
    l->depth++;
}

static void link_leave(struct agentlink *l)
{
    if (--l->depth == 0 && l->closed)
        link_free(l);
}

static void finish(struct call *c, const json_t *result, const struct err *err)
{
    c->done(c->ctx, result, err, c->sent_ns, clock_system(CLOCK_MONOTONIC));
    call_free(c);
}

/* Newest last: a caller hears of its calls in the order in which it made them. */
static void fail_calls(struct agentlink *l, const struct err *why)
{
    while (l->calls != NULL) {
        struct call *c = l->calls;
        l->calls = c->next;
        finish(c, NULL, why);
    }
}

static void mark_broken(struct agentlink *l, const struct err *why)
{
    if (l->broken)
        return;
    l->broken = true;
    l->why = *why;
    (void)wrap_error(&l->why, "%s", l->who);
    (void)event_del(l->readable);
    (void)event_del(l->writable);
}

/* Inside link_enter() and link_leave(). */
static void tell_broken(struct agentlink *l)
{
    struct err why = l->why;
    if (!l->broken)
        return;
    fail_calls(l, &why);
    if (!l->told && !l->closed) {
        l->told = true;
        l->events.lost(l->events.ctx, &why);
    }
}

static void on_later(evutil_socket_t fd, short what, void *ctx)
{
    struct agentlink *l = ctx;
    (void)fd;
    (void)what;
    link_enter(l);
    tell_broken(l);
    link_leave(l);
}

static void on_timeout(evutil_socket_t fd, short what, void *ctx)
{
    struct call *c = ctx;
    struct agentlink *l = c->link;
    struct err err;
    (void)fd;
    (void)what;
    if (take_call(l, c->id) != c)
        return;
    (void)make_error(&err, ERR_TIMEOUT, 0, "%s: no answer within %lld ms", l->who,
                     (long long)(c->timeout_ns / NS_PER_MS));
    link_enter(l);
    finish(c, NULL, &err);
    link_leave(l);
}

/* Sends what the socket takes now; the rest when it can. */
static int flush(struct agentlink *l, struct err *err)
{
    while (l->out.len > 0) {
        ssize_t n = send(l->fd, l->out.data, l->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            buf_drop(&l->out, (size_t)n);
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return event_add(l->writable, NULL) == 0
                       ? 0
                       : make_error(err, ERR_SYSTEM, 0, "watch the link");
        return make_error(err, ERR_SYSTEM, n < 0 ? errno : EPIPE, "write to the link");
    }
    return 0;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct agentlink *l = ctx;
    struct err err;
    (void)fd;
    (void)what;
    link_enter(l);
    if (flush(l, &err) != 0) {
        mark_broken(l, &err);
        tell_broken(l);
    }
    link_leave(l);
}

static void take_frame(struct agentlink *l, const json_t *frame)
{
    const json_t *id = json_object_get(frame, "id");
    const char *method = json_string_value(json_object_get(frame, "method"));
    struct err err = {0};
    if (method != NULL) {
        l->events.notice(l->events.ctx, method, json_object_get(frame, "params"));
        return;
    }
    if (!json_is_integer(id)) {
        /* Without an id the agent speaks of the link as a whole: it understood nothing. */
        if (!frame_is_error(frame, &err))
            (void)make_error(&err, ERR_PROTOCOL, 0, "a frame that is neither answer nor notice");
        mark_broken(l, &err);
        return;
    }
    struct call *c = take_call(l, (int64_t)json_integer_value(id));
    if (c == NULL)
        return; /* its time-out came first */
    const json_t *result = json_object_get(frame, "result");
    if (!frame_is_error(frame, &err) && result == NULL)
        (void)make_error(&err, ERR_PROTOCOL, 0, "an answer without result or error");
    if (err.code != ERR_NONE)
        (void)wrap_error(&err, "%s", l->who);
    finish(c, err.code == ERR_NONE ? result : NULL, &err);
}

static int take_input(struct agentlink *l, struct err *err)
{
    char chunk[CHUNK];
    ssize_t n = recv(l->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (n <= 0)
        return make_error(err, ERR_SYSTEM, n < 0 ? errno : 0, "the link closed");
    int rc = frame_feed(&l->in, chunk, (size_t)n, err);
    while (rc == 0 && !l->broken && !l->closed) {
        json_t *frame = NULL;
        rc = frame_next(&l->in, &frame, err);
        if (rc != 0 || frame == NULL)
            break;
        take_frame(l, frame);
        json_decref(frame);
    }
    return rc;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct agentlink *l = ctx;
    struct err err;
    (void)fd;
    (void)what;
    link_enter(l);
    if (take_input(l, &err) != 0)
        mark_broken(l, &err);
    tell_broken(l);
    link_leave(l);
}

int agentlink_open(struct event_base *base, int fd, const char *who,
                   const struct agentlink_events *events, struct agentlink **ret, struct err *err)
{
    struct agentlink *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for a link");
    l->base = base;
    l->fd = fd;
    l->events = *events;
    l->out = BUF_INIT(OUT_MAX);
    (void)strncpy(l->who, who, sizeof(l->who) - 1);
    frame_reader_init(&l->in);
    l->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, l);
    l->writable = event_new(base, fd, EV_WRITE, on_writable, l);
    l->later = event_new(base, -1, 0, on_later, l);
    if (l->readable == NULL || l->writable == NULL || l->later == NULL ||
        event_add(l->readable, NULL) != 0) {
        l->fd = -1; /* stays the caller's */
        link_free(l);
        return make_error(err, ERR_LIMIT, 0, "no memory for a link");
    }
    *ret = l;
    return 0;
}

/* Returns the call to be answered, or NULL when there is no memory for it. */
static struct call *call_new(struct agentlink *l, int64_t timeout_ns, agentlink_done *done,
                             void *ctx)
{
    struct call *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    *c = (struct call){
        .link = l, .id = ++l->last_id, .timeout_ns = timeout_ns, .done = done, .ctx = ctx};
    c->timer = event_new(l->base, -1, 0, on_timeout, c);
    struct timeval when = {.tv_sec = (time_t)(timeout_ns / NS_PER_SEC),
                           .tv_usec = (suseconds_t)(timeout_ns % NS_PER_SEC / NS_PER_US)};
    if (c->timer == NULL || event_add(c->timer, &when) != 0) {
        call_free(c);
        return NULL;
    }
    struct call **end = &l->calls;
    while (*end != NULL)
        end = &(*end)->next;
    *end = c;
    return c;
}

void agentlink_call(struct agentlink *l, const char *method, json_t *params, int64_t timeout_ns,
                    agentlink_done *done, void *ctx)
{
    struct err err;
    struct call *c = call_new(l, timeout_ns, done, ctx);
    if (c == NULL)
        abort(); /* not a hundred bytes left: there is no way to keep the promise to answer */
    json_t *frame = frame_request(c->id, method, params);
    c->sent_ns = clock_system(CLOCK_MONOTONIC);
    if (!l->broken && (frame == NULL || frame_put(&l->out, frame, &err) != 0)) {
        if (frame == NULL)
            (void)make_error(&err, ERR_LIMIT, 0, "no memory for a request");
        mark_broken(l, &err);
    }
    json_decref(frame);
    if (!l->broken && flush(l, &err) != 0)
        mark_broken(l, &err);
    if (l->broken)
        event_active(l->later, EV_TIMEOUT, 0);
}

bool agentlink_is_up(const struct agentlink *l)
{
    return !l->broken && !l->closed;
}

void agentlink_close(struct agentlink *l)
{
    struct err why;
    if (l == NULL || l->closed)
        return;
    (void)make_error(&why, ERR_CANCELLED, 0, "%s: the link was closed", l->who);
    mark_broken(l, &why);
    l->closed = true;
    link_enter(l);
    fail_calls(l, &why);
    link_leave(l);
}
