/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/tracer.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSES_MAX = 64, PROC_FD = BEARER_FD, CHILD_FD = BEARER_FD + 1, THREADS = 0 };
static const int64_t STOP_WAIT_NS = 2 * NS_PER_SEC;
static const int64_t START_WAIT_NS = 3 * NS_PER_SEC;

struct hold {
    const struct fault_host *host;
    const struct proc_set *set;
    bool tree;
};

static bool is_held(const struct fault_host *host, int32_t pid, int32_t tid, int32_t tracer)
{
    char name[64], text[4096];
    int32_t by = 0;
    (void)snprintf(name, sizeof(name), "%d/task/%d/status", pid, tid);
    CLEANUP_FD int fd = openat(host->proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return false;
    text[n] = '\0';
    return strstr(text, "\nState:\tt") != NULL && proc_parse_status(text, "TracerPid:", &by) &&
           by == tracer;
}

void tracer_count(const struct fault_host *host, const struct proc_id *id, int32_t tracer,
                  uint32_t *ret_held, uint32_t *ret_all)
{
    char dir[48];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    *ret_held = *ret_all = 0;
    (void)snprintf(dir, sizeof(dir), "%d/task", id->pid);
    if (proc_has_ended(host, id) || proc_walk_open(&walk, host->proc, dir, NULL) != 0)
        return;
    for (int32_t tid; proc_walk_next(&walk, &tid);) {
        *ret_all += 1;
        *ret_held += is_held(host, id->pid, tid, tracer);
    }
}

static int seize_refused(int32_t tid, struct err *err)
{
    if (errno == ESRCH)
        return 0;
    if (errno == EPERM)
        return make_error(err, ERR_REFUSED, 0,
                          "thread %d cannot be held: it is traced already, or CAP_SYS_PTRACE is "
                          "missing",
                          tid);
    return make_error(err, ERR_SYSTEM, errno, "hold thread %d", tid);
}

static bool is_ours(const struct fault_host *host, int32_t pid, int32_t tid)
{
    char name[64], text[4096];
    int32_t tracer = 0;
    (void)snprintf(name, sizeof(name), "%d/task/%d/status", pid, tid);
    int fd = openat(host->proc, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true; /* ended meanwhile: nothing to seize */
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    return proc_parse_status(text, "TracerPid:", &tracer) && tracer == getpid();
}

/* Seizes the threads that are not yet ours; *found says how many there were. */
static int seize_threads(const struct fault_host *host, int32_t pid, bool tree, uint32_t *found,
                         struct err *err)
{
    /* New threads are caught by the kernel itself, before their first instruction. */
    const long options =
        PTRACE_O_TRACECLONE | (tree ? PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK : 0);
    char dir[48];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    (void)snprintf(dir, sizeof(dir), "%d/task", pid);
    if (proc_walk_open(&walk, host->proc, dir, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    for (int32_t tid; proc_walk_next(&walk, &tid);) {
        if (is_ours(host, pid, tid))
            continue;
        if (ptrace(PTRACE_SEIZE, tid, 0, options) != 0 ||
            ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) {
            if (seize_refused(tid, err) != 0)
                return -1;
            continue;
        }
        *found += 1;
    }
    return 0;
}

static int seize_all(const struct fault_host *host, struct proc_set *set, bool tree,
                     struct err *err)
{
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        uint32_t found = 0;
        if (tree && proc_add_tree(host, set, &found, err) != 0)
            return -1;
        for (uint32_t i = 0; i < set->n; i++)
            if (!proc_has_ended(host, &set->v[i]) &&
                seize_threads(host, set->v[i].pid, tree, &found, err) != 0)
                return -1;
        if (found == 0)
            return 0;
    }
    return make_error(err, ERR_LIMIT, 0, "it makes threads faster than they can be held");
}

static void count_all(const struct fault_host *host, const struct proc_set *set,
                      uint32_t *ret_threads, uint32_t *ret_running)
{
    *ret_threads = *ret_running = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        uint32_t held, all;
        tracer_count(host, &set->v[i], getpid(), &held, &all);
        *ret_threads += held;
        *ret_running += all - held;
    }
}

/* Takes the stops and ends that the kernel has for us: a victim that was killed must be reaped here
 * before its own parent can see it. */
static void take_stops(void)
{
    while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
        ;
}

/* A thread in an uninterruptible wait stops only when it wakes. */
static int wait_all_held(const struct fault_host *host, struct proc_set *set, bool tree,
                         uint32_t *ret_threads, struct err *err)
{
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + STOP_WAIT_NS;
    uint32_t running;
    for (;;) {
        take_stops();
        count_all(host, set, ret_threads, &running);
        if (running == 0)
            break;
        if (clock_system(CLOCK_MONOTONIC) > deadline)
            return make_error(err, ERR_TIMEOUT, 0,
                              "%u threads do not stop (in an uninterruptible wait)", running);
        struct pollfd p = {.fd = CHILD_FD, .events = POLLIN};
        struct signalfd_siginfo info;
        (void)poll(&p, 1, 1);
        while (read(CHILD_FD, &info, sizeof(info)) > 0)
            ;
        if (seize_all(host, set, tree, err) != 0)
            return -1;
    }
    if (*ret_threads == 0)
        return make_error(err, ERR_NOT_FOUND, 0, "the process ended before it could be held");
    return 0;
}

static bool open_events(void)
{
    sigset_t child;
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    return sigprocmask(SIG_BLOCK, &child, NULL) == 0 &&
           signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK) == CHILD_FD;
}

static void hold(struct bearer *self, void *arg)
{
    const struct hold *asked = arg;
    struct fault_host view = *asked->host;
    static struct proc_set all;
    struct err err;
    uint32_t threads = 0;
    view.proc = PROC_FD;
    all = *asked->set;
    if (!open_events()) {
        (void)make_error(&err, ERR_SYSTEM, errno, "prepare the tracer");
        bearer_refuse(self, &err);
    }
    if (seize_all(&view, &all, asked->tree, &err) != 0 ||
        wait_all_held(&view, &all, asked->tree, &threads, &err) != 0)
        bearer_refuse(self, &err);
    bearer_set(self, THREADS, threads);
    bearer_ready(self);
    while (bearer_wait(self, CHILD_FD, POLLIN, -1) > 0) {
        struct signalfd_siginfo info;
        while (read(CHILD_FD, &info, sizeof(info)) > 0)
            ;
        take_stops();
    }
}

int tracer_start(const struct fault_host *host, const struct undo *undo, const struct proc_set *set,
                 bool tree, struct proc_id *ret_tracer, struct err *err)
{
    struct hold arg = {host, set, tree};
    const struct bearer_spec spec = {.run = undo->run,
                                     .injection = undo->injection,
                                     .fds = &host->proc,
                                     .n_fds = 1,
                                     .caps = UINT64_C(1) << CAP_SYS_PTRACE,
                                     .lease_ns = undo->lease_ns,
                                     .start_ns = START_WAIT_NS,
                                     .body = hold,
                                     .arg = &arg};
    return bearer_start(host, &spec, ret_tracer, err);
}
