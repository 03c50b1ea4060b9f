/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine beside a measurement: a loop that does nothing but keep the time, which says how
 * quiet it was, and neighbours that want all processors. One of each per program. */
#ifndef BLACKSTART_TESTS_TRUTH_LOAD_H
#define BLACKSTART_TESTS_TRUTH_LOAD_H

#include "base/clock.h"
#include "check.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOGS_MAX = 64 };

struct reference {
    atomic_uint_least64_t slots, lost;
};

static struct {
    struct reference *reference;
    pid_t reference_pid;
    pid_t hogs[HOGS_MAX];
    size_t n_hogs;
} load;

/* A slot each millisecond, at the prober's own priority: what it loses, nobody could have kept. */
static void reference_run(void)
{
    struct sched_param first = {.sched_priority = 1};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sched_setscheduler(0, SCHED_FIFO, &first);
    int64_t due = clock_system(CLOCK_MONOTONIC);
    for (;;) {
        due += NS_PER_MS;
        struct timespec t = {due / NS_PER_SEC, due % NS_PER_SEC};
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        int64_t lost = (clock_system(CLOCK_MONOTONIC) - due) / NS_PER_MS;
        due += lost * NS_PER_MS;
        atomic_fetch_add(&load.reference->lost, (uint64_t)lost);
        atomic_fetch_add(&load.reference->slots, (uint64_t)lost + 1);
    }
}

static void reference_start(void)
{
    void *shared = mmap(NULL, sizeof(*load.reference), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_NOT_EQUAL_FATAL(shared, MAP_FAILED);
    load.reference = shared;
    load.reference_pid = fork();
    if (load.reference_pid == 0)
        reference_run();
}

static void reference_stop(void)
{
    (void)kill(load.reference_pid, SIGKILL);
    (void)waitpid(load.reference_pid, NULL, 0);
    (void)munmap(load.reference, sizeof(*load.reference));
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
