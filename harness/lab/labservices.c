/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/lab.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hostctl.h"
#include "lab/lab_internal.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static const int64_t default_ready_ns = 30 * NS_PER_SEC;

/* One service's start on one host, under way. */
struct start {
    const struct lab_service_spec *service;
    const char *host;
    int fd;
};

static int64_t ready_limit(const struct lab_service_spec *s)
{
    return s->ready_timeout.ns != 0 ? s->ready_timeout.ns : default_ready_ns;
}

static int ask_start(struct lab *lab, struct start *s, struct err *err)
{
    static struct hostctl_request q;
    if (lab_hostctl(lab, s->host, &s->fd, err) != 0)
        return -1;
    memset(&q, 0, offsetof(struct hostctl_request, data));
    q.op = HOSTCTL_START;
    q.timeout_ns = ready_limit(s->service);
    (void)snprintf(q.service, sizeof(q.service), "%s", s->service->name);
    if (send(s->fd, &q, offsetof(struct hostctl_request, data), MSG_NOSIGNAL) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask the init of host %s", s->host);
    return 0;
}

static int fail_start(struct lab *lab, const struct start *s, const char *why, struct err *err)
{
    struct err ignored;
    CLEANUP_FREE char *tail = NULL;
    bool one_id = lab->context.rootless && !lab->context.id_range;
    (void)make_error(
        err, ERR_SYSTEM, 0, "service %s on host %s: %s%s", s->service->name, s->host, why,
        one_id ? " (without root a service cannot change users: blackstart doctor)" : "");
    if (lab_log_tail(lab, s->host, s->service->name, 250, &tail, &ignored) != 0 || tail[0] == '\0')
        return -1;
    size_t used = strlen(err->msg), len = strlen(tail);
    while (len != 0 && tail[len - 1] == '\n')
        tail[--len] = '\0';
    (void)snprintf(err->msg + used, sizeof(err->msg) - used, ". Its last lines:\n%s", tail);
    return -1;
}

static int take_answer(struct lab *lab, struct start *s, struct err *err)
{
    static struct hostctl_reply r;
    ssize_t n = recv(s->fd, &r, sizeof(r), 0);
    (void)close(steal_fd(&s->fd));
    if (n < (ssize_t)offsetof(struct hostctl_reply, data))
        return make_error(err, ERR_SYSTEM, 0, "the init of host %s has ended", s->host);
    if (r.code == ERR_NONE) {
        bool trapped = r.len == strlen(HOSTCTL_TRAPPED) &&
                       memcmp(r.data, HOSTCTL_TRAPPED, strlen(HOSTCTL_TRAPPED)) == 0;
        lab_say(lab, "%s ready on %s%s", s->service->name, s->host,
                trapped ? ", its calls trapped by the kernel" : "");
        if (trapped)
            lab->trapped[s->service - lab->context.spec->services] = true;
        return 0;
    }
    char why[300];
    (void)snprintf(why, sizeof(why), "%.*s", (int)(r.len < 280 ? r.len : 280), r.data);
    return fail_start(lab, s, why, err);
}

/* Waits for all answers of one round. */
static int wait_round(struct lab *lab, struct start *list, size_t n, struct err *err)
{
    struct pollfd p[LAB_HOSTS_MAX];
    for (size_t left = n; left != 0;) {
        for (size_t i = 0; i < n; i++)
            p[i] = (struct pollfd){.fd = list[i].fd, .events = POLLIN};
        if (poll(p, n, -1) < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "wait for the services");
        for (size_t i = 0; i < n; i++) {
            if (p[i].revents == 0 || list[i].fd < 0)
                continue;
            if (take_answer(lab, &list[i], err) != 0)
                return -1;
            left--;
        }
    }
    return 0;
}

static void close_round(struct start *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].fd >= 0)
            (void)close(list[i].fd);
}

static int start_one(struct lab *lab, const struct lab_service_spec *s, struct err *err)
{
    struct start list[LAB_HOSTS_MAX];
    size_t n = 0;
    int status = 0;
    for (; n < s->n_hosts && n < LAB_HOSTS_MAX && status == 0; n++) {
        list[n] = (struct start){.service = s, .host = s->hosts[n], .fd = -1};
        status = ask_start(lab, &list[n], err);
    }
    if (status == 0)
        status = wait_round(lab, list, n, err);
    close_round(list, n);
    return status;
}

static bool is_started(const struct lab_spec *spec, const bool *done, const char *name)
{
    for (size_t i = 0; i < spec->n_services; i++)
        if (strcmp(spec->services[i].name, name) == 0)
            return done[i] || !spec->services[i].start;
    return true;
}

static bool may_start(const struct lab_spec *spec, const bool *done, size_t i)
{
    const struct lab_service_spec *s = &spec->services[i];
    for (size_t k = 0; k < s->n_after; k++)
        if (!is_started(spec, done, s->after[k]))
            return false;
    return true;
}

bool lab_service_is_trapped(const struct lab *lab, size_t service)
{
    return lab->trapped[service];
}

int lab_start_services(struct lab *lab, struct err *err)
{
    const struct lab_spec *spec = lab->context.spec;
    bool done[LAB_SERVICES_MAX] = {false};
    if (spec->n_services > LAB_SERVICES_MAX)
        return make_error(err, ERR_LIMIT, 0, "a lab has at most %d services", LAB_SERVICES_MAX);
    for (bool moved = true; moved;) {
        moved = false;
        for (size_t i = 0; i < spec->n_services; i++) {
            if (done[i] || !spec->services[i].start || !may_start(spec, done, i))
                continue;
            if (start_one(lab, &spec->services[i], err) != 0)
                return -1;
            done[i] = moved = true;
        }
    }
    for (size_t i = 0; i < spec->n_services; i++)
        if (!done[i] && spec->services[i].start)
            return make_error(err, ERR_INPUT, 0, "service %s waits for itself through `after`",
                              spec->services[i].name);
    return 0;
}
