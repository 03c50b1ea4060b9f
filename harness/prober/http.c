/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * HTTP by libcurl's multi interface on the prober's loop. One multi handle grows worse than
 * linearly with its transfers, so transfers are dealt out to many; the time-out is the loop's.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "prober/http_result.h"
#include "prober/loop.h"
#include "prober/url.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_HEAD };
static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", NULL};

struct args {
    struct text url, body, ca;
    int method, family;
    bool verify;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, url, .required = true, .min = 1, .max = 4096,
      .doc = "Where to ask; ${host} is the endpoint's name, ${host.ip} and ${host.ip6} its "
             "addresses, an IPv6 one in brackets: http://[${host.ip6}]:80/. ${host} is never "
             "looked up."),
    P(struct args, PARAM_ENUM, method, .choices = methods, .def = "GET", .doc = "What to send."),
    P(struct args, PARAM_TEXT, body,
      .doc = "The body of the request; one that begins with { or [ goes out as "
             "application/json."),
    P(struct args, PARAM_ENUM, family, .choices = prober_families, .def = "any",
      .doc = PROBER_FAMILY_DOC " Of ${host} in the url."),
    P(struct args, PARAM_BOOL, verify, .def = "true",
      .doc = "Check the server's certificate on https."),
    P(struct args, PARAM_TEXT, ca,
      .doc = "https: the certificates in PEM that are trusted, instead of the machine's own."),
};

enum { SHARDS = 32, HANDLES_READY = 64 };

struct http;

struct shard {
    struct http *http;
    CURLM *multi;
    struct prober_timer timer;
    unsigned load; /* transfers on it */
};

struct http {
    struct prober *prober;
    struct shard shards[SHARDS];
    unsigned next;
};

/* One endpoint; its idle handles, all options set, wait for the next slot. */
struct endpoint {
    struct http *http;
    struct args *args;
    struct curl_slist *connect_to, *headers;
    bool fresh, has_body;
    unsigned home; /* the shard that keeps its connections, when they are kept */
    struct transfer *idle;
};

struct transfer {
    CURL *easy;
    struct shard *shard;
    struct endpoint *endpoint;
    struct prober_attempt *attempt;
    struct buf body;
    uint64_t bytes;
    struct transfer *next;
};

static void transfer_settle(struct transfer *t)
{
    t->shard->load--;
    t->attempt = NULL;
    buf_drop(&t->body, t->body.len);
    t->bytes = 0;
    t->next = t->endpoint->idle;
    t->endpoint->idle = t;
}

static void transfer_finish(struct transfer *t, CURLcode code)
{
    struct prober_attempt *a = t->attempt;
    enum sample_result result = SAMPLE_GOOD;
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        result = http_result_of(t->easy, code);
    else
        result = prober_judge(a, (unsigned)status, 200, 299, buf_text(&t->body), t->body.len);
    uint32_t bytes = t->bytes < UINT32_MAX ? (uint32_t)t->bytes : UINT32_MAX;
    (void)curl_multi_remove_handle(t->shard->multi, t->easy);
    transfer_settle(t);
    prober_done(a, result, (uint16_t)status, bytes);
}

static void shard_collect(struct shard *s)
{
    int left = 0;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(s->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result;
        void *t = NULL;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        transfer_finish(t, code);
    }
}

static void shard_kick(struct shard *s, curl_socket_t fd, int events)
{
    int running = 0;
    (void)curl_multi_socket_action(s->multi, fd, events, &running);
    shard_collect(s);
}

static void shard_timer(void *ctx)
{
    shard_kick(ctx, CURL_SOCKET_TIMEOUT, 0);
}

/* What a watch of a socket needs: curl's socket data. */
struct socket_watch {
    struct shard *shard;
    curl_socket_t fd;
    struct prober_watch *watch;
};

static void socket_ready(void *ctx, uint32_t events)
{
    struct socket_watch *w = ctx;
    int flags = (events & EPOLLIN ? CURL_CSELECT_IN : 0) |
                (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
    shard_kick(w->shard, w->fd, flags);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket)
{
    struct shard *s = ctx;
    struct socket_watch *w = socket;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            prober_unwatch(s->http->prober, w->watch);
        free(w);
        (void)curl_multi_assign(s->multi, fd, NULL);
        return 0;
    }
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
    if (w != NULL) {
        prober_rewatch(s->http->prober, w->watch, events);
        return 0;
    }
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        return -1;
    *w = (struct socket_watch){.shard = s, .fd = fd};
    w->watch = prober_watch(s->http->prober, fd, events, socket_ready, w);
    if (w->watch == NULL) {
        free(w);
        return -1;
    }
    (void)curl_multi_assign(s->multi, fd, w);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct shard *s = ctx;
    (void)multi;
    /* Zero means at once: the loop runs timers once per round. */
    s->timer.at_ns = ms < 0 ? 0 : prober_now() + ms * NS_PER_MS;
    return 0;
}

