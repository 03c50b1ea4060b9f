/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to name servers: one datagram each, or TCP. */
#include "prober/dns_message.h"
#include "prober/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OVER_UDP, OVER_TCP };
static const char *const protocols[] = {"udp", "tcp", NULL};

struct args {
    struct text name;
    int type, protocol, family;
    int64_t port;
    bool recursion;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, name, .required = true, .min = 1, .max = 254,
      .doc = "The name to ask for, whole: nothing is put behind it."),
    P(struct args, PARAM_ENUM, type, .choices = dns_types, .def = "A",
      .doc = "Which of its records."),
    P(struct args, PARAM_INT, port, .def = "53", .min = 1, .max = 65535,
      .doc = "Where the name server listens at each endpoint's address."),
    P(struct args, PARAM_ENUM, protocol, .choices = protocols, .def = "udp",
      .doc = "How it is asked; udp asks again by TCP when the answer says that it was cut off."),
    P(struct args, PARAM_BOOL, recursion, .def = "true",
      .doc = "Ask it to find out what it does not know itself."),
    P(struct args, PARAM_ENUM, family, .choices = prober_families, .def = "any",
      .doc = PROBER_FAMILY_DOC),
};

struct endpoint {
    struct prober *prober;
    struct sockaddr_storage to;
    socklen_t to_len;
    struct dns_query query;
    int protocol;
};

/* One question under way. */
struct exchange {
    struct endpoint *endpoint;
    struct prober_attempt *attempt;
    struct prober_watch *watch;
    struct dns_query query; /* with its number */
    int fd;
    bool stream;
    size_t sent;   /* of the query with its length before it */
    struct buf in; /* of a stream */
};

static void exchange_close(struct exchange *x)
{
    prober_unwatch(x->endpoint->prober, x->watch);
    x->watch = NULL;
    if (x->fd >= 0)
        (void)close(x->fd);
    x->fd = -1;
}

static void exchange_free(struct exchange *x)
{
    exchange_close(x);
    buf_free(&x->in);
    free(x);
}

static void exchange_end(struct exchange *x, enum sample_result result, uint16_t status, size_t len)
{
    struct prober_attempt *a = x->attempt;
    exchange_free(x);
    prober_done(a, result, status, (uint32_t)len);
}

static void exchange_dial(struct exchange *x, bool stream);

/* False: that is no answer to this question. Else the exchange goes on by itself, or has ended. */
static bool exchange_judge(struct exchange *x, const unsigned char *message, size_t len)
{
    CLEANUP_BUF struct buf body = BUF_INIT(PROBER_BODY_MAX);
    struct dns_reply reply;
    enum dns_reading reading = dns_read(&x->query, message, len, &reply, &body);
    if (reading == DNS_OTHER)
        return false;
    if (reading == DNS_BROKEN)
        exchange_end(x, SAMPLE_CONTENT, 0, len);
    else if (reply.truncated && !x->stream)
        exchange_dial(x, true);
    else
        exchange_end(x,
                     reply.truncated
                         ? SAMPLE_CONTENT
                         : prober_judge(x->attempt, reply.rcode, 0, 0, buf_text(&body), body.len),
                     reply.rcode, len);
    return true;
}

static void datagram_ready(void *ctx, uint32_t events)
{
    static unsigned char message[DNS_MESSAGE_MAX]; /* the loop is one thread */
    struct exchange *x = ctx;
    (void)events;
    for (;;) {
        ssize_t n = recv(x->fd, message, sizeof(message), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            exchange_end(x, prober_result_of(errno), 0, 0);
        if (n < 0 || exchange_judge(x, message, (size_t)n))
            return;
    }
}

static void stream_write(struct exchange *x)
{
    unsigned char out[2 + DNS_QUERY_MAX] = {(unsigned char)(x->query.len >> 8),
                                            (unsigned char)x->query.len};
    size_t len = 2 + x->query.len;
    memcpy(out + 2, x->query.bytes, x->query.len);
    ssize_t n = send(x->fd, out + x->sent, len - x->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0) {
        exchange_end(x, prober_result_of(errno), 0, 0);
        return;
    }
    x->sent += (size_t)n;
    if (x->sent == len)
        prober_rewatch(x->endpoint->prober, x->watch, EPOLLIN);
}

static void stream_read(struct exchange *x)
{
    char chunk[16384];
    ssize_t n = recv(x->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        exchange_end(x, n == 0 ? SAMPLE_RESET : prober_result_of(errno), 0, 0);
        return;
    }
    size_t room = x->in.max - x->in.len;
    buf_add(&x->in, chunk, (size_t)n < room ? (size_t)n : room);
    const unsigned char *in = (const unsigned char *)x->in.data;
    size_t len = x->in.len >= 2 ? (size_t)(in[0] << 8 | in[1]) : SIZE_MAX;
    /* On a connection of its own there is no other question that it could belong to. */
    if (len != SIZE_MAX && x->in.len >= 2 + len && !exchange_judge(x, in + 2, len))
        exchange_end(x, SAMPLE_CONTENT, 0, len);
}

static void stream_ready(void *ctx, uint32_t events)
{
    struct exchange *x = ctx;
    int sys = 0;
    socklen_t len = sizeof(sys);
    if (x->sent == 0 && getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &sys, &len) == 0 && sys != 0)
        exchange_end(x, prober_result_of(sys), 0, 0);
    else if (x->sent < 2 + x->query.len && (events & EPOLLOUT) != 0)
        stream_write(x);
    else
        stream_read(x);
}

