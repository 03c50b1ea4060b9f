/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a load of many users gets done and what it costs, by the load's own code in a process of its
 * own: 200 users who think, arrivals at a rate, 200 users without a pause; against a server here
 * that does nothing but answer, on one processor with it all. Beside them the least that could ask
 * at that rate: one loop over 200 plain sockets, without curl or a model. `--short` ends in 4 s.
 */
#include "base/clock.h"
#include "bench/answer_server.h"
#include "load/runner.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { USERS = 200, RATE = 1000, THINK_MS = 200, REQUEST_MAX = 4096 };

/* What one way of asking came to; shared with the process that asks. */
struct outcome {
    double seconds, cpu_s;
    uint64_t ok, failed, not_sent;
    int64_t late_ns, p50_ns, p99_ns; /* -1: not known */
};

static uint16_t port;

static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

static void die(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_in loopback(void)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* The load's own code. */

static void on_second(void *ctx, int64_t from_ns, int64_t to_ns, const struct load_tally *t)
{
    (void)ctx;
    (void)from_ns;
    (void)to_ns;
    (void)t;
}

static void *args_make(const struct load_kind *kind)
{
    char url[64];
    struct err err;
    void *args = calloc(1, kind->args_size);
    (void)snprintf(url, sizeof(url), "http://${host}:%u/", port);
    json_t *object = json_pack("{s:s}", "url", url);
    if (args == NULL ||
        params_decode(kind->params, kind->n_params, object, args, kind->args_size, &err) != 0)
        die("its parameters");
    json_decref(object);
    return args;
}

static void ask_as_load(const struct load_shape *shape, double seconds, struct outcome *ret)
{
    static const struct named_host host = {.name = "null", .ip = "127.0.0.1"};
    const struct load_kind *kind = load_kind_find("http");
    struct event_config *config = event_config_new();
    struct runner *r = NULL;
    struct err err = {.msg = ""};
    (void)event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
    struct event_base *base = event_base_new_with_config(config);
    struct runner_spec spec = {
        .hosts = &host, .n_hosts = 1, .shape = *shape, .seed = 1, .second = on_second};
    struct timeval tv = {.tv_sec = (time_t)seconds,
                         .tv_usec = (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)};
    if (kind == NULL || base == NULL)
        die("load");
    spec.kind = kind;
    spec.args = args_make(kind);
    if (runner_new(base, &spec, &r, &err) != 0) {
        fprintf(stderr, "bench_load: %s\n", err.msg);
        exit(1);
    }
    int64_t cpu = clock_system(CLOCK_PROCESS_CPUTIME_ID), begin = now();
    runner_start(r);
    (void)event_base_loopexit(base, &tv);
    (void)event_base_dispatch(base);
    ret->seconds = (double)(now() - begin) / 1e9;
    ret->cpu_s = (double)(clock_system(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
    const struct load_tally *t = runner_total(r);
    ret->ok = t->ok;
    ret->failed = t->failed;
    ret->not_sent = t->not_sent;
    ret->late_ns = t->late_ns;
    ret->p50_ns = histogram_percentile(&t->latency, 50);
    ret->p99_ns = histogram_percentile(&t->latency, 99);
}

/* The least that could ask at a rate: idle sockets on a stack. */

struct plain {
    int epoll, idle[USERS];
    size_t n_idle;
};

static void plain_open(struct plain *p)
{
    const struct sockaddr_in at = loopback();
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    while (p->n_idle < USERS) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
        if (fd < 0 || connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
            epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
            die("plain sockets");
        p->idle[p->n_idle++] = fd;
    }
}

static void plain_collect(struct plain *p, int64_t until, struct outcome *ret)
{
    struct epoll_event ready[64];
    char text[REQUEST_MAX];
    int64_t left = until - now();
    const struct timespec wait = {.tv_nsec = left > 0 ? left : 0}; /* never a second */
    int n = epoll_pwait2(p->epoll, ready, 64, &wait, NULL);
    for (int i = 0; i < n; i++) {
        if (recv(ready[i].data.fd, text, sizeof(text), 0) > 0)
            ret->ok++;
        else
            ret->failed++;
        p->idle[p->n_idle++] = ready[i].data.fd;
    }
}

static void ask_plainly(const struct load_shape *shape, double seconds, struct outcome *ret)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: null\r\nAccept: */*\r\n\r\n";
    struct plain p = {.n_idle = 0};
    plain_open(&p);
    int64_t cpu = clock_system(CLOCK_PROCESS_CPUTIME_ID), begin = now(), due = begin;
    int64_t end = begin + (int64_t)(seconds * 1e9);
    while (now() < end) {
        plain_collect(&p, due, ret);
        for (int64_t late; (late = now() - due) >= 0; due += NS_PER_SEC / shape->rate) {
            ret->late_ns = late > ret->late_ns ? late : ret->late_ns;
            if (p.n_idle == 0)
                ret->not_sent++;
            else if (send(p.idle[--p.n_idle], request, sizeof(request) - 1, MSG_NOSIGNAL) < 0)
                die("plain send");
        }
    }
    ret->seconds = (double)(now() - begin) / 1e9;
    ret->cpu_s = (double)(clock_system(CLOCK_PROCESS_CPUTIME_ID) - cpu) / 1e9;
    ret->p50_ns = -1;
    ret->p99_ns = -1;
}

/* In a process of its own, so that its processor time is its own. */
static double measure(const char *name, const struct load_shape *shape, double asked,
                      double seconds,
                      void (*ask)(const struct load_shape *, double, struct outcome *))
{
    int status = 0;
    struct outcome *o =
        mmap(NULL, sizeof(*o), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (o == MAP_FAILED)
        die("memory");
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        ask(shape, seconds, o);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || o->ok == 0)
        die(name);
    double cpu_us = o->cpu_s * 1e6 / (double)o->ok;
    printf("%-28s %7.0f a second", name, (double)o->ok / o->seconds);
    if (asked > 0)
        printf(", %.3f of the %.0f asked", (double)o->ok / o->seconds / asked, asked);
    printf("; %.1f us of processor time each; sent at most %.2f ms late", cpu_us,
           (double)o->late_ns / 1e6);
    if (o->p50_ns >= 0)
        printf("; p50 %.2f ms, p99 %.2f ms", (double)o->p50_ns / 1e6, (double)o->p99_ns / 1e6);
    printf("; %llu failed, %llu not sent\n", (unsigned long long)o->failed,
           (unsigned long long)o->not_sent);
    (void)fflush(stdout);
    (void)munmap(o, sizeof(*o));
    return cpu_us;
}

static struct load_shape shape_of(int model, int think_ms)
{
    return (struct load_shape){.model = model,
                               .users = USERS,
                               .think = {think_ms * NS_PER_MS},
                               .rate = RATE,
                               .arrivals = LOAD_EVEN,
                               .in_flight = USERS,
                               .timeout = {NS_PER_SEC},
                               .retry = {.factor = 1, .on = LOAD_ON_DEFAULT}};
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 && strcmp(argv[1], "--short") == 0 ? 0.9 : 10;
    const struct load_shape users = shape_of(LOAD_CLOSED, THINK_MS), rate = shape_of(LOAD_OPEN, 0),
                            hurried = shape_of(LOAD_CLOSED, 0);
    struct answer_counts counts = {0, 0}; /* its own copy: nobody asks for them */
    pid_t server = answer_server_start(&counts, &port);
    if (server < 0)
        die("server");
    (void)measure("200 users who think 200 ms:", &users, USERS * 1000.0 / THINK_MS, seconds,
                  ask_as_load);
    double load = measure("1000 arrivals a second:", &rate, RATE, seconds, ask_as_load);
    (void)measure("200 users without a pause:", &hurried, 0, seconds, ask_as_load);
    double plain = measure("plain sockets, same rate:", &rate, RATE, seconds, ask_plainly);
    printf("a request of the load takes %.1f times the processor time of a plain one\n",
           load / plain);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    return 0;
}
