/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Redis by hiredis: one element of a list, or of a set, for each write. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "ledger/ledger.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <string.h>
#include <sys/time.h>

enum { CHUNK = 50000 };

struct args {
    int form;
    int64_t port, replicas, sentinel_port;
    struct name sentinel;
    struct text password;
};

enum { FORM_LIST, FORM_SET };
static const char *const forms[] = {"list", "set", NULL};

static const struct param params[] = {
    P(struct args, PARAM_INT, port, .def = "6379", .min = 1, .max = 65535,
      .doc = "Where redis listens on each of the hosts."),
    P(struct args, PARAM_ENUM, form, .def = "list", .choices = forms,
      .doc = "RPUSH to one list, in which a write that was done twice shows; or SADD to one set, "
             "in which it does not."),
    P(struct args, PARAM_INT, replicas, .def = "0", .min = 0, .max = 64,
      .doc = "With more than 0, a write counts as acknowledged only when WAIT says that so many "
             "replicas have it, else as unknown."),
    P(struct args, PARAM_NAME, sentinel,
      .doc = "Name of the master as sentinels know it: who it is is asked of them before each new "
             "connection, as real clients do. Without it, the first host is taken that says that "
             "it is a master."),
    P(struct args, PARAM_INT, sentinel_port, .def = "26379", .min = 1, .max = 65535,
      .doc = "Where sentinels listen on each of the hosts."),
    P(struct args, PARAM_TEXT, password, .max = 512, .doc = "For AUTH."),
};

struct client {
    const struct ledger_place *place;
    const struct args *args;
    redisContext *redis;
    char at[64]; /* where it leads */
};

static struct timeval left_tv(int64_t ns)
{
    if (ns < NS_PER_MS)
        ns = NS_PER_MS;
    return (struct timeval){.tv_sec = (time_t)(ns / NS_PER_SEC),
                            .tv_usec = (suseconds_t)(ns % NS_PER_SEC / NS_PER_US)};
}

static void reply_free(redisReply **r)
{
    if (*r != NULL)
        freeReplyObject(*r);
}
#define CLEANUP_REPLY __attribute__((cleanup(reply_free)))

static void context_free(redisContext **c)
{
    if (*c != NULL)
        redisFree(*c);
}
#define CLEANUP_CONTEXT __attribute__((cleanup(context_free)))

static void hang_up(struct client *c)
{
    context_free(&c->redis);
    c->redis = NULL;
}

static int reply_check(const redisContext *c, const redisReply *r, int type, const char *what,
                       struct err *err)
{
    if (r == NULL)
        return make_error(err, ERR_SYSTEM, 0, "%s: %s", what, c->errstr);
    if (r->type == REDIS_REPLY_ERROR)
        return make_error(err, ERR_REFUSED, 0, "%s", r->str);
    if (r->type != type)
        return make_error(err, ERR_PROTOCOL, 0, "%s: not the answer that it should be", what);
    return 0;
}

static int dial(const struct args *args, const char *ip, int port, int64_t ns, redisContext **ret,
                struct err *err)
{
    if (ns <= 0)
        return make_error(err, ERR_TIMEOUT, 0, "no time is left");
    CLEANUP_CONTEXT redisContext *c = redisConnectWithTimeout(ip, port, left_tv(ns));
    if (c == NULL || c->err != 0)
        return make_error(err, ERR_SYSTEM, 0, "%s:%d: %s", ip, port, c != NULL ? c->errstr : "");
    (void)redisSetTimeout(c, left_tv(ns));
    if (args->password.len != 0) {
        CLEANUP_REPLY redisReply *r = redisCommand(c, "AUTH %s", args->password.s);
        if (reply_check(c, r, REDIS_REPLY_STATUS, "AUTH", err) != 0)
            return -1;
    }
    *ret = steal_ptr(&c);
    return 0;
}

