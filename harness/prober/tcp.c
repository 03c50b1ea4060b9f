/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "prober/loop.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct args {
    struct text send;
    int64_t port;
    int family;
};

static const struct param params[] = {
    P(struct args, PARAM_INT, port, .required = true, .min = 1, .max = 65535,
      .doc = "The port to connect to, at each endpoint's address."),
    P(struct args, PARAM_TEXT, send,
      .doc = "What to send once connected; without it, the connection itself is the answer, unless "
             "`expect.body` or `expect.number` waits for what the server says first."),
    P(struct args, PARAM_ENUM, family, .choices = prober_families, .def = "any",
      .doc = PROBER_FAMILY_DOC),
};

/* A connection, under way or idle between two attempts. */
struct link {
    int fd;
    struct endpoint *endpoint;
    struct prober_watch *watch;
    uint32_t events;                /* that it is watched for */
    struct prober_attempt *attempt; /* NULL: idle */
    size_t sent;
    bool connected;
    struct buf in;
};

struct endpoint {
    struct prober *prober;
    struct sockaddr_storage to;
    socklen_t to_len;
    struct text send;
    bool fresh;
    struct link *idle; /* at most one; those made while it was busy do not stay */
};

static void link_free(struct link *l)
{
    prober_unwatch(l->endpoint->prober, l->watch);
    if (l->fd >= 0)
        (void)close(l->fd);
    buf_free(&l->in);
    free(l);
}

static void link_end(struct link *l, enum sample_result result)
{
    struct prober_attempt *a = l->attempt;
    uint32_t bytes = (uint32_t)l->in.len;
    struct endpoint *e = l->endpoint;
    l->attempt = NULL;
    if (e->fresh || result != SAMPLE_GOOD || e->idle != NULL) {
        link_free(l);
    } else {
        buf_drop(&l->in, l->in.len);
        l->sent = 0;
        e->idle = l;
    }
    prober_done(a, result, 0, bytes);
}

/* Is what came enough? The peer may yet say more, unless it has closed. */
static void link_judge(struct link *l, bool closed)
{
    const struct prober_probe *probe = l->attempt->target->probe;
    bool full = closed || l->in.len == PROBER_BODY_MAX;
    if (!full && prober_expects_more(probe, buf_text(&l->in), l->in.len))
        return;
    enum sample_result result = prober_judge(l->attempt, 0, 0, 0, buf_text(&l->in), l->in.len);
    if (result == SAMPLE_GOOD && !probe->has_body && l->in.len == 0)
        result = SAMPLE_CONTENT;
    /* A pattern may yet be met; of a number there is only the first. */
    if (result == SAMPLE_CONTENT && !full)
        return;
    link_end(l, l->in.len != 0 || result == SAMPLE_GOOD ? result : SAMPLE_RESET);
}

/* What had come by then may be the whole answer: the peer need not wait until it is read. */
static void link_broken(struct link *l, int sys)
{
    bool whole = l->in.len != 0 &&
                 prober_judge(l->attempt, 0, 0, 0, buf_text(&l->in), l->in.len) == SAMPLE_GOOD;
    link_end(l, whole ? SAMPLE_GOOD : prober_result_of(sys));
}

static void link_read(struct link *l)
{
    char chunk[16384];
    for (;;) {
        size_t room = PROBER_BODY_MAX - l->in.len;
        size_t most = room < sizeof(chunk) ? room : sizeof(chunk);
        ssize_t n = recv(l->fd, chunk, most, MSG_DONTWAIT);
        if (n > 0) {
            buf_add(&l->in, chunk, (size_t)n);
            /* Less than was asked for is all that there was: the loop tells of what is to come. */
            if ((size_t)n == most && l->in.len < PROBER_BODY_MAX)
                continue;
        }
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            link_broken(l, errno);
            return;
        }
        link_judge(l, n == 0);
        return;
    }
}

static void link_await(struct link *l, uint32_t events)
{
    if (l->events != events)
        prober_rewatch(l->endpoint->prober, l->watch, events);
    l->events = events;
}

