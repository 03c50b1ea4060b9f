/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small server whose outages are known: a process that answers every request, goes down at one
 * CLOCK_MONOTONIC instant and comes back at another, and tells between which readings of the clock
 * each of the two happened. Refused: the listener is closed. Dropped: packets from and to the port
 * are dropped at ingress of the loopback device of the namespace.
 *
 * Before it goes down it answers what it has accepted, so that no request sent before then fails.
 * A server that was itself kept from running was down for its users without knowing it: its outages
 * are then not known, and it says so.
 */
#ifndef BLACKSTART_TESTS_TRUTH_H
#define BLACKSTART_TESTS_TRUTH_H

#include "agents/netlink/nft.h"
#include "base/clock.h"
#include "check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRUTH_CONNECTIONS = 512, TRUTH_DRAIN_MS = 200, TRUTH_LOOK_MS = 20, TRUTH_STARVED_MS = 200 };

struct truth_order {
    int64_t down_ns, up_ns; /* CLOCK_MONOTONIC */
};
struct truth {
    int64_t down_lo, down_hi, up_lo, up_hi;
    bool failed;
    bool starved; /* it did not run when it should have: nobody knows what was up when */
};

struct truth_server {
    pid_t pid;
    int fd; /* orders out, truths in */
};

struct truth_state {
    int listener, control;
    uint16_t port;
    struct nft_session *nft; /* dropped; NULL: refused */
    int connections[TRUTH_CONNECTIONS];
    bool answered[TRUTH_CONNECTIONS];
    size_t n;
    bool starved;
};

static int truth_listen(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || listen(fd, 1024) != 0)
        return -1;
    return fd;
}

static void truth_drop_connection(struct truth_state *s, size_t i)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(s->connections[i], SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(s->connections[i]);
    s->connections[i] = s->connections[--s->n];
    s->answered[i] = s->answered[s->n];
}

/* Takes what waits at the listener; false when nothing did. */
static bool truth_accept(struct truth_state *s)
{
    bool any = false;
    while (s->n < TRUTH_CONNECTIONS) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return any;
        s->answered[s->n] = false;
        s->connections[s->n++] = fd;
        any = true;
    }
    return any;
}

