/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One query by libpq's calls that do not block, on the prober's loop. */
#include "base/buf.h"
#include "prober/loop.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct args {
    struct text conninfo, query;
    int64_t port;
    int family;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, query, .required = true, .min = 1, .max = 16384,
      .doc = "One statement of SQL."),
    P(struct args, PARAM_INT, port, .def = "5432", .min = 1, .max = 65535,
      .doc = "Where PostgreSQL listens at each endpoint's address."),
    P(struct args, PARAM_TEXT, conninfo, .def = "user=postgres dbname=postgres", .max = 2048,
      .doc = "libpq's connection string, without hosts: each endpoint is asked by itself. With "
             "target_session_attrs, one that is not as it says is bad."),
    P(struct args, PARAM_ENUM, family, .choices = prober_families, .def = "any",
      .doc = PROBER_FAMILY_DOC),
};

struct session;

struct endpoint {
    struct prober *prober;
    struct args *args;
    char ip[INET6_ADDRSTRLEN];
    bool fresh;
    struct session *idle; /* at most one; those made while it was busy do not stay */
};

/* A connection: on its way, asked, or idle between two attempts. */
struct session {
    PGconn *pg;
    struct endpoint *endpoint;
    struct prober_watch *watch;
    struct prober_attempt *attempt;
    bool up;
    enum sample_result result; /* so far */
    struct buf body;
};

static void session_free(struct session *s)
{
    prober_unwatch(s->endpoint->prober, s->watch);
    if (s->pg != NULL)
        PQfinish(s->pg);
    buf_free(&s->body);
    free(s);
}

/* Nothing that a next question could be answered with is left on the connection. */
static bool session_is_idle(const struct session *s)
{
    return s->pg != NULL && PQstatus(s->pg) == CONNECTION_OK &&
           PQtransactionStatus(s->pg) == PQTRANS_IDLE;
}

static void session_end(struct session *s, enum sample_result result)
{
    struct prober_attempt *a = s->attempt;
    struct endpoint *e = s->endpoint;
    uint32_t bytes = (uint32_t)s->body.len;
    s->attempt = NULL;
    if (e->fresh || e->idle != NULL || !session_is_idle(s)) {
        session_free(s);
    } else {
        prober_unwatch(e->prober, s->watch);
        s->watch = NULL;
        buf_drop(&s->body, s->body.len);
        e->idle = s;
    }
    prober_done(a, result, 0, bytes);
}

/* libpq tells what became of a connection by a text alone; nothing sets its language. */
static enum sample_result text_result(const char *text)
{
    static const int errors[] = {ECONNREFUSED, ECONNRESET, EPIPE,        EHOSTUNREACH,
                                 ENETUNREACH,  ETIMEDOUT,  ECONNABORTED, EHOSTDOWN,
                                 EMFILE,       ENFILE,     EADDRNOTAVAIL};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strstr(text, strerror(errors[i])) != NULL)
            return prober_result_of(errors[i]);
    if (strstr(text, "closed the connection unexpectedly") != NULL)
        return SAMPLE_RESET;
    /* The server's own no: too many clients, it is starting, it is read-only. */
    if (strstr(text, "FATAL:") != NULL || strstr(text, "session is ") != NULL ||
        strstr(text, "server is ") != NULL)
        return SAMPLE_REFUSED;
    return strstr(text, "certificate") != NULL ? SAMPLE_CERTIFICATE : SAMPLE_ERROR;
}

static void session_broken(struct session *s)
{
    session_end(s, text_result(PQerrorMessage(s->pg)));
}

static enum sample_result error_result(const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    if (state == NULL)
        return text_result(PQresultErrorMessage(r));
    /* It, or the one who is in charge of it, ended the connection. */
    return strncmp(state, "57P0", 4) == 0 ? SAMPLE_RESET : SAMPLE_QUERY;
}

static void body_add(struct buf *body, const char *text, size_t len)
{
    size_t room = PROBER_BODY_MAX - body->len;
    buf_add(body, text, len < room ? len : room);
}

static void rows_take(struct session *s, const PGresult *r)
{
    int columns = PQnfields(r);
    for (int row = 0; row < PQntuples(r); row++)
        for (int c = 0; c < columns; c++) {
            body_add(&s->body, PQgetvalue(r, row, c), (size_t)PQgetlength(r, row, c));
            body_add(&s->body, c + 1 < columns ? "\t" : "\n", 1);
        }
}

