/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine beside a measurement: on each processor a loop that keeps the time and sends packets
 * to itself over the loopback, which says how quiet the machine was and how long packets waited for
 * the kernel's own threads; and neighbours that want all processors. One of each per program.
 */
#ifndef BLACKSTART_TESTS_TRUTH_LOAD_H
#define BLACKSTART_TESTS_TRUTH_LOAD_H

#include "base/clock.h"
#include "check.h"

#include <arpa/inet.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOGS_MAX = 64, REFERENCES_MAX = 64 };

struct reference {
    atomic_uint_least64_t slots, lost;
    atomic_int_least64_t slowest_ns; /* of its packets, since it was last set to 0 */
    atomic_int_least64_t latest_ns;  /* it woke after it was due, since then */
};

static struct {
    struct reference *references;
    pid_t reference_pids[REFERENCES_MAX];
    size_t n_references;
    pid_t hogs[HOGS_MAX];
    size_t n_hogs;
} load;

struct quietness {
    uint64_t slots, lost;
    int64_t slowest_ns, latest_ns;
};

static struct quietness references_read(void)
{
    struct quietness q = {.slots = 0};
    for (size_t i = 0; i < load.n_references; i++) {
        int64_t slowest = load.references[i].slowest_ns, latest = load.references[i].latest_ns;
        q.slots += load.references[i].slots;
        q.lost += load.references[i].lost;
        q.slowest_ns = slowest > q.slowest_ns ? slowest : q.slowest_ns;
        q.latest_ns = latest > q.latest_ns ? latest : q.latest_ns;
    }
    return q;
}

static void references_reset(void)
{
    for (size_t i = 0; i < load.n_references; i++)
        load.references[i].slowest_ns = load.references[i].latest_ns = 0;
}

/* A datagram socket that speaks to itself. */
static int reference_socket(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t len = sizeof(to);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (const struct sockaddr *)&to, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&to, &len) != 0 ||
        connect(fd, (const struct sockaddr *)&to, len) != 0)
        _exit(1);
    return fd;
}

/* Sends a packet unless one is still on its way; notes how long that has been so. */
static void reference_packet(struct reference *r, int fd, int64_t *sent)
{
    char byte = 'x';
    for (int i = 0; i < 2; i++) {
        int64_t now = clock_system(CLOCK_MONOTONIC);
        bool came = *sent != 0 && recv(fd, &byte, 1, 0) == 1;
        if (*sent != 0 && now - *sent > r->slowest_ns)
            r->slowest_ns = now - *sent;
        if (came)
            *sent = 0;
        if (*sent != 0 || i == 1)
            return;
        *sent = clock_system(CLOCK_MONOTONIC);
        (void)send(fd, &byte, 1, 0);
    }
}

/* A slot each millisecond, at the prober's own priority: what it loses, nobody could have kept. */
static void reference_run(struct reference *r, int cpu)
{
    struct sched_param first = {.sched_priority = 1};
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET((size_t)cpu, &only);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sched_setaffinity(0, sizeof(only), &only);
    (void)sched_setscheduler(0, SCHED_FIFO, &first);
    int fd = reference_socket();
    int64_t due = clock_system(CLOCK_MONOTONIC), sent = 0;
    for (;;) {
        due += NS_PER_MS;
        struct timespec t = {due / NS_PER_SEC, due % NS_PER_SEC};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        int64_t late = clock_system(CLOCK_MONOTONIC) - due, lost = late / NS_PER_MS;
        if (late > r->latest_ns)
            r->latest_ns = late;
        due += lost * NS_PER_MS;
        atomic_fetch_add(&r->lost, (uint64_t)lost);
        atomic_fetch_add(&r->slots, (uint64_t)lost + 1);
        reference_packet(r, fd, &sent);
    }
}

static void references_start(void)
{
    size_t size = REFERENCES_MAX * sizeof(*load.references);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(shared, MAP_FAILED);
    load.references = shared;
    for (int i = 0; i < n && i < REFERENCES_MAX; i++) {
        pid_t pid = fork();
        if (pid == 0)
            reference_run(&load.references[i], i);
        load.reference_pids[load.n_references++] = pid;
    }
}

static void references_stop(void)
{
    for (size_t i = 0; i < load.n_references; i++) {
        (void)kill(load.reference_pids[i], SIGKILL);
        (void)waitpid(load.reference_pids[i], NULL, 0);
    }
    (void)munmap(load.references, REFERENCES_MAX * sizeof(*load.references));
}

/* Neighbours that never sleep, two for each processor. */
static void hogs_start(void)
{
    long n = 2 * sysconf(_SC_NPROCESSORS_ONLN);
    for (long i = 0; i < n && i < HOGS_MAX; i++) {
        pid_t pid = fork();
        volatile uint64_t x = 1;
        if (pid == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)setpriority(PRIO_PROCESS, 0, 0);
            for (;;)
                x = x * 3 + 1;
        }
        if (pid > 0)
            load.hogs[load.n_hogs++] = pid;
    }
}

static void hogs_stop(void)
{
    while (load.n_hogs != 0) {
        pid_t pid = load.hogs[--load.n_hogs];
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
    }
}

#endif