/* Answers what can be answered. */
static void truth_serve(struct truth_state *s)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n";
    char request[1024];
    for (size_t i = s->n; i-- > 0;) {
        ssize_t n = recv(s->connections[i], request, sizeof(request), MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            continue;
        if (n <= 0 || send(s->connections[i], answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            truth_drop_connection(s, i);
        else
            s->answered[i] = true;
    }
}

/* Until an instant at which nothing sent before is unanswered; returns a reading from before it. */
static int64_t truth_drain(struct truth_state *s)
{
    int64_t give_up = clock_system(CLOCK_MONOTONIC) + TRUTH_DRAIN_MS * NS_PER_MS;
    for (;;) {
        int64_t now = clock_system(CLOCK_MONOTONIC);
        bool quiet = !truth_accept(s);
        truth_serve(s);
        for (size_t i = 0; i < s->n; i++)
            quiet = quiet && s->answered[i];
        s->starved = s->starved || now > give_up;
        if (quiet || now > give_up)
            return now;
    }
}

static void truth_wait(struct truth_state *s, int64_t until)
{
    struct pollfd fds[TRUTH_CONNECTIONS + 1];
    for (;;) {
        int64_t left = until - clock_system(CLOCK_MONOTONIC);
        if (left <= 0)
            return;
        nfds_t n = 0;
        for (size_t i = 0; i < s->n; i++)
            fds[n++] = (struct pollfd){.fd = s->connections[i], .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = s->listener, .events = POLLIN};
        if (left > TRUTH_LOOK_MS * NS_PER_MS)
            left = TRUTH_LOOK_MS * NS_PER_MS;
        struct timespec t = {left / NS_PER_SEC, left % NS_PER_SEC};
        int64_t before = clock_system(CLOCK_MONOTONIC);
        (void)ppoll(fds, n, &t, NULL);
        s->starved =
            s->starved || clock_system(CLOCK_MONOTONIC) - before > TRUTH_STARVED_MS * NS_PER_MS;
        if (s->listener >= 0)
            (void)truth_accept(s);
        truth_serve(s);
    }
}

static bool truth_down(struct truth_state *s, struct truth *t)
{
    struct err err;
    t->down_lo = truth_drain(s);
    bool ok = true;
    if (s->nft == NULL) {
        (void)close(s->listener);
        s->listener = -1;
    } else {
        static struct addrs nobody;
        struct nft_devices devices = {.n = 1, .name = {"lo"}};
        struct ports ports = {.n = 1, .r = {{s->port, s->port}}};
        struct nft_injection in = {.id = "truth",
                                   .devices = &devices,
                                   .peers = &nobody,
                                   .ports = &ports,
                                   .protocol = NFT_PROTO_TCP,
                                   .in = true,
                                   .share = NFT_ALL_PPM,
                                   .lease_ms = 60000};
        ok = nft_inject(s->nft, &in, &err) == 0;
    }
    t->down_hi = clock_system(CLOCK_MONOTONIC);
    return ok;
}

static bool truth_up(struct truth_state *s, struct truth *t)
{
    struct err err;
    while (s->n != 0)
        truth_drop_connection(s, 0);
    t->up_lo = clock_system(CLOCK_MONOTONIC);
    bool ok = true;
    if (s->nft == NULL)
        ok = (s->listener = truth_listen(s->port)) >= 0;
    else
        ok = nft_withdraw(s->nft, "truth", &err) == 0;
    t->up_hi = clock_system(CLOCK_MONOTONIC);
    return ok;
}

static void truth_run(struct truth_state *s)
{
    for (;;) {
        struct truth_order order;
        struct truth t = {.failed = false};
        ssize_t n = recv(s->control, &order, sizeof(order), MSG_DONTWAIT);
        if (n == (ssize_t)sizeof(order) && order.up_ns == 0)
            return;
        if (n != (ssize_t)sizeof(order)) {
            truth_wait(s, clock_system(CLOCK_MONOTONIC) + 10 * NS_PER_MS);
            continue;
        }
        truth_wait(s, order.down_ns);
        t.failed = !truth_down(s, &t);
        truth_wait(s, order.up_ns);
        t.failed = !truth_up(s, &t) || t.failed;
        t.starved = s->starved || t.up_hi - order.up_ns > TRUTH_STARVED_MS * NS_PER_MS;
        (void)!send(s->control, &t, sizeof(t), MSG_NOSIGNAL);
        s->starved = false;
    }
}

static bool truth_start(struct truth_server *ret, uint16_t port, bool dropped)
{
    static struct truth_state state;
    struct err err;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    ret->pid = fork();
    if (ret->pid != 0) {
        (void)close(pair[1]);
        ret->fd = pair[0];
        return ret->pid > 0;
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpriority(PRIO_PROCESS, 0, -19); /* what may be: it is not what is measured */
    (void)close(pair[0]);
    state = (struct truth_state){.control = pair[1], .port = port};
    char run[RUN_ID_MAX + 1];
    (void)snprintf(run, sizeof(run), "truth-%u", port);
    state.listener = truth_listen(port);
    if (state.listener < 0 || (dropped && nft_open(run, &state.nft, &err) != 0))
        _exit(1);
    truth_run(&state);
    nft_close(state.nft);
    _exit(0);
}

static void truth_stop(struct truth_server *s)
{
    struct truth_order end = {.up_ns = 0};
    int status = -1;
    CU_ASSERT_EQUAL(send(s->fd, &end, sizeof(end), 0), sizeof(end));
    (void)close(s->fd);
    (void)waitpid(s->pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
}

#endif
