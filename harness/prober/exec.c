/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A command in the vantage host, run by that host's init (base/hostctl.h) on a connection of its
 * own for each attempt. */
#include "base/clock.h"
#include "base/hostctl.h"
#include "prober/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct args {
    struct text command;
    struct name user;
};

static const struct param params[] = {
    P(struct args, PARAM_TEXT, command, .required = true, .min = 1, .max = 4096,
      .doc = "The program and its arguments, separated by spaces; quotes keep words together. No "
             "shell reads it: name one (sh -c '...') where it is needed."),
    P(struct args, PARAM_NAME, user, .doc = "Who runs it in the host; root when not given."),
};

struct endpoint {
    struct prober *prober;
    struct hostctl_request *request; /* 60 kB, made once; only its used part is sent */
    size_t len;
};

struct call {
    struct endpoint *endpoint;
    struct prober_attempt *attempt;
    struct prober_watch *watch;
    int fd;
};

static void call_free(struct call *c)
{
    prober_unwatch(c->endpoint->prober, c->watch);
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c);
}

static void call_end(struct call *c, enum sample_result result, uint16_t status, uint32_t bytes)
{
    struct prober_attempt *a = c->attempt;
    call_free(c);
    prober_done(a, result, status, bytes);
}

static void call_judge(struct call *c, const struct hostctl_reply *reply)
{
    if (reply->code == ERR_TIMEOUT) {
        call_end(c, SAMPLE_TIMEOUT, 0, 0);
        return;
    }
    if (reply->code != ERR_NONE || !WIFEXITED(reply->status)) {
        call_end(c, SAMPLE_ERROR, 0, 0);
        return;
    }
    unsigned status = (unsigned)WEXITSTATUS(reply->status);
    uint32_t len = reply->len < HOSTCTL_DATA_MAX ? reply->len : HOSTCTL_DATA_MAX;
    enum sample_result result = prober_judge(c->attempt, status, 0, 0, reply->data, len);
    call_end(c, result, (uint16_t)status, len);
}

static void call_ready(void *ctx, uint32_t events)
{
    static struct hostctl_reply reply; /* too large for a stack; the loop is one thread */
    struct call *c = ctx;
    (void)events;
    ssize_t n = recv(c->fd, &reply, sizeof(reply), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    size_t head = offsetof(struct hostctl_reply, data);
    if (n < (ssize_t)head || reply.len > (size_t)n - head)
        call_end(c, SAMPLE_ERROR, 0, 0);
    else
        call_judge(c, &reply);
}

static void attempt_begin(struct prober_attempt *a)
{
    struct endpoint *e = a->target->state;
    struct call *c = calloc(1, sizeof(*c));
    struct err err;
    if (c == NULL) {
        prober_done(a, SAMPLE_GAP, 0, 0);
        return;
    }
    *c = (struct call){.endpoint = e, .attempt = a, .fd = -1};
    a->state = c;
    a->sent_ns = prober_now();
    if (hostctl_connect(&c->fd, &err) != 0) {
        call_end(c, prober_result_of(err.sys), 0, 0);
        return;
    }
    if (send(c->fd, e->request, e->len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)e->len) {
        call_end(c, SAMPLE_ERROR, 0, 0);
        return;
    }
    c->watch = prober_watch(e->prober, c->fd, EPOLLIN, call_ready, c);
    if (c->watch == NULL)
        call_end(c, SAMPLE_GAP, 0, 0);
}

static void attempt_cancel(struct prober_attempt *a)
{
    call_free(a->state);
}

static int endpoint_open(struct prober *p, struct prober_target *t, const void *args,
                         struct err *err)
{
    const struct args *from = args;
    struct endpoint *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "exec");
    t->state = e;
    e->prober = p;
    e->request = calloc(1, sizeof(*e->request));
    if (e->request == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "exec");
    e->request->op = HOSTCTL_RUN;
    e->request->timeout_ns = t->probe->timeout_ns;
    memcpy(e->request->user, from->user.s, sizeof(e->request->user));
    if (hostctl_split(from->command.s, e->request, err) != 0)
        return -1;
    e->len = offsetof(struct hostctl_request, data) + e->request->len;
    return 0;
}

static void endpoint_close(struct prober_target *t)
{
    struct endpoint *e = t->state;
    free(e->request);
    free(e);
    t->state = NULL;
}

static const struct probe_ops ops = {
    .open = endpoint_open,
    .close = endpoint_close,
    .begin = attempt_begin,
    .cancel = attempt_cancel,
};

const struct probe_kind probe_exec = {
    .name = "exec",
    .summary = "A command in the vantage host, good when it exits with 0.",
    .doc = "Runs a program in the lab host that the probe looks from (`from`), once for each "
           "endpoint and slot, and kills it at the time-out. Its exit status must be 0 unless "
           "`expect.status` says otherwise; `expect.body` and `expect.number` look at what it "
           "prints. A "
           "process costs far more than a request: choose an interval of 100ms or more.",
    .example = "probes:\n"
               "  query:\n"
               "    kind: exec\n"
               "    command: psql -h ${host} -U app -c 'select 1'\n"
               "    hosts: [db]\n"
               "    every: 250ms\n"
               "    timeout: 2s\n",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = sizeof(params) / sizeof(params[0]),
    .lab_only = true,
    .ops = &ops,
};
