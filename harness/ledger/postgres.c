/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PostgreSQL by libpq: one row for each write. */
#include "base/clock.h"
#include "ledger/ledger.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_MAX = 400, CONNECT_S = 3 };

struct args {
    int64_t port;
    struct text connection;
    struct name table;
};

static const struct param params[] = {
    P(struct args, PARAM_INT, port, .def = "5432", .min = 1, .max = 65535,
      .doc = "Where PostgreSQL listens on each of the hosts."),
    P(struct args, PARAM_TEXT, connection,
      .def = "user=postgres dbname=postgres target_session_attrs=read-write", .max = 2048,
      .doc = "libpq's connection string for writing, without hosts: these are tried in their order "
             "until one is as target_session_attrs wants it. Single hosts are read with "
             "target_session_attrs=any."),
    P(struct args, PARAM_NAME, table, .def = "blackstart_ledger", .max = 48,
      .doc = "The table, made where it is missing."),
};

struct client {
    const struct ledger_place *place;
    const struct args *args;
    PGconn *pg;
    bool up;          /* it is connected */
    bool reads;       /* the connection on its way waits to read */
    int64_t begun_ns; /* when it was begun */
    size_t host;      /* that is tried, or was the last to be right */
    bool warned;      /* the server said that the commit is not where it should be */
};

static void result_free(PGresult **r)
{
    PQclear(*r);
}
#define CLEANUP_RESULT __attribute__((cleanup(result_free)))

static void hang_up(struct client *c)
{
    if (c->pg != NULL)
        PQfinish(c->pg);
    c->pg = NULL;
    c->up = false;
}

/* A commit whose standby was not waited for to the end is only warned of. */
static void on_notice(void *ctx, const PGresult *r)
{
    struct client *c = ctx;
    const char *severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
    c->warned = c->warned || (severity != NULL && strcmp(severity, "WARNING") == 0);
}