static void link_write(struct link *l)
{
    const struct text *send_text = &l->endpoint->send;
    while (l->sent < send_text->len) {
        ssize_t n = send(l->fd, send_text->s + l->sent, send_text->len - l->sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            link_await(l, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0) {
            link_end(l, prober_result_of(errno));
            return;
        }
        l->sent += (size_t)n;
    }
    const struct prober_probe *probe = l->attempt->target->probe;
    if (send_text->len == 0 && !probe->has_body && !probe->has_number && !probe->has_rate) {
        link_end(l, SAMPLE_GOOD);
        return;
    }
    link_await(l, EPOLLIN);
}

/* Its peer has closed it, or says what nobody asked. */
static void link_stale(struct link *l)
{
    l->endpoint->idle = NULL;
    link_free(l);
}

static void link_ready(void *ctx, uint32_t events)
{
    struct link *l = ctx;
    if (l->attempt == NULL) {
        link_stale(l);
        return;
    }
    if (!l->connected) {
        int sys = 0;
        socklen_t len = sizeof(sys);
        if ((events & (EPOLLERR | EPOLLHUP)) != 0) /* never else, of one that failed */
            (void)getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &sys, &len);
        if (sys != 0) {
            link_end(l, prober_result_of(sys));
            return;
        }
        l->connected = true;
    }
    if (l->sent < l->endpoint->send.len || (events & EPOLLOUT) != 0)
        link_write(l);
    else
        link_read(l);
}

static struct link *link_open(struct endpoint *e, struct prober_attempt *a)
{
    struct link *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        prober_done(a, SAMPLE_GAP, 0, 0);
        return NULL;
    }
    l->endpoint = e;
    l->attempt = a;
    l->in = BUF_INIT(PROBER_BODY_MAX);
    l->fd = socket(e->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) {
        link_end(l, prober_result_of(errno));
        return NULL;
    }
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    int on = 1;
    (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (e->fresh)
        (void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    a->sent_ns = prober_now();
    if (connect(l->fd, (const struct sockaddr *)&e->to, e->to_len) != 0 && errno != EINPROGRESS) {
        link_end(l, prober_result_of(errno));
        return NULL;
    }
    return l;
}

/* The kept connection, if it still lives. One that the peer has closed is no more; one on which
 * something came unasked would answer this question with the rest of the last one's answer. */
static struct link *link_idle(struct endpoint *e)
{
    struct link *l = e->idle;
    char byte;
    e->idle = NULL;
    if (l == NULL || (recv(l->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN))
        return l;
    link_free(l);
    return NULL;
}

static void attempt_begin(struct prober_attempt *a)
{
    struct endpoint *e = a->target->state;
    struct link *l = link_idle(e);
    if (l != NULL) {
        l->attempt = a;
        a->state = l;
        a->sent_ns = prober_now();
        link_write(l);
        return;
    }
    l = link_open(e, a);
    if (l == NULL)
        return;
    a->state = l;
    l->events = EPOLLOUT | EPOLLIN;
    l->watch = prober_watch(e->prober, l->fd, l->events, link_ready, l);
    if (l->watch == NULL)
        link_end(l, SAMPLE_GAP);
}

static void attempt_cancel(struct prober_attempt *a)
{
    link_free(a->state);
}

static int endpoint_open(struct prober *p, struct prober_target *t, const void *args,
                         struct err *err)
{
    const struct args *from = args;
    struct endpoint *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "tcp");
    t->state = e;
    e->prober = p;
    e->fresh = t->probe->fresh;
    memcpy(&e->send, &from->send, sizeof(e->send));
    const char *ip = prober_address(t, from->family, err);
    if (ip == NULL)
        return -1;
    return prober_socket_address(ip, (uint16_t)from->port, &e->to, &e->to_len, err);
}

static void endpoint_close(struct prober_target *t)
{
    struct endpoint *e = t->state;
    if (e->idle != NULL)
        link_free(e->idle);
    free(e);
    t->state = NULL;
}

static const char *check(const void *args, const struct probe_expect *expect, bool fresh,
                         struct err *err)
{
    const struct args *a = args;
    (void)expect;
    if (fresh || a->send.len != 0)
        return NULL;
    (void)make_error(err, ERR_INPUT, 0,
                     "a kept connection on which nothing is sent is asked nothing");
    return "connection";
}

static const struct probe_ops ops = {
    .open = endpoint_open,
    .close = endpoint_close,
    .begin = attempt_begin,
    .cancel = attempt_cancel,
};

const struct probe_kind probe_tcp = {
    .name = "tcp",
    .summary = "A TCP connection, good when it is made and says what is expected.",
    .doc =
        "Connects to a port of each endpoint. With `send`, the text goes out once connected and "
        "any answer is good, or one that matches `expect.body`. A number that `expect` asks for is "
        "whole once something follows it, or the server has closed. A connection closed early is "
        "bad. A fresh connection is closed with a reset; `connection: kept` keeps one, asks "
        "again on it (which takes `send`), and makes a new one when it has ended or is busy.",
    .example = "probes:\n"
               "  ping:\n"
               "    kind: tcp\n"
               "    port: 6379\n"
               "    send: \"PING\\r\\n\"\n"
               "    hosts: [n1]\n"
               "    every: 50ms\n"
               "    timeout: 500ms\n"
               "    expect: {body: PONG}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
