/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostclient.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/hostexec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ARGV_MAX = 256 };

static const int64_t wait_max_ns = 86400 * NS_PER_SEC;

void hostclient_init(struct hostclient_table *t)
{
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++)
        t->clients[i].fd = t->clients[i].out_fd = -1;
}

bool hostclient_add(struct hostclient_table *t, int fd)
{
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++) {
        struct hostclient *c = &t->clients[i];
        if (c->fd >= 0 || c->out_fd >= 0 || c->job != 0)
            continue;
        c->fd = fd;
        c->busy = false;
        return true;
    }
    return false;
}

static void end_output(struct hostclient *c)
{
    if (c->out_fd >= 0)
        (void)close(c->out_fd);
    c->out_fd = -1;
}

static void kill_job(struct hostclient *c)
{
    if (c->job > 0)
        (void)kill(-c->job, SIGKILL);
}

static void hang_up(struct hostclient *c)
{
    (void)close(c->fd);
    c->fd = -1;
    c->busy = false;
    kill_job(c);
    end_output(c);
}

static void send_reply(struct hostclient_table *t, struct hostclient *c, const struct err *why)
{
    struct hostctl_reply *r = &t->reply;
    const struct service *s = c->service;
    memset(r, 0, offsetof(struct hostctl_reply, data));
    if (s != NULL) {
        r->state = (int32_t)service_state_told(s);
        r->pid = s->pid;
        r->status = s->last_status;
        r->restarts = s->restarts;
        r->masked = s->masked;
        r->started_ns = s->started_ns;
        (void)strncpy(r->service, s->spec->name, NAME_MAX_LEN);
    }
    if (c->job_ended)
        r->status = c->job_status;
    if (why != NULL) {
        r->code = (int32_t)why->code;
        r->len = (uint32_t)strlen(why->msg);
        memcpy(r->data, why->msg, r->len);
        if (c->out_len != 0) { /* what the command had said before it was killed */
            uint32_t room = HOSTCTL_DATA_MAX - r->len - 1;
            uint32_t kept = c->out_len < room ? c->out_len : room;
            r->data[r->len] = '\0';
            memcpy(r->data + r->len + 1, c->out + c->out_len - kept, kept);
            r->len += 1 + kept;
        }
    } else {
        r->len = c->out_len;
        memcpy(r->data, c->out, c->out_len);
        if (c->request.op == HOSTCTL_START && s != NULL && s->supervisor > 0)
            r->len = (uint32_t)snprintf(r->data, HOSTCTL_DATA_MAX, HOSTCTL_TRAPPED);
    }
    c->busy = false;
    size_t len = offsetof(struct hostctl_reply, data) + r->len;
    if (send(c->fd, r, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
        hang_up(c);
}

static void fail(struct hostclient_table *t, struct hostclient *c, enum err_code code,
                 const char *what)
{
    struct err err;
    (void)make_error(&err, code, 0, "%s%s%s", c->service != NULL ? c->service->spec->name : "",
                     c->service != NULL ? ": " : "", what);
    send_reply(t, c, &err);
}

static struct service *find_service(struct hostclient_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_services; i++)
        if (strcmp(t->services[i].spec->name, name) == 0)
            return &t->services[i];
    return NULL;
}

/* A command whose output is collected; the answer follows when it has ended. */
static int start_job(struct hostclient_table *t, struct hostclient *c, char *const *argv,
                     const struct user *user, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe");
    CLEANUP_FD int out = ends[1];
    c->out_fd = ends[0];
    (void)fcntl(c->out_fd, F_SETFL, O_NONBLOCK);
    if (c->service != NULL)
        return service_command(c->service, argv, out, &c->job, err);
    (void)!fchown(out, user->uid, (gid_t)-1);
    const struct hostexec how = {.argv = argv, .user = user, .out_fd = out};
    return hostexec_start(t->lab, &how, &c->job, err);
}

static int begin_run(struct hostclient_table *t, struct hostclient *c, struct err *err)
{
    struct hostctl_request *q = &c->request;
    const struct user *user = users_find(&t->lab->users, q->user);
    char *argv[ARGV_MAX + 1];
    size_t n = 0;
    if (user == NULL)
        return make_error(err, ERR_INPUT, 0, "the host has no user %s", q->user);
    if (q->len == 0 || q->data[q->len - 1] != '\0')
        return make_error(err, ERR_PROTOCOL, 0, "a command is words, each ended by NUL");
    for (char *at = q->data; at < q->data + q->len; at += strlen(at) + 1) {
        if (n == ARGV_MAX)
            return make_error(err, ERR_LIMIT, 0, "a command has at most %d words", ARGV_MAX);
        argv[n++] = at;
    }
    argv[n] = NULL;
    return start_job(t, c, argv, user, err);
}

static int begin_reload(struct hostclient_table *t, struct hostclient *c, struct err *err)
{
    struct service *s = c->service;
    if (s->reload_argv[0] != NULL)
        return start_job(t, c, s->reload_argv, NULL, err);
    if (s->spec->reload_signal == 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s declares neither a signal nor a command for reload", s->spec->name);
    if (s->pid <= 0)
        return make_error(err, ERR_NOT_FOUND, 0, "%s does not run", s->spec->name);
    (void)kill(s->pid, s->spec->reload_signal);
    return 0;
}

static int begin_signal(struct hostclient *c, struct err *err)
{
    if (c->service->pid <= 0)
        return make_error(err, ERR_NOT_FOUND, 0, "%s does not run", c->service->spec->name);
    if (kill(c->service->pid, c->request.number) != 0)
        return make_error(err, ERR_SYSTEM, errno, "signal %s", c->service->spec->name);
    return 0;
}

static int begin_list(struct hostclient_table *t, struct hostclient *c, struct err *err)
{
    int32_t i = c->request.number;
    if (i < 0 || (size_t)i >= t->n_services)
        return make_error(err, ERR_NOT_FOUND, 0, "the host has %zu services", t->n_services);
    c->service = &t->services[i];
    return 0;
}

static int begin_restart(struct service *s, struct err *err)
{
    if (s->pid <= 0 || s->masked)
        return service_start(s, err);
    service_stop(s, false, true);
    return 0;
}

static int begin_on_service(struct hostclient_table *t, struct hostclient *c, enum hostctl_op op,
                            struct err *err)
{
    switch (op) {
    case HOSTCTL_STATUS:
        return 0;
    case HOSTCTL_START:
        return service_start(c->service, err);
    case HOSTCTL_STOP:
        service_stop(c->service, true, false);
        if (c->request.timeout_ns > 0) /* the rest is for its end to be seen */
            service_stop_by(c->service,
                            clock_system(CLOCK_MONOTONIC) + c->request.timeout_ns / 4 * 3);
        return 0;
    case HOSTCTL_RESTART:
        return begin_restart(c->service, err);
    case HOSTCTL_RELOAD:
        return begin_reload(t, c, err);
    case HOSTCTL_SIGNAL:
        return begin_signal(c, err);
    case HOSTCTL_MASK:
    case HOSTCTL_UNMASK:
        c->service->masked = op == HOSTCTL_MASK;
        return 0;
    default:
        return make_error(err, ERR_PROTOCOL, 0, "%u is no request of ours", c->request.op);
    }
}

static int begin(struct hostclient_table *t, struct hostclient *c, struct err *err)
{
    enum hostctl_op op = (enum hostctl_op)c->request.op;
    if (op == HOSTCTL_LIST)
        return begin_list(t, c, err);
    if (op == HOSTCTL_RUN)
        return begin_run(t, c, err);
    c->service = find_service(t, c->request.service);
    if (c->service == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "the host has no service %s", c->request.service);
    return begin_on_service(t, c, op, err);
}

void hostclient_request(struct hostclient_table *t, struct hostclient *c)
{
    struct err err;
    ssize_t n = recv(c->fd, &c->request, sizeof(c->request), MSG_TRUNC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < (ssize_t)offsetof(struct hostctl_request, data) || c->request.len > HOSTCTL_DATA_MAX ||
        (size_t)n != offsetof(struct hostctl_request, data) + c->request.len) {
        hang_up(c);
        return;
    }
    c->request.service[NAME_MAX_LEN] = c->request.user[NAME_MAX_LEN] = '\0';
    c->busy = true;
    c->service = NULL;
    c->job = 0;
    c->job_ended = c->job_killed = false;
    c->out_len = 0;
    int64_t timeout = c->request.timeout_ns > 0 ? c->request.timeout_ns : 0;
    timeout = timeout < wait_max_ns ? timeout : wait_max_ns;
    c->deadline = clock_system(CLOCK_MONOTONIC) + timeout;
    if (begin(t, c, &err) != 0) {
        end_output(c);
        send_reply(t, c, &err);
    }
}

void hostclient_output(struct hostclient *c)
{
    static char spill[4096];
    while (c->out_fd >= 0) {
        /* What is past the maximum is read and thrown away: the command must not block. */
        uint32_t room = HOSTCTL_DATA_MAX - c->out_len;
        char *at = room != 0 ? c->out + c->out_len : spill;
        ssize_t n = read(c->out_fd, at, room != 0 ? room : sizeof(spill));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            end_output(c);
            return;
        }
        if (room != 0)
            c->out_len += (uint32_t)n;
    }
}

void hostclient_exited(struct hostclient_table *t, pid_t pid, int status)
{
    for (size_t i = 0; i < t->n_services; i++)
        if (service_exited(&t->services[i], pid, status))
            return;
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++) {
        struct hostclient *c = &t->clients[i];
        if (c->job != pid)
            continue;
        hostclient_output(c);
        end_output(c);
        c->job = 0;
        c->job_ended = true;
        c->job_status = status;
        return;
    }
}