static void http_free(void *place)
{
    struct http *h = place;
    if (h == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        if (h->shards[i].multi != NULL) {
            prober_timer_remove(h->prober, &h->shards[i].timer);
            (void)curl_multi_cleanup(h->shards[i].multi);
        }
    }
    free(h);
}

static struct http *http_new(struct prober *p)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct http *h = calloc(1, sizeof(*h));
    if (h == NULL)
        return NULL;
    h->prober = p;
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *s = &h->shards[i];
        s->http = h;
        s->multi = curl_multi_init();
        if (s->multi == NULL) {
            http_free(h);
            return NULL;
        }
        s->timer = (struct prober_timer){.ready = shard_timer, .ctx = s};
        prober_timer_add(p, &s->timer);
        (void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
        (void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
        (void)curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer);
        (void)curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
    }
    return h;
}

/* A fresh connection ends with a reset, else a fast probe fills the ports with TIME_WAIT. */
static int on_socket_open(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    const struct transfer *t = ctx;
    (void)purpose;
    /* Next comes connect(): what curl did before it belongs to no send. */
    if (t->attempt != NULL && t->attempt->beginning)
        t->attempt->sent_ns = prober_now();
    if (t->endpoint->fresh) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    return CURL_SOCKOPT_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * n, room = PROBER_BODY_MAX - t->body.len;
    t->bytes += len;
    buf_add(&t->body, data, len < room ? len : room);
    return len;
}

static const long ip_versions[] = {CURL_IPRESOLVE_WHATEVER, CURL_IPRESOLVE_V4, CURL_IPRESOLVE_V6};

static void easy_setup(struct transfer *t)
{
    const struct endpoint *e = t->endpoint;
    CURL *c = t->easy;
    (void)curl_easy_setopt(c, CURLOPT_URL, e->args->url.s);
    (void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, methods[e->args->method]);
    if (e->args->method == HTTP_HEAD)
        (void)curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (e->args->body.len != 0 || e->args->method == HTTP_POST) {
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, e->args->body.s);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)e->args->body.len);
    }
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, e->headers);
    (void)curl_easy_setopt(c, CURLOPT_CONNECT_TO, e->connect_to);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, e->args->verify ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, e->args->verify ? 2L : 0L);
    if (e->args->ca.len != 0) {
        struct curl_blob ca = {e->args->ca.s, e->args->ca.len, CURL_BLOB_NOCOPY};
        (void)curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &ca);
        (void)curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    (void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, e->fresh ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_FORBID_REUSE, e->fresh ? 1L : 0L);
    (void)curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, on_socket_open);
    (void)curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    (void)curl_easy_setopt(c, CURLOPT_IPRESOLVE, ip_versions[e->args->family]);
}

static struct transfer *transfer_new(struct endpoint *e)
{
    struct transfer *t = calloc(1, sizeof(*t));
    if (t == NULL)
        return NULL;
    t->endpoint = e;
    t->body = BUF_INIT(PROBER_BODY_MAX);
    t->easy = curl_easy_init();
    if (t->easy == NULL) {
        free(t);
        return NULL;
    }
    easy_setup(t);
    return t;
}

static const char *check(const void *args, const struct probe_expect *expect, bool fresh,
                         struct err *err)
{
    const struct args *a = args;
    (void)expect;
    (void)fresh;
    CLEANUP_URL struct url url;
    return url_read(a->url.s, &url, err) != 0 ? "url" : NULL;
}

/* "name:port:address:port", so that no name of a host is ever looked up while time is measured.
 * (CURLOPT_RESOLVE would hold only for the multi handle that saw the transfer first.) */
static int connect_to_make(struct endpoint *e, const struct prober_target *t, struct err *err)
{
    char line[NAME_MAX_LEN + INET6_ADDRSTRLEN + 32];
    CLEANUP_URL struct url url;
    int r = url_read(e->args->url.s, &url, err);
    if (r == 0 && strcmp(url.host, t->name) == 0) {
        const char *ip = prober_address(t, e->args->family, err);
        bool v6 = ip != NULL && strchr(ip, ':') != NULL;
        (void)snprintf(line, sizeof(line), "%s:%s:%s%s%s:%s", url.host, url.port, v6 ? "[" : "",
                       ip != NULL ? ip : "", v6 ? "]" : "", url.port);
        e->connect_to = curl_slist_append(NULL, line);
        r = ip != NULL ? 0 : -1;
    }
    return r;
}