/* What a sentinel says of the master: its address. */
static int ask_sentinel(const struct args *args, const struct named_host *host, int64_t ns,
                        char ret_ip[64], int *ret_port, struct err *err)
{
    static const struct args plain = {.port = 0};
    CLEANUP_CONTEXT redisContext *c = NULL;
    if (dial(&plain, named_host_address(host), (int)args->sentinel_port, ns, &c, err) != 0)
        return -1;
    CLEANUP_REPLY redisReply *r =
        redisCommand(c, "SENTINEL get-master-addr-by-name %s", args->sentinel.s);
    if (reply_check(c, r, REDIS_REPLY_ARRAY, "sentinel", err) != 0)
        return -1;
    if (r->elements != 2 || r->element[0]->type != REDIS_REPLY_STRING ||
        r->element[1]->type != REDIS_REPLY_STRING)
        return make_error(err, ERR_PROTOCOL, 0, "sentinel: an address should come");
    (void)snprintf(ret_ip, 64, "%s", r->element[0]->str);
    *ret_port = (int)strtol(r->element[1]->str, NULL, 10);
    return 0;
}

static int check_master(redisContext *c, struct err *err)
{
    CLEANUP_REPLY redisReply *r = redisCommand(c, "ROLE");
    if (reply_check(c, r, REDIS_REPLY_ARRAY, "ROLE", err) != 0)
        return -1;
    if (r->elements == 0 || r->element[0]->type != REDIS_REPLY_STRING ||
        strcmp(r->element[0]->str, "master") != 0)
        return make_error(err, ERR_REFUSED, 0, "is no master");
    return 0;
}

static int dial_master(struct client *c, const char *ip, int port, int64_t ns, struct err *err)
{
    CLEANUP_CONTEXT redisContext *redis = NULL;
    if (dial(c->args, ip, port, ns, &redis, err) != 0 || check_master(redis, err) != 0)
        return -1;
    c->redis = steal_ptr(&redis);
    (void)snprintf(c->at, sizeof(c->at), "%.50s:%d", ip, port);
    return 0;
}

/* The master, as clients find it. */
static int connect_master(struct client *c, int64_t deadline, struct err *err)
{
    const struct ledger_place *p = c->place;
    (void)make_error(err, ERR_NOT_FOUND, 0, "no host to ask");
    for (size_t i = 0; i < p->n_hosts; i++) {
        const struct named_host *host = &p->hosts[i];
        int64_t ns = ledger_share(deadline, p->n_hosts - i);
        char ip[64];
        int port = (int)c->args->port;
        (void)snprintf(ip, sizeof(ip), "%s", named_host_address(host));
        if (c->args->sentinel.s[0] != '\0' &&
            ask_sentinel(c->args, host, ns / 2, ip, &port, err) != 0)
            continue;
        /* Resolved by names, where sentinels announce these. */
        for (size_t k = 0; k < p->n_hosts; k++)
            if (strcmp(p->hosts[k].name, ip) == 0)
                (void)snprintf(ip, sizeof(ip), "%s", named_host_address(&p->hosts[k]));
        if (dial_master(c, ip, port, ns / 2, err) == 0)
            return 0;
    }
    return -1;
}

static int client_open(const struct ledger_place *p, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "redis client");
    c->place = p;
    c->args = p->args;
    *ret = c;
    return 0;
}

static void client_close(void *client)
{
    hang_up(client);
    free(client);
}

static enum ledger_result wait_replicas(struct client *c, int64_t deadline, char why[LEDGERLOG_WHY])
{
    struct err err;
    long long ms = ledger_left(deadline) / NS_PER_MS;
    CLEANUP_REPLY redisReply *r =
        redisCommand(c->redis, "WAIT %lld %lld", (long long)c->args->replicas, ms > 1 ? ms - 1 : 1);
    if (reply_check(c->redis, r, REDIS_REPLY_INTEGER, "WAIT", &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "%.150s", err.msg);
        hang_up(c);
        return LEDGER_UNKNOWN;
    }
    if (r->integer >= c->args->replicas)
        return LEDGER_OK;
    (void)snprintf(why, LEDGERLOG_WHY, "%lld replicas have it, not %lld", r->integer,
                   (long long)c->args->replicas);
    return LEDGER_UNKNOWN;
}

