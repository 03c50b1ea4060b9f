/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lab's process and each host's first one: when one ends, so does what can be measured. */
#include "run/run_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* An agent's end of file may be seen an instant before the end of the process that it died with. */
enum { WATCH_GRACE_MS = 50 };

struct run_watch {
    struct run *run;
    size_t host;
    int fd;
    struct event *event;
};

bool run_lab_ended(struct run *r)
{
    struct pollfd p = {.fd = r->lab_watch != NULL ? r->lab_watch->fd : -1, .events = POLLIN};
    struct err why;
    if (p.fd < 0)
        return false;
    if (!r->lab_ended && poll(&p, 1, WATCH_GRACE_MS) == 1) {
        r->lab_ended = true;
        (void)make_error(&why, ERR_SYSTEM, 0,
                         "the lab ended: its process was killed, and all hosts with it");
        run_say(r, "%s", why.msg);
        run_break(r, &why);
    }
    return r->lab_ended;
}

static void on_lab_end(evutil_socket_t fd, short what, void *ctx)
{
    struct run_watch *w = ctx;
    (void)fd;
    (void)what;
    (void)run_lab_ended(w->run);
}

static void host_died(struct run *r, size_t host)
{
    struct err why;
    if (r->agents[host].died)
        return;
    r->agents[host].died = true;
    (void)make_error(&why, ERR_SYSTEM, 0, "host %s died", r->plan->hosts[host].name);
    run_say(r, "%s: what was injected there ended with it", why.msg);
    if (r->started)
        run_post(r, EVENT_HOST_DIED, host, false, 0, NULL);
    else
        run_break(r, &why);
}

bool run_host_ended(struct run *r, size_t host)
{
    if (run_lab_ended(r) || r->agents[host].died)
        return true;
    for (size_t i = 0; i < PLAN_HOSTS_MAX; i++) {
        struct run_watch *w = r->host_watches[i];
        struct pollfd p = {.fd = w != NULL && w->host == host ? w->fd : -1, .events = POLLIN};
        if (p.fd >= 0 && poll(&p, 1, WATCH_GRACE_MS) == 1)
            host_died(r, host);
    }
    return r->agents[host].died;
}

static void on_host_end(evutil_socket_t fd, short what, void *ctx)
{
    struct run_watch *w = ctx;
    (void)fd;
    (void)what;
    if (!run_lab_ended(w->run))
        host_died(w->run, w->host);
}

static int watch(struct run *r, const char *host, event_callback_fn done, struct run_watch **ret,
                 struct err *err)
{
    struct run_watch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the lab's watch");
    *ret = w;
    *w = (struct run_watch){.run = r, .fd = -1};
    if (host != NULL)
        w->host = plan_host_index(r->plan, host);
    if (lab_watch(r->lab, host, &w->fd, err) < 0)
        return -1;
    w->event = event_new(r->base, w->fd, EV_READ, done, w);
    if (w->event == NULL || event_add(w->event, NULL) < 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for the lab's watch");
    return 0;
}

int run_watch_start(struct run *r, struct err *err)
{
    if (watch(r, NULL, on_lab_end, &r->lab_watch, err) < 0)
        return -1;
    for (size_t i = 0; i < lab_n_hosts(r->lab); i++) {
        const char *name = lab_host(r->lab, i)->name;
        if (watch(r, name, on_host_end, &r->host_watches[i], err) < 0)
            return -1;
    }
    return 0;
}

static void stop(struct run_watch **w)
{
    if (*w == NULL)
        return;
    if ((*w)->event != NULL)
        event_free((*w)->event);
    if ((*w)->fd >= 0)
        (void)close((*w)->fd);
    free(*w);
    *w = NULL;
}

void run_watch_stop(struct run *r)
{
    stop(&r->lab_watch);
    for (size_t i = 0; i < PLAN_HOSTS_MAX; i++)
        stop(&r->host_watches[i]);
}
