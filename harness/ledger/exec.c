/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands in the vantage host, for services that no other kind knows. */
#include "base/cleanup.h"
#include "base/hostctl.h"
#include "ledger/ledger.h"
#include "ledger/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct args {
    struct text write, read;
    struct name user;
    int64_t refused;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, write, .required = true, .min = 1, .max = 4096,
      .doc = "The command for one write; {id} is its number, {prefix} this ledger's own text. No "
             "shell reads it. Status 0 acknowledges: see that errors have another (redis-cli needs "
             "-e for that)."),
    P(struct args, PARAM_TEXT, read, .required = true, .min = 1, .max = 4096,
      .doc = "The command that prints all that is there, one number a line; it may print 60,000 "
             "bytes."),
    P(struct args, PARAM_INT, refused, .def = "0", .min = 0, .max = 255,
      .doc = "The status that says for certain that nothing was written; any other but 0 is "
             "unknown. 0: there is none."),
    P(struct args, PARAM_NAME, user, .doc = "Who runs both; root when not given."),
};

struct client {
    const struct ledger_place *place;
    const struct args *args;
    struct hostctl_request request;
    struct hostctl_reply reply;
};

static int client_open(const struct ledger_place *p, void **ret, struct err *err)
{
    struct client *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "commands");
    c->place = p;
    c->args = p->args;
    *ret = c;
    return 0;
}

static void client_close(void *client)
{
    free(client);
}

/* *ret_sent: the command may have begun. */
static int run(struct client *c, const struct text *command, uint64_t id, int64_t deadline,
               bool *ret_sent, struct err *err)
{
    CLEANUP_FD int fd = -1;
    CLEANUP_BUF struct buf text = BUF_INIT(HOSTCTL_DATA_MAX);
    *ret_sent = false;
    if (template_expand(command->s, id, c->place, NULL, &text, err) != 0)
        return -1;
    memset(&c->request, 0, offsetof(struct hostctl_request, data));
    c->request.op = HOSTCTL_RUN;
    c->request.timeout_ns = ledger_left(deadline);
    (void)snprintf(c->request.user, sizeof(c->request.user), "%s", c->args->user.s);
    if (hostctl_split(buf_text(&text), &c->request, err) != 0 || hostctl_connect(&fd, err) != 0)
        return -1;
    *ret_sent = true;
    return hostctl_call(fd, &c->request, &c->reply, err);
}

static enum ledger_result write_one(void *client, uint64_t id, int64_t deadline,
                                    char why[LEDGERLOG_WHY])
{
    struct client *c = client;
    struct err err = {.msg = ""};
    bool sent = false;
    if (run(c, &c->args->write, id, deadline, &sent, &err) != 0) {
        (void)snprintf(why, LEDGERLOG_WHY, "%.190s", err.msg);
        return sent ? LEDGER_UNKNOWN : LEDGER_FAIL;
    }
    int status = WIFEXITED(c->reply.status) ? WEXITSTATUS(c->reply.status) : -1;
    if (status == 0)
        return LEDGER_OK;
    size_t len = c->reply.len < 120 ? c->reply.len : 120;
    (void)snprintf(why, LEDGERLOG_WHY, "status %d: %.*s", status, (int)len, c->reply.data);
    return status > 0 && status == c->args->refused ? LEDGER_FAIL : LEDGER_UNKNOWN;
}

static int read_all(void *client, size_t view, int64_t deadline, struct ledger_ids *to,
                    struct err *err)
{
    struct client *c = client;
    bool sent = false;
    (void)view;
    if (run(c, &c->args->read, 0, deadline, &sent, err) != 0)
        return -1;
    if (!WIFEXITED(c->reply.status) || WEXITSTATUS(c->reply.status) != 0)
        return make_error(err, ERR_SYSTEM, 0, "the command failed");
    if (c->reply.len >= HOSTCTL_DATA_MAX)
        return make_error(err, ERR_LIMIT, 0, "the command printed more than can be taken");
    for (const char *p = c->reply.data, *end = p + c->reply.len; p < end;) {
        const char *stop = memchr(p, '\n', (size_t)(end - p));
        size_t len = stop != NULL ? (size_t)(stop - p) : (size_t)(end - p);
        uint64_t id = 0;
        if (len != 0 && !ledger_id_parse(p, len, &id))
            return make_error(err, ERR_PROTOCOL, 0, "a line that is no number");
        if (len != 0 && ledger_ids_add(to, id, 1, err) != 0)
            return -1;
        p += len + 1;
    }
    return 0;
}

static const struct ledger_ops ops = {
    .open = client_open, .close = client_close, .write = write_one, .read = read_all};

const struct ledger_kind ledger_exec = {
    .name = "exec",
    .summary = "Commands in the host on which the ledger stands.",
    .doc = "A process for each write: for slow rates.",
    .example = "orders:\n  kind: exec\n  write: redis-cli -e -h db1 rpush {prefix} {id}\n"
               "  read: redis-cli -e -h db1 lrange {prefix} 0 -1\n  every: 200ms\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .ops = &ops,
    .lab_only = true,
    .no_hosts = true,
};