static enum ledger_result write_one(void *client, uint64_t id, int64_t deadline,
                                    char why[LEDGERLOG_WHY])
{
    struct client *c = client;
    struct err err;
    if (c->redis == NULL && connect_master(c, deadline, &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "not sent: %.150s", err.msg);
        return LEDGER_FAIL;
    }
    (void)redisSetTimeout(c->redis, left_tv(ledger_left(deadline)));
    CLEANUP_REPLY redisReply *r =
        redisCommand(c->redis, c->args->form == FORM_SET ? "SADD %s %llu" : "RPUSH %s %llu",
                     c->place->collection, (unsigned long long)id);
    if (reply_check(c->redis, r, REDIS_REPLY_INTEGER, "write", &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "%.60s: %.130s", c->at, err.msg);
        hang_up(c);
        return err.code == ERR_REFUSED ? LEDGER_FAIL : LEDGER_UNKNOWN;
    }
    return c->args->replicas > 0 ? wait_replicas(c, deadline, why) : LEDGER_OK;
}

static int take_ids(const redisReply *list, struct ledger_ids *to, struct err *err)
{
    for (size_t i = 0; i < list->elements; i++) {
        const redisReply *e = list->element[i];
        uint64_t id = 0;
        if (e->type != REDIS_REPLY_STRING || !ledger_id_parse(e->str, e->len, &id))
            return make_error(err, ERR_PROTOCOL, 0, "something that is no number stands there");
        if (ledger_ids_add(to, id, 1, err) != 0)
            return -1;
    }
    return 0;
}

static int read_list(struct client *c, struct ledger_ids *to, struct err *err)
{
    for (long long from = 0;; from += CHUNK) {
        CLEANUP_REPLY redisReply *r = redisCommand(c->redis, "LRANGE %s %lld %lld",
                                                   c->place->collection, from, from + CHUNK - 1);
        if (reply_check(c->redis, r, REDIS_REPLY_ARRAY, "LRANGE", err) != 0 ||
            take_ids(r, to, err) != 0)
            return -1;
        if (r->elements < CHUNK)
            return 0;
    }
}

static int read_set(struct client *c, struct ledger_ids *to, struct err *err)
{
    CLEANUP_REPLY redisReply *r = redisCommand(c->redis, "SMEMBERS %s", c->place->collection);
    if (reply_check(c->redis, r, REDIS_REPLY_ARRAY, "SMEMBERS", err) != 0)
        return -1;
    return take_ids(r, to, err);
}

static int read_all(void *client, size_t view, int64_t deadline, struct ledger_ids *to,
                    struct err *err)
{
    struct client *c = client;
    hang_up(c); /* who is master is asked anew */
    int r = view == LEDGER_VIEW_CLIENT
                ? connect_master(c, deadline, err)
                : dial(c->args, named_host_address(&c->place->hosts[view]), (int)c->args->port,
                       ledger_left(deadline), &c->redis, err);
    if (r != 0)
        return -1;
    (void)redisSetTimeout(c->redis, left_tv(ledger_left(deadline)));
    return c->args->form == FORM_SET ? read_set(c, to, err) : read_list(c, to, err);
}

static const struct ledger_ops ops = {
    .open = client_open, .close = client_close, .write = write_one, .read = read_all};

const struct ledger_kind ledger_redis = {
    .name = "redis",
    .summary = "Elements of a list or set in redis.",
    .doc = "A connection is kept while it works, as clients' pools do; an error, or an answer that "
           "this is no "
           "master (any more), ends it. Each host is read by itself, and the master as a client "
           "finds it.",
    .example = "orders:\n  kind: redis\n  hosts: {label: db}\n  sentinel: shop\n  every: 20ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .ops = &ops,
};