/* A socket of its own for each question, so that a late answer to another cannot come in. */
static void exchange_dial(struct exchange *x, bool stream)
{
    const struct endpoint *e = x->endpoint;
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    exchange_close(x);
    x->stream = stream;
    x->fd = socket(e->to.ss_family,
                   (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (x->fd < 0) {
        exchange_end(x, prober_result_of(errno), 0, 0);
        return;
    }
    if (stream)
        (void)setsockopt(x->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    int r = connect(x->fd, (const struct sockaddr *)&e->to, e->to_len);
    if (r == 0 && !stream)
        r = send(x->fd, x->query.bytes, x->query.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
    if (r != 0 && errno != EINPROGRESS) {
        exchange_end(x, prober_result_of(errno), 0, 0);
        return;
    }
    x->watch = prober_watch(e->prober, x->fd, stream ? EPOLLIN | EPOLLOUT : EPOLLIN,
                            stream ? stream_ready : datagram_ready, x);
    if (x->watch == NULL)
        exchange_end(x, SAMPLE_GAP, 0, 0);
}

static void attempt_begin(struct prober_attempt *a)
{
    struct endpoint *e = a->target->state;
    struct exchange *x = calloc(1, sizeof(*x));
    uint16_t id = 0;
    if (x == NULL) {
        prober_done(a, SAMPLE_GAP, 0, 0);
        return;
    }
    *x = (struct exchange){.endpoint = e,
                           .attempt = a,
                           .query = e->query,
                           .fd = -1,
                           .in = BUF_INIT(2 + DNS_MESSAGE_MAX)};
    (void)!getrandom(&id, sizeof(id), GRND_NONBLOCK);
    dns_query_number(&x->query, id);
    a->state = x;
    a->sent_ns = prober_now();
    exchange_dial(x, e->protocol == OVER_TCP);
}

static void attempt_cancel(struct prober_attempt *a)
{
    exchange_free(a->state);
}

static int endpoint_open(struct prober *p, struct prober_target *t, const void *args,
                         struct err *err)
{
    const struct args *from = args;
    struct endpoint *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "dns");
    t->state = e;
    e->prober = p;
    e->protocol = from->protocol;
    const char *ip = prober_address(t, from->family, err);
    if (ip == NULL || prober_socket_address(ip, (uint16_t)from->port, &e->to, &e->to_len, err) != 0)
        return -1;
    return dns_query_make(from->name.s, dns_type_numbers[from->type], from->recursion, &e->query,
                          err);
}

static void endpoint_close(struct prober_target *t)
{
    free(t->state);
    t->state = NULL;
}

static const char *check(const void *args, const struct probe_expect *expect, bool fresh,
                         struct err *err)
{
    const struct args *a = args;
    struct dns_query query;
    if (!fresh) {
        (void)make_error(err, ERR_INPUT, 0, "each question has a socket of its own");
        return "connection";
    }
    if ((expect->status_lo != 0 || expect->status_hi != 0) && !expect->has_rcode) {
        (void)make_error(err, ERR_INPUT, 0, "write rcode for a name server's status");
        return "expect";
    }
    return dns_query_make(a->name.s, 1, true, &query, err) != 0 ? "name" : NULL;
}

static const struct probe_ops ops = {
    .open = endpoint_open,
    .close = endpoint_close,
    .begin = attempt_begin,
    .cancel = attempt_cancel,
};

const struct probe_kind probe_dns = {
    .name = "dns",
    .summary = "A question to a name server, good when the answer is as expected.",
    .doc = "Asks each endpoint, as a name server, for a name's records: one datagram, which is not "
           "sent again. The response code must be NOERROR unless `expect.rcode` says otherwise, "
           "`expect.address` must be among the answers, and `expect.body` and `expect.number` look "
           "at the answers as text, one a line as zone files have them: www.example.org 300 A "
           "192.0.2.1 (name, seconds to live, type, data; names in lower case, without a last "
           "dot). A name without such records is NOERROR without a line.",
    .example = "probes:\n"
               "  names:\n"
               "    kind: dns\n"
               "    name: www.example.org\n"
               "    hosts: [db]\n"
               "    every: 100ms\n"
               "    timeout: 1s\n"
               "    expect: {address: 192.0.2.1}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .rcodes = true,
    .check = check,
    .ops = &ops,
};
