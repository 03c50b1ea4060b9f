/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP by libcurl's multi interface. One multi handle grows worse than linearly with its transfers,
 * so users are dealt out to many; time-outs are the model's. */
#include "base/buf.h"
#include "load/load.h"

#include <curl/curl.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { SHARDS = 32, TEXT_MAX = 65536 };

static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", NULL};
enum { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_HEAD };

struct args {
    struct text url, body, ca;
    int method;
    int64_t status;
    bool verify;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, url, .required = true, .min = 1, .max = 4096,
      .doc = "What is asked for; ${host} is the host's name, ${host.ip} and ${host.ip6} its "
             "addresses, {id} the number of the operation, which its retries share, {user} that of "
             "the user. No name is looked up: the connection goes to the host."),
    P(struct args, PARAM_ENUM, method, .choices = methods, .def = "GET", .doc = "How."),
    P(struct args, PARAM_TEXT, body, .max = 16384,
      .doc = "What is sent, with {id} and {user}; one that begins with { or [ goes out as "
             "application/json."),
    P(struct args, PARAM_INT, status, .max = 599,
      .doc = "The status that is a success. Without it, any from 200 to 299."),
    P(struct args, PARAM_BOOL, verify, .def = "true",
      .doc = "Check the server's certificate on https."),
    P(struct args, PARAM_TEXT, ca,
      .doc = "https: the certificates in PEM that are trusted, instead of the machine's own."),
};

struct shard {
    struct http *http;
    CURLM *multi;
    struct event *timer;
};

struct http {
    struct load_place *place;
    struct shard shards[SHARDS];
    struct curl_slist *json;
    struct curl_slist *hosts[LOAD_HOSTS_MAX]; /* where connections go */
};

struct client {
    struct http *http;
    const struct args *args;
    struct shard *shard;
    CURL *easy;
    size_t user;
    bool sent;
    struct buf url, body;
};

static enum load_outcome outcome_of(const struct args *a, CURLcode code, long status)
{
    if (code == CURLE_OPERATION_TIMEDOUT)
        return LOAD_TIMEOUT;
    if (code != CURLE_OK)
        return LOAD_REFUSED;
    if (a->status != 0 ? status == a->status : status >= 200 && status <= 299)
        return LOAD_OK;
    if (status == 409 || status == 412)
        return LOAD_CONFLICT;
    return status == 429 || status >= 500 ? LOAD_ERROR : LOAD_OTHER;
}

static void shard_collect(struct shard *s)
{
    int left = 0;
    CURLMsg *msg;
    while ((msg = curl_multi_info_read(s->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        CURLcode code = msg->data.result;
        void *at = NULL;
        long status = 0;
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&at);
        (void)curl_easy_getinfo(msg->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        struct client *c = at;
        (void)curl_multi_remove_handle(s->multi, c->easy);
        c->sent = false;
        struct load_place *p = c->http->place;
        p->answered(p->ctx, c->user, outcome_of(c->args, code, status));
    }
}

static void on_timer_due(evutil_socket_t fd, short what, void *ctx)
{
    struct shard *s = ctx;
    int running = 0;
    (void)fd;
    (void)what;
    (void)curl_multi_socket_action(s->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    shard_collect(s);
}

static void on_socket_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct shard *s = ctx;
    int running = 0;
    int flags = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
    (void)curl_multi_socket_action(s->multi, fd, flags, &running);
    shard_collect(s);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket)
{
    struct shard *s = ctx;
    struct event *watch = socket;
    (void)easy;
    if (watch != NULL)
        event_free(watch);
    watch = NULL;
    if (what != CURL_POLL_REMOVE) {
        int events = EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
                     (what & CURL_POLL_OUT ? EV_WRITE : 0);
        watch = event_new(s->http->place->base, fd, (short)events, on_socket_ready, s);
        if (watch == NULL || event_add(watch, NULL) != 0)
            return -1;
    }
    (void)curl_multi_assign(s->multi, fd, watch);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *ctx)
{
    struct shard *s = ctx;
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    (void)multi;
    return ms < 0 ? evtimer_del(s->timer) : evtimer_add(s->timer, &tv);
}

static void http_end(struct load_place *p)
{
    struct http *h = p->state;
    if (h == NULL)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        if (h->shards[i].multi != NULL)
            (void)curl_multi_cleanup(h->shards[i].multi);
        if (h->shards[i].timer != NULL)
            event_free(h->shards[i].timer);
    }
    for (size_t i = 0; i < LOAD_HOSTS_MAX; i++)
        curl_slist_free_all(h->hosts[i]);
    curl_slist_free_all(h->json);
    free(h);
    p->state = NULL;
}

static bool shard_begin(struct shard *s, struct http *h)
{
    s->http = h;
    s->multi = curl_multi_init();
    s->timer = evtimer_new(h->place->base, on_timer_due, s);
    if (s->multi == NULL || s->timer == NULL)
        return false;
    (void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
    (void)curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
    (void)curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)LOAD_USERS_MAX / SHARDS + 1);
    return true;
}

