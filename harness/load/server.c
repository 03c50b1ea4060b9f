/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_MAX = 8192, ANSWER_MAX = 8192, LIMIT_S = 5 };

struct server {
    struct event_base *base;
    struct evconnlistener *listener;
    void (*fill)(void *ctx, struct buf *out);
    void *ctx;
    struct guest *guests;
};

/* One connection; it ends with its answer. */
struct guest {
    struct server *server;
    struct bufferevent *stream;
    struct guest *next, **at;
};

static void guest_close(struct guest *g)
{
    *g->at = g->next;
    if (g->next != NULL)
        g->next->at = g->at;
    bufferevent_free(g->stream);
    free(g);
}

static void on_written(struct bufferevent *stream, void *ctx)
{
    (void)stream;
    guest_close(ctx);
}

static void on_end(struct bufferevent *stream, short what, void *ctx)
{
    (void)stream;
    (void)what;
    guest_close(ctx);
}

static void on_request(struct bufferevent *stream, void *ctx)
{
    struct guest *g = ctx;
    struct evbuffer *in = bufferevent_get_input(stream);
    if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0) {
        if (evbuffer_get_length(in) > REQUEST_MAX)
            guest_close(g);
        return;
    }
    CLEANUP_BUF struct buf body = BUF_INIT(ANSWER_MAX);
    g->server->fill(g->server->ctx, &body);
    (void)bufferevent_disable(stream, EV_READ);
    bufferevent_setcb(stream, NULL, on_written, on_end, g);
    (void)evbuffer_add_printf(bufferevent_get_output(stream),
                              "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                              "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                              body.len, buf_text(&body));
}

static void on_guest(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *from, int len,
                     void *ctx)
{
    static const struct timeval limit = {.tv_sec = LIMIT_S};
    struct server *s = ctx;
    struct guest *g = calloc(1, sizeof(*g));
    (void)l;
    (void)from;
    (void)len;
    struct bufferevent *stream =
        g != NULL ? bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE) : NULL;
    if (stream == NULL) {
        free(g);
        (void)evutil_closesocket(fd);
        return;
    }
    *g = (struct guest){.server = s, .stream = stream, .next = s->guests, .at = &s->guests};
    if (s->guests != NULL)
        s->guests->at = &g->next;
    s->guests = g;
    bufferevent_setcb(stream, on_request, NULL, on_end, g);
    (void)bufferevent_set_timeouts(stream, &limit, &limit);
    (void)bufferevent_enable(stream, EV_READ | EV_WRITE);
}

int server_open(struct event_base *base, uint16_t port, void (*fill)(void *ctx, struct buf *out),
                void *ctx, struct server **ret, struct err *err)
{
    struct server *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (s == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "load");
    *s = (struct server){.base = base, .fill = fill, .ctx = ctx};
    s->listener = evconnlistener_new_bind(
        base, on_guest, s, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, -1,
        (const struct sockaddr *)&at, sizeof(at));
    if (s->listener == NULL) {
        int why = errno;
        free(s);
        return make_error(err, ERR_SYSTEM, why, "its counters on port %u of loopback",
                          (unsigned)port);
    }
    *ret = s;
    return 0;
}

void server_close(struct server *s)
{
    if (s == NULL)
        return;
    while (s->guests != NULL)
        guest_close(s->guests);
    evconnlistener_free(s->listener);
    free(s);
}
