/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redis by hiredis' asynchronous interface: a command, or a transaction that gives way to others.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "load/load.h"

#include <errno.h>
#include <event2/event.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
/* */
#include <hiredis/adapters/libevent.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_MAX = 8192 };

struct args {
    struct text command, password;
    struct name optimistic;
    struct duration work;
    int64_t port;
};

static const struct param params[] = {
    P(struct args, PARAM_NAME, optimistic,
      .doc = "The key of a transaction that is done only when nobody else wrote meanwhile: WATCH, "
             "GET, then MULTI, SET of the number that was read plus one, EXEC. An EXEC that was "
             "not done is "
             "a conflict. The key's value is the number of successes."),
    P(struct args, PARAM_DURATION, work, .def = "0ms", .max = INT64_C(60000000000),
      .doc = "How long an application takes between its read and its write; of `optimistic`."),
    P(struct args, PARAM_TEXT, command, .max = 4096,
      .doc = "Or a command, split at spaces: SET user:{user} {id}."),
    P(struct args, PARAM_INT, port, .def = "6379", .min = 1, .max = 65535,
      .doc = "Where redis listens on each of the hosts."),
    P(struct args, PARAM_TEXT, password, .max = 512, .doc = "For AUTH."),
};

struct client {
    struct load_place *place;
    const struct args *args;
    size_t user, host; /* where it leads */
    redisAsyncContext *redis;
    struct event *work;
    uint64_t attempt; /* counts; answers to earlier ones are not looked at */
    bool waits;       /* for the answer of one */
    long long value;
};

/* The number of an attempt travels with its commands. */
static void *mark(const struct client *c)
{
    return (void *)(uintptr_t)c->attempt;
}

static bool is_stale(const struct client *c, const void *attempt)
{
    return !c->waits || (uintptr_t)attempt != c->attempt;
}

static void answer(struct client *c, enum load_outcome outcome)
{
    c->waits = false;
    c->place->answered(c->place->ctx, c->user, outcome);
}

static void hang_up(struct client *c)
{
    redisAsyncContext *redis = c->redis;
    c->redis = NULL;
    if (redis == NULL)
        return;
    redis->data = NULL;
    redisAsyncFree(redis);
}

/* The connection is gone: hiredis frees it. */
static void lost(struct client *c)
{
    if (c->redis != NULL)
        c->redis->data = NULL;
    c->redis = NULL;
    (void)evtimer_del(c->work);
    if (c->waits)
        answer(c, LOAD_REFUSED);
}

static void on_connect(const redisAsyncContext *redis, int status)
{
    struct client *c = redis->data;
    if (c != NULL && status != REDIS_OK)
        lost(c);
}

static void on_disconnect(const redisAsyncContext *redis, int status)
{
    struct client *c = redis->data;
    (void)status;
    if (c != NULL)
        lost(c);
}

/* Whether the answer is one to go on with; else what it means was told. */
static bool is_good(struct client *c, const redisReply *r)
{
    if (r == NULL) /* on_disconnect follows */
        return false;
    if (r->type != REDIS_REPLY_ERROR)
        return true;
    answer(c, LOAD_ERROR);
    return false;
}

static void on_exec(redisAsyncContext *redis, void *reply, void *attempt)
{
    struct client *c = redis->data;
    const redisReply *r = reply;
    if (c == NULL || is_stale(c, attempt))
        return;
    if (is_good(c, r))
        answer(c, r->type == REDIS_REPLY_NIL ? LOAD_CONFLICT : LOAD_OK);
}

static void on_plain(redisAsyncContext *redis, void *reply, void *attempt)
{
    struct client *c = redis->data;
    if (c != NULL && !is_stale(c, attempt) && is_good(c, reply))
        answer(c, LOAD_OK);
}

static void write_value(struct client *c)
{
    if (c->redis == NULL)
        return;
    (void)redisAsyncCommand(c->redis, NULL, NULL, "MULTI");
    (void)redisAsyncCommand(c->redis, NULL, NULL, "SET %s %lld", c->args->optimistic.s,
                            c->value + 1);
    (void)redisAsyncCommand(c->redis, on_exec, mark(c), "EXEC");
}

static void on_work(evutil_socket_t fd, short what, void *ctx)
{
    struct client *c = ctx;
    (void)fd;
    (void)what;
    if (c->waits)
        write_value(c);
}

