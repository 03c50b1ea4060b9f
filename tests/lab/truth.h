/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small server whose outages are known: a process that answers every request, goes down at one
 * CLOCK_MONOTONIC instant and comes back at another, and tells between which readings of the clock
 * each of the two happened. Refused: the listener is closed. Dropped: packets from and to the port
 * are dropped at ingress of the loopback device of the namespace. Slow and content: it answers, but
 * late, or wrongly. Hung: it accepts and never answers. An outage may be of several dips, up for a
 * while between them. Asserts nothing.
 *
 * Before it goes down it answers what it has accepted, so that no request sent before then fails;
 * before it comes up it takes all that came while it was down, and that stays down. A server that
 * was itself kept from running was down for its users without knowing it: its outages are then not
 * known, and it says so.
 */
#ifndef BLACKSTART_TESTS_TRUTH_H
#define BLACKSTART_TESTS_TRUTH_H

#include "agents/netlink/nft.h"
#include "base/clock.h"

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

enum {
    TRUTH_CONNECTIONS = 512,
    TRUTH_DRAIN_MS = 200,
    TRUTH_LOOK_MS = 50,
    TRUTH_STARVED_MS = 250,
    TRUTH_LATE_MS = 50, /* with a dip's beginning or end: another may have gone by */
    TRUTH_SLOW_MS = 550
};

enum truth_how { TRUTH_REFUSED, TRUTH_DROPPED, TRUTH_SLOW, TRUTH_CONTENT, TRUTH_HUNG };

struct truth_order {
    int64_t down_ns, up_ns; /* CLOCK_MONOTONIC; of the first dip and of the last */
    int64_t dips, gap_ns;   /* of equal length, and the time up between them */
};
struct truth {
    int64_t down_lo, down_hi, up_lo, up_hi;
    int64_t longest_ns; /* of its dips, at least */
    bool failed;
    bool starved; /* it did not run when it should have: nobody knows what was up when */
};

struct truth_server {
    pid_t pid;
    int fd; /* orders out, truths in */
};

struct truth_connection {
    int fd;
    bool down;        /* it came while the server was */
    bool asked, done; /* its request was read; it was answered */
    int64_t due_ns;   /* slow: when it is answered */
};

struct truth_state {
    int listener, control;
    uint32_t addr; /* network byte order */
    uint16_t port;
    enum truth_how how;
    bool down;
    struct nft_session *nft; /* dropped */
    struct truth_connection connections[TRUTH_CONNECTIONS];
    size_t n;
    bool starved;
    int64_t looked_ns; /* when it last looked for requests */
};

static int truth_listen(uint32_t addr, uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = addr;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&to, sizeof(to)) != 0 || listen(fd, 1024) != 0)
        return -1;
    return fd;
}

static void truth_drop_connection(struct truth_state *s, size_t i)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(s->connections[i].fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(s->connections[i].fd);
    s->connections[i] = s->connections[--s->n];
}

/* Takes what waits at the listener; false when nothing did. */
static bool truth_accept(struct truth_state *s)
{
    bool any = false;
    while (s->n < TRUTH_CONNECTIONS) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return any;
        s->connections[s->n++] = (struct truth_connection){.fd = fd, .down = s->down};
        any = true;
    }
    return any;
}

