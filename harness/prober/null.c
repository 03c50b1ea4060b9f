/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service that does nothing, in a process of its own on this host's loopback, and a probe of it
 * on the schedule of all others: where even its answers are late, it is this machine that is slow.
 * It is spoken to by datagrams between two fixed sockets, so that no connection of it can be
 * counted or cut by a fault, and no port waits for strangers.
 */
#include "base/cleanup.h"
#include "base/clock.h"
#include "prober/loop_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Rarer than this it would not see the stalls that matter; more often it would be a load itself. */
static const int64_t every_least = 10 * NS_PER_MS, timeout = NS_PER_SEC;

struct prober_null {
    pid_t server;
    int fd;
    struct prober_watch *watch;
    struct prober_probe *probe;
};

static void attempt_begin(struct prober_attempt *a)
{
    const struct prober_null *null = a->target->state;
    a->sent_ns = prober_now();
    (void)send(null->fd, &a->slot, sizeof(a->slot), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void attempt_cancel(struct prober_attempt *a)
{
    (void)a;
}

static void target_close(struct prober_target *t)
{
    t->state = NULL;
}

static const struct probe_ops ops = {
    .close = target_close, .begin = attempt_begin, .cancel = attempt_cancel};
static const struct probe_kind kind = {.name = "null", .ops = &ops};

static void answers_ready(void *ctx, uint32_t events)
{
    const struct prober_null *null = ctx;
    uint32_t slot;
    (void)events;
    while (recv(null->fd, &slot, sizeof(slot), MSG_DONTWAIT) == (ssize_t)sizeof(slot)) {
        struct prober_attempt *a = null->probe->first;
        while (a != NULL && a->slot != slot)
            a = a->next;
        if (a != NULL)
            prober_done(a, SAMPLE_GOOD, 0, 0);
    }
}

static _Noreturn void server_run(int fd, pid_t prober)
{
    char message[64];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NAME, "blackstart-null");
    if (getppid() != prober) /* it died before this was asked for */
        _exit(0);
    /* All streams must end with the prober, not with this. */
    for (int i = 0; i <= 2; i++)
        (void)close(i);
    for (;;) {
        ssize_t n = recv(fd, message, sizeof(message), 0);
        if (n > 0)
            (void)send(fd, message, (size_t)n, MSG_NOSIGNAL);
        else if (n < 0 && errno != EINTR && errno != ECONNREFUSED)
            _exit(0);
    }
}

static int socket_bind(struct sockaddr_in *ret)
{
    socklen_t len = sizeof(*ret);
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *ret = (struct sockaddr_in){.sin_family = AF_INET};
    ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (const struct sockaddr *)ret, len) != 0 ||
        getsockname(fd, (struct sockaddr *)ret, &len) != 0)
        return -1;
    return steal_fd(&fd);
}

static pid_t server_start(int *ret_fd)
{
    struct sockaddr_in to_ours, to_theirs;
    CLEANUP_FD int ours = socket_bind(&to_ours);
    CLEANUP_FD int theirs = socket_bind(&to_theirs);
    if (ours < 0 || theirs < 0 ||
        connect(ours, (const struct sockaddr *)&to_theirs, sizeof(to_theirs)) != 0 ||
        connect(theirs, (const struct sockaddr *)&to_ours, sizeof(to_ours)) != 0)
        return -1;
    pid_t prober = getpid(), pid = fork();
    if (pid == 0) {
        (void)close(ours);
        server_run(theirs, prober);
    }
    if (pid > 0)
        *ret_fd = steal_fd(&ours);
    return pid;
}

int prober_null_open(struct prober *p, struct err *err)
{
    struct prober_null *null = calloc(1, sizeof(*null));
    struct prober_probe *probe = calloc(1, sizeof(*probe));
    struct prober_target *target = calloc(1, sizeof(*target));
    if (null != NULL)
        null->fd = -1;
    if (null == NULL || probe == NULL || target == NULL ||
        (null->server = server_start(&null->fd)) < 0 ||
        (null->watch = prober_watch(p, null->fd, EPOLLIN, answers_ready, null)) == NULL) {
        (void)make_error(err, ERR_SYSTEM, errno, "the null server");
        free(probe);
        free(target);
        p->null = null;
        prober_null_close(p);
        return -1;
    }
    *target = (struct prober_target){.probe = probe, .state = null};
    *probe = (struct prober_probe){.kind = &kind,
                                   .index = UINT16_MAX,
                                   .timeout_ns = timeout,
                                   .targets = target,
                                   .n_targets = 1,
                                   .null = calloc(1, sizeof(*probe->null))};
    null->probe = probe;
    p->null = null;
    return 0;
}

void prober_null_begin(struct prober *p)
{
    struct prober_null *null = p->null;
    int64_t every = INT64_MAX;
    if (null == NULL || null->probe->null == NULL)
        return;
    for (size_t i = 0; i < p->n_probes; i++)
        if (p->probes[i] != null->probe && p->probes[i]->every_ns < every)
            every = p->probes[i]->every_ns;
    if (every == INT64_MAX)
        return;
    memset(null->probe->null, 0, sizeof(*null->probe->null));
    null->probe->every_ns = every > every_least ? every : every_least;
    for (size_t i = 0; i < p->n_probes; i++)
        if (p->probes[i] == null->probe)
            return;
    if (p->n_probes < PROBER_PROBES_MAX)
        p->probes[p->n_probes++] = null->probe;
}

void prober_null_record(struct prober_probe *probe, int64_t took_ns, enum sample_result result)
{
    /* A stall of the prober itself is told as a gap of all others. */
    if (result == SAMPLE_GAP)
        return;
    histogram_add(&probe->null->took, took_ns);
    probe->null->late += took_ns > probe->every_ns || result != SAMPLE_GOOD;
}

void prober_null_count(const struct prober *p, struct prober_counts *ret)
{
    const struct prober_null *null = p->null;
    ret->null_n = ret->null_late = ret->null_p50_ns = ret->null_p99_ns = ret->null_max_ns = -1;
    if (null == NULL || null->probe->null == NULL || null->probe->null->took.n == 0)
        return;
    const struct histogram *took = &null->probe->null->took;
    ret->null_n = (int64_t)took->n;
    ret->null_late = (int64_t)null->probe->null->late;
    ret->null_p50_ns = histogram_percentile(took, 50);
    ret->null_p99_ns = histogram_percentile(took, 99);
    ret->null_max_ns = took->most;
}

/* Before the probes are freed: it may stand among them. */
void prober_null_close(struct prober *p)
{
    struct prober_null *null = p->null;
    if (null == NULL)
        return;
    p->null = NULL;
    for (size_t i = 0; i < p->n_probes; i++)
        if (p->probes[i] == null->probe)
            p->probes[i] = p->probes[--p->n_probes];
    if (null->probe != NULL) {
        free(null->probe->null);
        null->probe->null = NULL;
        prober_probe_free(p, null->probe);
    }
    prober_unwatch(p, null->watch);
    if (null->fd >= 0)
        (void)close(null->fd);
    if (null->server > 0) {
        (void)kill(null->server, SIGKILL);
        (void)waitpid(null->server, NULL, 0);
    }
    free(null);
}