static void result_take(struct session *s, const PGresult *r)
{
    switch (PQresultStatus(r)) {
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK:
        rows_take(s, r);
        break;
    case PGRES_COMMAND_OK: {
        const char *tag = PQcmdStatus((PGresult *)(uintptr_t)r);
        body_add(&s->body, tag, strlen(tag));
        body_add(&s->body, "\n", 1);
        break;
    }
    case PGRES_FATAL_ERROR:
        s->result = error_result(r);
        break;
    default: /* COPY and its like: a talk of its own */
        s->result = SAMPLE_QUERY;
        break;
    }
}

static void session_judge(struct session *s)
{
    enum sample_result result = s->result;
    if (result == SAMPLE_GOOD)
        result = prober_judge(s->attempt, 0, 0, 0, buf_text(&s->body), s->body.len);
    session_end(s, result);
}

/* Takes what has come of the answer. True: the attempt has ended. */
static bool session_take(struct session *s)
{
    while (PQisBusy(s->pg) == 0) {
        PGresult *r = PQgetResult(s->pg);
        if (r != NULL)
            result_take(s, r);
        ExecStatusType status = PQresultStatus(r);
        PQclear(r);
        bool copies = status == PGRES_COPY_IN || status == PGRES_COPY_OUT ||
                      status == PGRES_COPY_BOTH; /* which would never end */
        /* What is behind the first 64 KiB is not waited for; the connection goes with it. */
        if (r == NULL || copies || s->body.len == PROBER_BODY_MAX) {
            session_judge(s);
            return true;
        }
    }
    return false;
}

static void session_ready(void *ctx, uint32_t events);

/* The socket may be another after each step of connecting. False: the attempt has ended. */
static bool session_watch(struct session *s, uint32_t events)
{
    struct prober *p = s->endpoint->prober;
    prober_unwatch(p, s->watch);
    s->watch =
        PQsocket(s->pg) >= 0 ? prober_watch(p, PQsocket(s->pg), events, session_ready, s) : NULL;
    if (s->watch == NULL)
        session_end(s, SAMPLE_GAP);
    return s->watch != NULL;
}

static void session_flush(struct session *s)
{
    int left = PQflush(s->pg);
    if (left < 0)
        session_broken(s);
    else
        prober_rewatch(s->endpoint->prober, s->watch, EPOLLIN | (left > 0 ? EPOLLOUT : 0U));
}

static void session_ask(struct session *s)
{
    s->result = SAMPLE_GOOD;
    if (PQsendQueryParams(s->pg, s->endpoint->args->query.s, 0, NULL, NULL, NULL, NULL, 0) != 1 ||
        PQsetSingleRowMode(s->pg) != 1)
        session_broken(s);
    else
        session_flush(s);
}

static void session_dial(struct session *s)
{
    PostgresPollingStatusType step = PQconnectPoll(s->pg);
    if (step == PGRES_POLLING_FAILED) {
        session_broken(s);
        return;
    }
    if (!session_watch(s, step == PGRES_POLLING_WRITING ? EPOLLOUT : EPOLLIN) ||
        step != PGRES_POLLING_OK)
        return;
    s->up = true;
    if (PQsetnonblocking(s->pg, 1) != 0)
        session_broken(s);
    else
        session_ask(s);
}

static void session_ready(void *ctx, uint32_t events)
{
    struct session *s = ctx;
    if (!s->up) {
        session_dial(s);
        return;
    }
    int said = (events & ~(uint32_t)EPOLLOUT) != 0 ? PQconsumeInput(s->pg) : 1;
    /* What came before the end may be the whole answer. */
    if (session_take(s))
        return;
    if (said != 1)
        session_broken(s);
    else
        session_flush(s);
}

static void ignore_notice(void *ctx, const PGresult *r)
{
    (void)ctx;
    (void)r;
}

static PGconn *dial(const struct endpoint *e)
{
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", (int)e->args->port);
    /* What stands behind the connection string overrides it. GSSAPI would look for tickets in
     * files or ask a daemon for them, which blocks, so it has to be asked for. */
    const char *const names[] = {"gssencmode", "application_name", "dbname", "hostaddr", "port",
                                 NULL};
    const char *const values[] = {"disable", "blackstart-prober", e->args->conninfo.s, e->ip, port,
                                  NULL};
    PGconn *pg = PQconnectStartParams(names, values, 1);
    if (pg != NULL)
        (void)PQsetNoticeReceiver(pg, ignore_notice, NULL);
    return pg;
}