static void endpoint_close(struct prober_target *t)
{
    struct endpoint *e = t->state;
    while (e->idle != NULL) {
        struct transfer *next = e->idle->next;
        curl_easy_cleanup(e->idle->easy);
        buf_free(&e->idle->body);
        free(e->idle);
        e->idle = next;
    }
    curl_slist_free_all(e->connect_to);
    curl_slist_free_all(e->headers);
    free(e->args);
    free(e);
    t->state = NULL;
}

static int endpoint_open(struct prober *p, struct prober_target *t, const void *args,
                         struct err *err)
{
    void **place = prober_http_place(p, http_free);
    if (*place == NULL)
        *place = http_new(p);
    struct endpoint *e = *place != NULL ? calloc(1, sizeof(*e)) : NULL;
    if (e == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "http");
    t->state = e;
    e->http = *place;
    e->fresh = t->probe->fresh;
    e->home = e->http->next++ % SHARDS;
    e->args = malloc(sizeof(*e->args));
    if (e->args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "http");
    memcpy(e->args, args, sizeof(*e->args));
    if (e->args->body.len != 0 && (e->args->body.s[0] == '{' || e->args->body.s[0] == '['))
        e->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (connect_to_make(e, t, err) != 0)
        return -1;
    /* As many as hang in an outage, within reason: a slot is not to wait for curl to set one up. */
    int64_t n = t->probe->timeout_ns / t->probe->every_ns + 2;
    for (int64_t i = 0; i < n && i < HANDLES_READY; i++) {
        struct transfer *ready = transfer_new(e);
        if (ready == NULL)
            return make_error(err, ERR_SYSTEM, ENOMEM, "http");
        ready->next = e->idle;
        e->idle = ready;
    }
    return 0;
}

static void attempt_begin(struct prober_attempt *a)
{
    struct endpoint *e = a->target->state;
    struct transfer *t = e->idle;
    if (t != NULL)
        e->idle = t->next;
    else
        t = transfer_new(e);
    if (t == NULL) {
        prober_done(a, SAMPLE_GAP, 0, 0);
        return;
    }
    struct http *h = e->http;
    struct shard *s = &h->shards[e->home];
    /* The least loaded of the next few; kept connections live in one place. */
    for (unsigned i = 0; e->fresh && i < 4; i++) {
        struct shard *other = &h->shards[h->next++ % SHARDS];
        s = i == 0 || other->load < s->load ? other : s;
    }
    t->attempt = a;
    t->shard = s;
    s->load++;
    a->state = t;
    a->sent_ns = prober_now();
    if (curl_multi_add_handle(s->multi, t->easy) != CURLM_OK) {
        transfer_settle(t);
        prober_done(a, SAMPLE_GAP, 0, 0);
        return;
    }
    shard_kick(s, CURL_SOCKET_TIMEOUT, 0);
}

static void attempt_cancel(struct prober_attempt *a)
{
    struct transfer *t = a->state;
    (void)curl_multi_remove_handle(t->shard->multi, t->easy);
    transfer_settle(t);
}

static const struct probe_ops ops = {
    .open = endpoint_open,
    .close = endpoint_close,
    .begin = attempt_begin,
    .cancel = attempt_cancel,
};

const struct probe_kind probe_http = {
    .name = "http",
    .summary = "An HTTP request, good when status, body and latency are as expected.",
    .doc = "Sends one request to each endpoint of every slot and reads the whole answer. Redirects "
           "are not followed, no proxy is used. The status must lie in 200-299 unless `expect` "
           "says otherwise; `expect.body` is an extended regular expression, matched line by line, "
           "of which the first 64 KiB of the answer are asked. A fresh connection is closed with a "
           "reset; `connection: kept` keeps one open and notices what happens to it.",
    .example = "probes:\n"
               "  write:\n"
               "    kind: http\n"
               "    url: http://${host}:2379/v3/kv/put\n"
               "    method: POST\n"
               "    body: '{\"key\": \"YQ==\", \"value\": \"Yg==\"}'\n"
               "    hosts: {label: member}\n"
               "    endpoints: any\n"
               "    every: 100ms\n"
               "    timeout: 1s\n"
               "    expect: {status: 200, body: revision, latency: 100ms}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