static void on_value(redisAsyncContext *redis, void *reply, void *attempt)
{
    struct client *c = redis->data;
    const redisReply *r = reply;
    if (c == NULL || is_stale(c, attempt) || !is_good(c, r))
        return;
    c->value = r->type == REDIS_REPLY_STRING ? strtoll(r->str, NULL, 10) : 0;
    struct timeval tv = {.tv_sec = (time_t)(c->args->work.ns / NS_PER_SEC),
                         .tv_usec = (suseconds_t)(c->args->work.ns % NS_PER_SEC / NS_PER_US)};
    if (c->args->work.ns == 0)
        write_value(c);
    else
        (void)evtimer_add(c->work, &tv);
}

static void on_watched(redisAsyncContext *redis, void *reply, void *attempt)
{
    struct client *c = redis->data;
    if (c == NULL || is_stale(c, attempt) || !is_good(c, reply))
        return;
    (void)redisAsyncCommand(redis, on_value, mark(c), "GET %s", c->args->optimistic.s);
}

static void send_plain(struct client *c, uint64_t id)
{
    CLEANUP_BUF struct buf text = BUF_INIT(COMMAND_MAX);
    const char *words[64];
    size_t lengths[64], n = 0;
    load_template(c->args->command.s, id, c->user, &c->place->hosts[c->host], &text);
    for (const char *p = buf_text(&text); n < 64; n++) {
        p += strspn(p, " ");
        if (*p == '\0')
            break;
        words[n] = p;
        lengths[n] = strcspn(p, " ");
        p += lengths[n];
    }
    (void)redisAsyncCommandArgv(c->redis, on_plain, mark(c), (int)n, words, lengths);
}

static void dial(struct client *c, size_t host)
{
    const struct named_host *h = &c->place->hosts[host];
    c->host = host;
    redisAsyncContext *redis = redisAsyncConnect(named_host_address(h), (int)c->args->port);
    if (redis != NULL && redis->err != 0) {
        redisAsyncFree(redis);
        redis = NULL;
    }
    if (redis == NULL)
        return;
    redis->data = c;
    if (redisLibeventAttach(redis, c->place->base) != REDIS_OK) {
        redisAsyncFree(redis);
        return;
    }
    (void)redisAsyncSetConnectCallback(redis, on_connect);
    (void)redisAsyncSetDisconnectCallback(redis, on_disconnect);
    c->redis = redis;
    if (c->args->password.len != 0)
        (void)redisAsyncCommand(redis, NULL, NULL, "AUTH %s", c->args->password.s);
}

static void client_send(void *client, uint64_t id, size_t host)
{
    struct client *c = client;
    c->attempt++;
    c->waits = true;
    if (c->redis != NULL && (c->host != host || c->place->fresh))
        hang_up(c);
    if (c->redis == NULL)
        dial(c, host);
    if (c->redis == NULL) {
        answer(c, LOAD_REFUSED);
        return;
    }
    if (c->args->optimistic.s[0] == '\0') {
        send_plain(c, id);
        return;
    }
    (void)redisAsyncCommand(c->redis, on_watched, mark(c), "WATCH %s", c->args->optimistic.s);
}

/* Its answer may still come, and would be taken for that of the next: a new connection. */
static void client_cancel(void *client)
{
    struct client *c = client;
    c->waits = false;
    (void)evtimer_del(c->work);
    hang_up(c);
}

static void client_close(void *client)
{
    struct client *c = client;
    client_cancel(c);
    event_free(c->work);
    free(c);
}

static int client_open(struct load_place *p, size_t user, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "redis");
    c->place = p;
    c->args = p->args;
    c->user = user;
    c->work = evtimer_new(p->base, on_work, c);
    if (c->work == NULL) {
        free(c);
        return make_error(err, ERR_SYSTEM, ENOMEM, "redis");
    }
    *ret = c;
    return 0;
}

static const char *check(const void *args, struct err *err)
{
    const struct args *a = args;
    if ((a->optimistic.s[0] == '\0') == (a->command.len == 0)) {
        (void)make_error(err, ERR_INPUT, 0, "a load on redis has either `optimistic` or `command`");
        return a->command.len != 0 ? "command" : "kind";
    }
    if (a->command.len != 0 && a->command.s[strspn(a->command.s, " ")] == '\0') {
        (void)make_error(err, ERR_INPUT, 0, "no command");
        return "command";
    }
    return NULL;
}

static const struct load_ops ops = {
    .open = client_open, .close = client_close, .send = client_send, .cancel = client_cancel};

const struct load_kind load_redis = {
    .name = "redis",
    .summary = "A command of redis, or an optimistic transaction on one key.",
    .doc = "Each user has a connection of its own to one of the hosts. An error of redis counts as "
           "5xx, a transaction that was not done because somebody else wrote as a conflict.",
    .example = "logins:\n  kind: redis\n  hosts: redis\n  users: 2\n  optimistic: counter\n"
               "  retry: {limit: 500, on: [conflict]}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