static void session_open(struct endpoint *e, struct prober_attempt *a)
{
    struct session *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        prober_done(a, SAMPLE_GAP, 0, 0);
        return;
    }
    s->endpoint = e;
    s->attempt = a;
    s->body = BUF_INIT(PROBER_BODY_MAX);
    a->state = s;
    a->sent_ns = prober_now();
    s->pg = dial(e);
    if (s->pg == NULL)
        session_end(s, SAMPLE_GAP);
    else if (PQstatus(s->pg) == CONNECTION_BAD)
        session_broken(s);
    else
        (void)session_watch(s, EPOLLOUT);
}

/* The kept session, if it still lives. */
static struct session *session_idle(struct endpoint *e)
{
    struct session *s = e->idle;
    e->idle = NULL;
    if (s == NULL || (PQconsumeInput(s->pg) == 1 && session_is_idle(s)))
        return s;
    session_free(s);
    return NULL;
}

static void attempt_begin(struct prober_attempt *a)
{
    struct endpoint *e = a->target->state;
    struct session *s = session_idle(e);
    if (s == NULL) {
        session_open(e, a);
        return;
    }
    s->attempt = a;
    a->state = s;
    a->sent_ns = prober_now();
    if (session_watch(s, EPOLLIN))
        session_ask(s);
}

static void attempt_cancel(struct prober_attempt *a)
{
    session_free(a->state);
}

static int endpoint_open(struct prober *p, struct prober_target *t, const void *args,
                         struct err *err)
{
    const struct args *from = args;
    struct endpoint *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "postgres");
    t->state = e;
    e->prober = p;
    e->fresh = t->probe->fresh;
    e->args = malloc(sizeof(*e->args));
    if (e->args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "postgres");
    memcpy(e->args, from, sizeof(*e->args));
    const char *ip = prober_address(t, from->family, err);
    if (ip == NULL)
        return -1;
    (void)snprintf(e->ip, sizeof(e->ip), "%s", ip);
    return 0;
}

static void endpoint_close(struct prober_target *t)
{
    struct endpoint *e = t->state;
    if (e->idle != NULL)
        session_free(e->idle);
    free(e->args);
    free(e);
    t->state = NULL;
}

static const char *check(const void *args, const struct probe_expect *expect, bool fresh,
                         struct err *err)
{
    static const char *const ours[] = {"hostaddr", "port", "service"};
    const struct args *a = args;
    char *why = NULL;
    const char *wrong = NULL;
    (void)fresh;
    if (expect->status_lo != 0 || expect->status_hi != 0) {
        (void)make_error(err, ERR_INPUT, 0, "a query has no status");
        return "expect";
    }
    PQconninfoOption *options = PQconninfoParse(a->conninfo.s, &why);
    if (options == NULL) {
        (void)make_error(err, ERR_INPUT, 0, "%.*s", why != NULL ? (int)strcspn(why, "\n") : 0,
                         why != NULL ? why : "");
        wrong = "conninfo";
    }
    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
            if (o->val != NULL && strcmp(o->keyword, ours[i]) == 0) {
                (void)make_error(err, ERR_INPUT, 0,
                                 "\"%s\" has no place in it: the endpoints are the probe's hosts",
                                 ours[i]);
                wrong = "conninfo";
            }
    PQconninfoFree(options);
    PQfreemem(why);
    return wrong;
}

static const struct probe_ops ops = {
    .open = endpoint_open,
    .close = endpoint_close,
    .begin = attempt_begin,
    .cancel = attempt_cancel,
};

const struct probe_kind probe_postgres = {
    .name = "postgres",
    .summary = "A query to PostgreSQL, good when its result is as expected.",
    .doc = "Connects to each endpoint and sends one statement. Its result is the body that "
           "`expect.body` and `expect.number` look at: rows end with a newline, columns are parted "
           "by tabs, a null is empty, a statement without rows gives its tag (INSERT 0 1); of a "
           "result only the first 64 KiB are asked. So rows can be counted and tables compared by "
           "a checksum. An error of the statement is bad (query failed); a server that answers but "
           "lets nobody in has refused. Each attempt makes a connection of its own, as "
           "`connection: fresh` says, so the server needs as many more as are on their way in an "
           "outage (max_connections); `connection: kept` keeps one. A statement that outstays the "
           "time-out goes on in the server unless conninfo says "
           "options='-c statement_timeout=1s'.",
    .example = "probes:\n"
               "  orders:\n"
               "    kind: postgres\n"
               "    query: select count(*) from orders\n"
               "    hosts: [db]\n"
               "    every: 250ms\n"
               "    timeout: 2s\n"
               "    expect: {number: {at_least: 10000}}\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .check = check,
    .ops = &ops,
};