static int wait_for(const struct client *c, short events, int64_t deadline, struct err *err)
{
    struct pollfd p = {.fd = PQsocket(c->pg), .events = events};
    int64_t left = ledger_left(deadline);
    int n = p.fd < 0 || left <= 0 ? 0 : poll(&p, 1, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
    if (n > 0 || (n < 0 && errno == EINTR))
        return 0;
    return make_error(err, ERR_TIMEOUT, 0, "no answer in time");
}

static int message(const char *text, enum err_code code, struct err *err)
{
    return make_error(err, code, 0, "%.*s", (int)strcspn(text, "\n"), text);
}

static int dial_begin(struct client *c, const struct named_host *host, bool any, struct err *err)
{
    char port[16];
    (void)snprintf(port, sizeof(port), "%d", (int)c->args->port);
    const char *const names[] = {
        "dbname", "hostaddr", "port", "application_name", any ? "target_session_attrs" : NULL,
        NULL};
    const char *const values[] = {c->args->connection.s, named_host_address(host), port,
                                  "blackstart-ledger",   any ? "any" : NULL,       NULL};
    hang_up(c);
    c->pg = PQconnectStartParams(names, values, 1);
    if (c->pg == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "libpq");
    (void)PQsetNoticeReceiver(c->pg, on_notice, c);
    c->reads = false;
    c->begun_ns = clock_system(CLOCK_MONOTONIC);
    return 0;
}

/* ERR_TIMEOUT: the connection is still on its way. */
static int dial_go_on(struct client *c, int64_t deadline, struct err *err)
{
    while (!c->up) {
        if (PQstatus(c->pg) == CONNECTION_BAD)
            return message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
        if (wait_for(c, c->reads ? POLLIN : POLLOUT, deadline, err) != 0)
            return -1;
        PostgresPollingStatusType s = PQconnectPoll(c->pg);
        if (s == PGRES_POLLING_FAILED)
            return message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
        c->reads = s == PGRES_POLLING_READING;
        c->up = s == PGRES_POLLING_OK;
    }
    return PQsetnonblocking(c->pg, 1) == 0 ? 0 : message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
}

/* One after the other until one is as the connection string wants it, as libpq does it, but with a
 * time limit for each. A connection that is not up by the write's deadline goes on for the next
 * write: to begin anew each time would only add to the load of a server that is slow to answer. */
static int connect_client(struct client *c, int64_t deadline, struct err *err)
{
    const struct ledger_place *p = c->place;
    (void)make_error(err, ERR_NOT_FOUND, 0, "no host to ask");
    for (size_t tried = 0; tried < p->n_hosts; tried++) {
        if (c->pg == NULL && dial_begin(c, &p->hosts[c->host], false, err) != 0)
            return -1;
        int64_t limit = c->begun_ns + CONNECT_S * NS_PER_SEC;
        if (dial_go_on(c, deadline < limit ? deadline : limit, err) == 0)
            return 0;
        (void)wrap_error(err, "%s", p->hosts[c->host].name);
        if (err->code == ERR_TIMEOUT && ledger_left(limit) > 0)
            return -1;
        hang_up(c);
        c->host = (c->host + 1) % p->n_hosts;
    }
    return -1;
}

static int connect_host(struct client *c, size_t host, int64_t deadline, struct err *err)
{
    hang_up(c);
    if (dial_begin(c, &c->place->hosts[host], true, err) != 0)
        return -1;
    return dial_go_on(c, deadline, err);
}

/* Sends and waits for all of the answer. ERR_REFUSED: the server said no, and nothing was done. */
static int ask(struct client *c, const char *sql, const char *const *values, int n,
               int64_t deadline, PGresult **ret, struct err *err)
{
    c->warned = false;
    if (PQsendQueryParams(c->pg, sql, n, NULL, values, NULL, NULL, 0) != 1)
        return message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
    for (int r = PQflush(c->pg); r != 0; r = PQflush(c->pg))
        if (r < 0 || wait_for(c, POLLOUT, deadline, err) != 0)
            return r < 0 ? message(PQerrorMessage(c->pg), ERR_SYSTEM, err) : -1;
    while (PQisBusy(c->pg) == 1) {
        if (wait_for(c, POLLIN, deadline, err) != 0)
            return -1;
        if (PQconsumeInput(c->pg) != 1)
            return message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
    }
    PGresult *first = PQgetResult(c->pg);
    for (PGresult *more = first; more != NULL;) {
        more = PQgetResult(c->pg);
        PQclear(more);
    }
    if (first == NULL)
        return message(PQerrorMessage(c->pg), ERR_SYSTEM, err);
    *ret = first;
    return 0;
}

/* An error of the server is certain, but for those that come with its own end. */
static int result_check(const PGresult *r, struct err *err)
{
    static const char *const open[] = {"08", "57P0", "40003"};
    ExecStatusType status = PQresultStatus(r);
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
    enum err_code code = state != NULL ? ERR_REFUSED : ERR_SYSTEM;
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return 0;
    for (size_t i = 0; state != NULL && i < sizeof(open) / sizeof(open[0]); i++)
        if (strncmp(state, open[i], strlen(open[i])) == 0)
            code = ERR_SYSTEM;
    if (state != NULL && strcmp(state, "42P01") == 0) /* there is no such table */
        code = ERR_NOT_FOUND;
    return message(PQresultErrorMessage(r), code, err);
}

static int client_open(const struct ledger_place *p, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "PostgreSQL client");
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

static void client_free_at(struct client **c)
{
    if (*c != NULL)
        client_close(*c);
}

/* SQL with the table in the place of @; a name has no quotes in it. */
static const char *sql_of(const struct args *args, const char *fmt, char out[SQL_MAX])
{
    const char *mark = strchr(fmt, '@');
    (void)snprintf(out, SQL_MAX, "%.*s\"%s\"%s", (int)(mark - fmt), fmt, args->table.s, mark + 1);
    return out;
}

static int prepare(const struct ledger_place *p, int64_t deadline, struct err *err)
{
    char sql[SQL_MAX];
    void *client = NULL;
    if (client_open(p, &client, err) != 0)
        return -1;
    __attribute__((cleanup(client_free_at))) struct client *c = client;
    CLEANUP_RESULT PGresult *r = NULL;
    if (connect_client(c, deadline, err) != 0 ||
        ask(c,
            sql_of(c->args,
                   "CREATE TABLE IF NOT EXISTS @ (ledger text NOT NULL, id bigint NOT NULL, at "
                   "timestamptz NOT NULL "
                   "DEFAULT now())",
                   sql),
            NULL, 0, deadline, &r, err) != 0)
        return -1;
    return result_check(r, err);
}

static enum ledger_result write_one(void *client, uint64_t id, int64_t deadline,
                                    char why[LEDGERLOG_WHY])
{
    struct client *c = client;
    struct err err;
    char sql[SQL_MAX], number[32];
    CLEANUP_RESULT PGresult *r = NULL;
    if (!c->up && connect_client(c, deadline, &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "not sent: %.150s", err.msg);
        return LEDGER_FAIL;
    }
    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
    const char *const values[] = {c->place->collection, number};
    if (ask(c, sql_of(c->args, "INSERT INTO @ (ledger, id) VALUES ($1, $2)", sql), values, 2,
            deadline, &r, &err) != 0 ||
        result_check(r, &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "%.190s", err.msg);
        hang_up(c);
        return err.code == ERR_REFUSED || err.code == ERR_NOT_FOUND ? LEDGER_FAIL : LEDGER_UNKNOWN;
    }
    if (!c->warned)
        return LEDGER_OK;
    (void)snprintf(why, LEDGERLOG_WHY, "committed with a warning: a standby may not have it");
    return LEDGER_UNKNOWN;
}

static int take_rows(const PGresult *r, struct ledger_ids *to, struct err *err)
{
    for (int i = 0; i < PQntuples(r); i++) {
        uint64_t id = 0;
        const char *text = PQgetvalue(r, i, 0);
        if (!ledger_id_parse(text, strlen(text), &id))
            return make_error(err, ERR_PROTOCOL, 0, "something that is no number stands there");
        if (ledger_ids_add(to, id, (uint32_t)strtoul(PQgetvalue(r, i, 1), NULL, 10), err) != 0)
            return -1;
    }
    return 0;
}

static int read_all(void *client, size_t view, int64_t deadline, struct ledger_ids *to,
                    struct err *err)
{
    struct client *c = client;
    char sql[SQL_MAX];
    CLEANUP_RESULT PGresult *r = NULL;
    const char *const values[] = {c->place->collection};
    hang_up(c);
    int connected = view == LEDGER_VIEW_CLIENT ? connect_client(c, deadline, err)
                                               : connect_host(c, view, deadline, err);
    if (connected != 0 ||
        ask(c, sql_of(c->args, "SELECT id, count(*) FROM @ WHERE ledger = $1 GROUP BY id", sql),
            values, 1, deadline, &r, err) != 0)
        return -1;
    if (result_check(r, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1; /* without the table, nothing of it is there */
    return take_rows(r, to, err);
}

static const struct ledger_ops ops = {.prepare = prepare,
                                      .open = client_open,
                                      .close = client_close,
                                      .write = write_one,
                                      .read = read_all};

const struct ledger_kind ledger_postgres = {
    .name = "postgres",
    .summary = "Rows of a table in PostgreSQL.",
    .doc = "Each write is an INSERT in a transaction of its own; the table has no unique key, so "
           "that what was done "
           "twice shows. An INSERT that was committed without the standby that it should have "
           "waited for is unknown.",
    .example = "orders:\n  kind: postgres\n  hosts: {label: db}\n  every: 20ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .ops = &ops,
};