/* Has what the request asked for happened? */
static bool is_done(const struct hostclient *c)
{
    const struct service *s = c->service;
    switch ((enum hostctl_op)c->request.op) {
    case HOSTCTL_RUN:
        return c->job_ended;
    case HOSTCTL_RELOAD:
        return c->job_ended || c->job == 0;
    case HOSTCTL_START:
    case HOSTCTL_RESTART:
        return s->state == SERVICE_READY && s->kill_at == 0;
    case HOSTCTL_STOP:
        return s->pid == 0;
    default:
        return true;
    }
}

static bool has_failed(const struct hostclient *c)
{
    const struct service *s = c->service;
    bool starts = c->request.op == HOSTCTL_START || c->request.op == HOSTCTL_RESTART;
    return starts && s->pid == 0 && s->restart_at == 0 && s->state == SERVICE_FAILED;
}

static void settle(struct hostclient_table *t, struct hostclient *c, int64_t now)
{
    bool waits = c->request.timeout_ns > 0 || c->job != 0;
    if (c->job_killed && c->job_ended)
        fail(t, c, ERR_TIMEOUT, "the command did not end in time and was killed");
    else if (has_failed(c))
        fail(t, c, ERR_SYSTEM, "ended at its start");
    else if (is_done(c) || !waits)
        send_reply(t, c, NULL);
    else if (now >= c->deadline && c->job != 0 && !c->job_killed) {
        c->job_killed = true;
        kill_job(c);
    } else if (now >= c->deadline && c->job == 0)
        fail(t, c, ERR_TIMEOUT,
             c->request.op == HOSTCTL_STOP ? "has not stopped in time" : "is not ready in time");
}

int64_t hostclient_tick(struct hostclient_table *t, int64_t now)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < t->n_services; i++) {
        int64_t due = service_tick(&t->services[i], now);
        next = due < next ? due : next;
    }
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++) {
        struct hostclient *c = &t->clients[i];
        if (!c->busy)
            continue;
        settle(t, c, now);
        if (c->busy && !c->job_killed && c->deadline < next)
            next = c->deadline;
    }
    return next;
}
