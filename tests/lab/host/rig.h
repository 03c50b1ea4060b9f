/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small host for tests of what faults do to processes and files: own pid and network namespace, a
 * directory as its root, an init that starts victims. A victim is a function; it counts in shared
 * memory, so that a test can see whether it runs.
 */
#ifndef BLACKSTART_TESTS_LAB_HOST_RIG_H
#define BLACKSTART_TESTS_LAB_HOST_RIG_H

#include "base/clock.h"
#include "base/fault.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RIG_COUNTERS = 64 };

struct rig {
    pid_t init;
    int ctl;
    char dir[64];
    struct fault_host host;
    atomic_ulong *counters; /* shared with the victims */
};

typedef void rig_victim(struct rig *rig);

static inline int64_t rig_boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static inline void rig_sleep_ms(int ms)
{
    struct timespec t = clock_timespec(ms * NS_PER_MS);
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

struct rig_order {
    rig_victim *victim;
    char name[16];
};

static inline void rig_init(struct rig *rig, int fd)
{
    struct rig_order order;
    (void)signal(SIGCHLD, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (recv(fd, &order, sizeof(order), 0) == (ssize_t)sizeof(order)) {
        char none;
        int named[2];
        if (pipe2(named, O_CLOEXEC) != 0)
            _exit(1);
        pid_t pid = fork();
        if (pid == 0) {
            (void)close(fd);
            (void)close(named[0]);
            (void)signal(SIGCHLD, SIG_DFL);
            (void)prctl(PR_SET_NAME, order.name);
            (void)close(named[1]);
            order.victim(rig);
            _exit(0);
        }
        (void)close(named[1]);
        while (read(named[0], &none, 1) < 0 && errno == EINTR)
            ;
        (void)close(named[0]);
        (void)send(fd, &pid, sizeof(pid), MSG_NOSIGNAL);
    }
    _exit(0);
}

static inline void rig_start(struct rig *rig)
{
    int pair[2];
    char path[64];
    struct stat st;
    memset(rig, 0, sizeof(*rig));
    (void)snprintf(rig->dir, sizeof(rig->dir), "/tmp/blackstart-rig-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(rig->dir));
    rig->counters = mmap(NULL, RIG_COUNTERS * sizeof(*rig->counters), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    /* The child of an unshared pid namespace is its init; the test itself stays outside. */
    rig->init =
        (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL);
    CU_ASSERT_TRUE_FATAL(rig->init >= 0);
    if (rig->init == 0) {
        (void)close(pair[0]);
        rig_init(rig, pair[1]);
    }
    (void)close(pair[1]);
    rig->ctl = pair[0];
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", rig->init);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    (void)snprintf(rig->host.run, sizeof(rig->host.run), "test-%d", (int)(getpid() % 100000));
    (void)snprintf(rig->host.name, sizeof(rig->host.name), "n1");
    rig->host.root = open(rig->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    rig->host.proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    rig->host.pid_ns = st.st_ino;
    rig->host.now = rig_boottime;
}

/* Returns the victim's pid in the host, once it runs under its name. */
static inline pid_t rig_spawn(struct rig *rig, rig_victim *victim, const char *name)
{
    struct rig_order order = {.victim = victim};
    pid_t pid = -1;
    unsigned long before = atomic_load(&rig->counters[0]);
    (void)snprintf(order.name, sizeof(order.name), "%s", name);
    CU_ASSERT_EQUAL_FATAL(send(rig->ctl, &order, sizeof(order), 0), (ssize_t)sizeof(order));
    CU_ASSERT_EQUAL_FATAL(recv(rig->ctl, &pid, sizeof(pid), 0), (ssize_t)sizeof(pid));
    for (int i = 0; i < 1000 && atomic_load(&rig->counters[0]) == before; i++)
        rig_sleep_ms(1);
    return pid;
}

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void rig_stop(struct rig *rig)
{
    (void)kill(rig->init, SIGKILL);
    (void)waitpid(rig->init, NULL, 0);
    (void)close(rig->ctl);
    (void)close(rig->host.root);
    (void)close(rig->host.proc);
    (void)munmap(rig->counters, RIG_COUNTERS * sizeof(*rig->counters));
    CU_ASSERT_EQUAL(nftw(rig->dir, rig_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Does the victim count within ms? */
static inline bool rig_runs(struct rig *rig, size_t counter, int ms)
{
    unsigned long before = atomic_load(&rig->counters[counter]);
    for (int i = 0; i < ms; i++) {
        rig_sleep_ms(1);
        if (atomic_load(&rig->counters[counter]) != before)
            return true;
    }
    return false;
}

static inline void rig_count(struct rig *rig, size_t counter)
{
    for (;;) {
        atomic_fetch_add(&rig->counters[counter], 1);
        rig_sleep_ms(1);
    }
}

/* A fresh undo record, as the agent makes it. */
static inline void rig_undo(const struct rig *rig, const struct fault *row, const char *injection,
                            int64_t lease_ns, struct undo *undo)
{
    memset(undo, 0, sizeof(*undo));
    (void)snprintf(undo->run, sizeof(undo->run), "%s", rig->host.run);
    (void)snprintf(undo->injection, sizeof(undo->injection), "%s", injection);
    (void)snprintf(undo->fault, sizeof(undo->fault), "%s", row->name);
    undo->lease_ns = rig_boottime() + lease_ns;
}

/* Sets one parameter as a person would write it. */
static inline void rig_set(const struct fault *row, void *args, const char *name, const char *text)
{
    struct err err;
    const struct param *p = param_find(row->params, row->n_params, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    if (param_parse(p, text, args, &err) != 0) {
        printf("%s: %s\n", name, err.msg);
        CU_FAIL_FATAL("a parameter was not taken");
    }
}

#define CHECK_OK(call, err)                                                                        \
    do {                                                                                           \
        int rc_ = (call);                                                                          \
        if (rc_ != 0)                                                                              \
            printf("\n    %s: %s\n", #call, (err).msg);                                            \
        CU_ASSERT_EQUAL_FATAL(rc_, 0);                                                             \
    } while (0)

#endif