static bool truth_answer(struct truth_state *s, struct truth_connection *c)
{
    static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n",
                      wrong[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npang\n";
    const char *text = c->down && s->how == TRUTH_CONTENT ? wrong : good;
    c->done = true;
    return send(c->fd, text, sizeof(good) - 1, MSG_NOSIGNAL) >= 0;
}

/* Reads what came and answers when it is time; false: the connection has broken. */
static bool truth_serve_one(struct truth_state *s, struct truth_connection *c)
{
    char request[1024];
    ssize_t n = recv(c->fd, request, sizeof(request), MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        return false;
    if (n > 0 && !c->asked) {
        bool slow = c->down && s->how == TRUTH_SLOW;
        c->asked = true;
        c->due_ns = slow ? clock_system(CLOCK_MONOTONIC) + TRUTH_SLOW_MS * NS_PER_MS : 0;
    }
    if (!c->asked || c->done || (c->down && s->how == TRUTH_HUNG) ||
        (c->due_ns != 0 && c->due_ns > clock_system(CLOCK_MONOTONIC)))
        return true;
    return truth_answer(s, c);
}

/* Answers what can be answered. */
static void truth_serve(struct truth_state *s)
{
    for (size_t i = s->n; i-- > 0;) {
        struct truth_connection *c = &s->connections[i];
        if (truth_serve_one(s, c))
            continue;
        /* Its client gave up: nobody was served here, though it was up. */
        s->starved = s->starved || (!c->done && !c->down && !s->down);
        truth_drop_connection(s, i);
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
            quiet = quiet && (s->connections[i].done || s->connections[i].down);
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
            fds[n++] = (struct pollfd){.fd = s->connections[i].fd, .events = POLLIN};
        fds[n++] = (struct pollfd){.fd = s->listener, .events = POLLIN};
        if (left > TRUTH_LOOK_MS * NS_PER_MS)
            left = TRUTH_LOOK_MS * NS_PER_MS;
        struct timespec t = {left / NS_PER_SEC, left % NS_PER_SEC};
        (void)ppoll(fds, n, &t, NULL);
        int64_t now = clock_system(CLOCK_MONOTONIC);
        s->starved =
            s->starved || (s->looked_ns != 0 && now - s->looked_ns > TRUTH_STARVED_MS * NS_PER_MS);
        s->looked_ns = now;
        if (s->listener >= 0)
            (void)truth_accept(s);
        truth_serve(s);
    }
}

static bool truth_drop_packets(struct truth_state *s)
{
    static struct addrs nobody;
    struct err err;
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
    return nft_inject(s->nft, &in, &err) == 0;
}

static bool truth_down(struct truth_state *s, struct truth *t)
{
    bool ok = true;
    t->down_lo = truth_drain(s);
    s->down = true;
    if (s->how == TRUTH_REFUSED) {
        (void)close(s->listener);
        s->listener = -1;
    } else if (s->how == TRUTH_DROPPED) {
        ok = truth_drop_packets(s);
    }
    t->down_hi = clock_system(CLOCK_MONOTONIC);
    return ok;
}

static bool truth_up(struct truth_state *s, struct truth *t)
{
    struct err err;
    bool ok = true;
    if (s->how == TRUTH_REFUSED || s->how == TRUTH_DROPPED)
        while (s->n != 0)
            truth_drop_connection(s, 0);
    /* What was sent before this reading has been taken, and stays down. */
    do
        t->up_lo = clock_system(CLOCK_MONOTONIC);
    while (s->listener >= 0 && s->how != TRUTH_DROPPED && truth_accept(s));
    s->down = false;
    if (s->how == TRUTH_REFUSED)
        ok = (s->listener = truth_listen(s->addr, s->port)) >= 0;
    else if (s->how == TRUTH_DROPPED)
        ok = nft_withdraw(s->nft, "truth", &err) == 0;
    t->up_hi = clock_system(CLOCK_MONOTONIC);
    return ok;
}

static struct truth truth_outage(struct truth_state *s, const struct truth_order *o)
{
    struct truth t = {.failed = false};
    struct truth_order end;
    int64_t dips = o->dips > 0 ? o->dips : 1;
    int64_t each = (o->up_ns - o->down_ns - (dips - 1) * o->gap_ns) / dips;
    for (int64_t k = 0; k < dips; k++) {
        struct truth one = {.failed = false};
        int64_t from = o->down_ns + k * (each + o->gap_ns), to = from + each;
        truth_wait(s, from);
        t.failed = !truth_down(s, &one) || t.failed;
        truth_wait(s, to);
        t.failed = !truth_up(s, &one) || t.failed;
        if (k == 0) {
            t.down_lo = one.down_lo;
            t.down_hi = one.down_hi;
        }
        t.up_lo = one.up_lo;
        t.up_hi = one.up_hi;
        int64_t length = one.up_lo - one.down_hi;
        t.longest_ns = length > t.longest_ns ? length : t.longest_ns;
        s->starved = s->starved || one.down_hi - from > TRUTH_LATE_MS * NS_PER_MS ||
                     one.up_hi - to > TRUTH_LATE_MS * NS_PER_MS;
    }
    /* Until it is asked again, when no request is under way any more. */
    while (recv(s->control, &end, sizeof(end), MSG_DONTWAIT) < 0 && errno == EAGAIN)
        truth_wait(s, clock_system(CLOCK_MONOTONIC) + 20 * NS_PER_MS);
    t.starved = s->starved;
    s->starved = false;
    return t;
}

static void truth_run(struct truth_state *s)
{
    for (;;) {
        struct truth_order order;
        ssize_t n = recv(s->control, &order, sizeof(order), MSG_DONTWAIT);
        if (n == (ssize_t)sizeof(order) && order.up_ns == 0)
            return;
        if (n != (ssize_t)sizeof(order)) {
            truth_wait(s, clock_system(CLOCK_MONOTONIC) + 20 * NS_PER_MS);
            continue;
        }
        s->starved = false; /* between trials nobody asks */
        struct truth t = truth_outage(s, &order);
        (void)!send(s->control, &t, sizeof(t), MSG_NOSIGNAL);
    }
}

static inline bool truth_start(struct truth_server *ret, const char *addr, uint16_t port,
                               enum truth_how how)
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
    state =
        (struct truth_state){.control = pair[1], .addr = inet_addr(addr), .port = port, .how = how};
    char run[RUN_ID_MAX + 1];
    (void)snprintf(run, sizeof(run), "truth-%u", port);
    state.listener = truth_listen(state.addr, port);
    if (state.listener < 0 || (how == TRUTH_DROPPED && nft_open(run, &state.nft, &err) != 0))
        _exit(1);
    truth_run(&state);
    if (state.nft != NULL)
        nft_close(state.nft);
    _exit(0);
}

/* Whether it ended as it should. */
static inline bool truth_stop(struct truth_server *s)
{
    const struct truth_order end = {.up_ns = 0};
    int status = -1;
    bool asked = send(s->fd, &end, sizeof(end), MSG_NOSIGNAL) == sizeof(end);
    (void)close(s->fd);
    return waitpid(s->pid, &status, 0) == s->pid && status == 0 && asked;
}

static inline bool truth_ask(const struct truth_server *s, const struct truth_order *o)
{
    return send(s->fd, o, sizeof(*o), MSG_NOSIGNAL) == sizeof(*o);
}

/* Ends the watch over an outage that is over, and takes what is known of it. */
static inline bool truth_take(const struct truth_server *s, struct truth *ret)
{
    const struct truth_order end = {.up_ns = 1};
    return truth_ask(s, &end) && recv(s->fd, ret, sizeof(*ret), 0) == sizeof(*ret);
}

#endif