static int http_begin(struct load_place *p, struct err *err)
{
    struct http *h = calloc(1, sizeof(*h));
    bool ok = h != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    p->state = h;
    if (ok) {
        h->place = p;
        h->json = curl_slist_append(NULL, "Content-Type: application/json");
        ok = h->json != NULL;
    }
    for (size_t i = 0; ok && i < p->n_hosts; i++) {
        const char *ip = named_host_address(&p->hosts[i]);
        bool v6 = strchr(ip, ':') != NULL;
        char line[INET6_ADDRSTRLEN + 8];
        (void)snprintf(line, sizeof(line), "::%s%s%s:", v6 ? "[" : "", ip, v6 ? "]" : "");
        h->hosts[i] = curl_slist_append(NULL, line);
        ok = h->hosts[i] != NULL;
    }
    for (size_t i = 0; ok && i < SHARDS; i++)
        ok = shard_begin(&h->shards[i], h);
    if (ok)
        return 0;
    http_end(p);
    return make_error(err, ERR_SYSTEM, ENOMEM, "http");
}

/* A fresh connection ends with a reset, else a high rate fills the ports with TIME_WAIT. */
static int on_socket_open(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    const struct client *c = ctx;
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)purpose;
    if (c->http->place->fresh)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    return CURL_SOCKOPT_OK;
}

static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * n;
}

static void easy_setup(struct client *c)
{
    CURL *e = c->easy;
    const struct args *a = c->args;
    long fresh = c->http->place->fresh ? 1L : 0L;
    (void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, methods[a->method]);
    if (a->method == METHOD_HEAD)
        (void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    if (a->body.len != 0 && (a->body.s[0] == '{' || a->body.s[0] == '['))
        (void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->http->json);
    (void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(e, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, a->verify ? 1L : 0L);
    (void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, a->verify ? 2L : 0L);
    if (a->ca.len != 0) {
        struct curl_blob ca = {(void *)(uintptr_t)a->ca.s, a->ca.len, CURL_BLOB_NOCOPY};
        (void)curl_easy_setopt(e, CURLOPT_CAINFO_BLOB, &ca);
        (void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    }
    (void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, fresh);
    (void)curl_easy_setopt(e, CURLOPT_FORBID_REUSE, fresh);
    (void)curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, on_socket_open);
    (void)curl_easy_setopt(e, CURLOPT_SOCKOPTDATA, c);
    (void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(e, CURLOPT_PRIVATE, c);
}

static int client_open(struct load_place *p, size_t user, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "http");
    c->http = p->state;
    c->args = p->args;
    c->user = user;
    c->shard = &c->http->shards[user % SHARDS];
    c->url = BUF_INIT(TEXT_MAX);
    c->body = BUF_INIT(TEXT_MAX);
    c->easy = curl_easy_init();
    if (c->easy == NULL) {
        free(c);
        return make_error(err, ERR_SYSTEM, ENOMEM, "http");
    }
    easy_setup(c);
    *ret = c;
    return 0;
}

static void client_cancel(void *client)
{
    struct client *c = client;
    if (c->sent)
        (void)curl_multi_remove_handle(c->shard->multi, c->easy);
    c->sent = false;
}

static void client_close(void *client)
{
    struct client *c = client;
    client_cancel(c);
    curl_easy_cleanup(c->easy);
    buf_free(&c->url);
    buf_free(&c->body);
    free(c);
}

static void client_send(void *client, uint64_t id, size_t host)
{
    struct client *c = client;
    struct load_place *p = c->http->place;
    buf_drop(&c->url, c->url.len);
    buf_drop(&c->body, c->body.len);
    load_template(c->args->url.s, id, c->user, &p->hosts[host], &c->url);
    load_template(c->args->body.s, id, c->user, &p->hosts[host], &c->body);
    (void)curl_easy_setopt(c->easy, CURLOPT_URL, buf_text(&c->url));
    (void)curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->http->hosts[host]);
    if (c->args->body.len != 0 || c->args->method == METHOD_POST) {
        (void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, buf_text(&c->body));
        (void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)c->body.len);
    }
    c->sent = curl_multi_add_handle(c->shard->multi, c->easy) == CURLM_OK;
    if (!c->sent)
        p->answered(p->ctx, c->user, LOAD_REFUSED);
}

static const char *check(const void *args, struct err *err)
{
    const struct args *a = args;
    if (strncmp(a->url.s, "http://", 7) == 0 || strncmp(a->url.s, "https://", 8) == 0)
        return NULL;
    (void)make_error(err, ERR_INPUT, 0, "begins with http:// or https://");
    return "url";
}

static const struct load_ops ops = {.begin = http_begin,
                                    .end = http_end,
                                    .open = client_open,
                                    .close = client_close,
                                    .send = client_send,
                                    .cancel = client_cancel};

const struct load_kind load_http = {
    .name = "http",
    .summary = "An HTTP request, a success when its status is as expected.",
    .doc = "Reads the whole answer. Redirects are not followed, no proxy is used. A status of 409 "
           "or 412 counts as a conflict, 429 and all from 500 on as 5xx. A kept connection that "
           "turns out to be dead is replaced without a count, as HTTP libraries do.",
    .example = "buyers:\n  kind: http\n  hosts: front\n  users: 20\n  think: 100ms\n"
               "  url: http://${host}/buy\n  method: POST\n  body: '{\"order\": {id}}'\n"
               "  retry: {limit: 5, backoff: 10ms}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
