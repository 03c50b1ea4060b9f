/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/bearer.h"

#include "agents/host/bearing.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TRACED_TRIES = 10, TRACED_PAUSE_NS = 1000000 };
static const int64_t END_WAIT_NS = 2 * NS_PER_SEC;

/* Those that this process started: their lines, on which deadlines go out. */
static struct line {
    char run[RUN_ID_MAX + 1], injection[INJECTION_ID_MAX + 1];
    struct bearer_counters *counters;
    int fd;
    pid_t pid; /* 0: free */
} lines[BEARERS_MAX];

static struct line *find_line(const char *run, const char *injection)
{
    for (size_t i = 0; i < BEARERS_MAX; i++)
        if (lines[i].pid > 0 && strcmp(lines[i].run, run) == 0 &&
            strcmp(lines[i].injection, injection) == 0)
            return &lines[i];
    return NULL;
}

static struct line *free_line(void)
{
    for (size_t i = 0; i < BEARERS_MAX; i++)
        if (lines[i].pid == 0)
            return &lines[i];
    return NULL;
}

static int wait_report(int fd, int64_t wait_ns, struct err *err)
{
    struct bearer_report report;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + wait_ns;
    int n;
    do {
        n = poll(&p, 1, clock_poll_ms(clock_system(CLOCK_MONOTONIC), deadline, 60000));
    } while (n < 0 && errno == EINTR);
    if (n <= 0)
        return make_error(err, ERR_TIMEOUT, 0, "the fault's own process was not ready in time");
    ssize_t len = recv(fd, &report, sizeof(report), 0);
    if (len != (ssize_t)sizeof(report))
        return make_error(err, ERR_SYSTEM, len < 0 ? errno : 0,
                          "the fault's own process ended before it was ready");
    report.msg[sizeof(report.msg) - 1] = '\0';
    if (report.code != ERR_NONE)
        return make_error(err, (enum err_code)report.code, 0, "%s", report.msg);
    return 0;
}

static void end_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void drop_line(struct line *line)
{
    (void)close(line->fd);
    (void)munmap(line->counters, sizeof(*line->counters));
    *line = (struct line){.fd = -1};
}

/* Forks; the line is ours on success. */
static int start(struct line *line, const struct bearer_spec *spec, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return make_error(err, ERR_SYSTEM, errno, "socketpair");
    line->counters = mmap(NULL, sizeof(*line->counters), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t self = getpid();
    pid_t pid = line->counters == MAP_FAILED ? -1 : fork();
    if (pid == 0) {
        struct bearer child = {.counters = line->counters};
        bearing_run(&child, spec, pair[1], self);
    }
    (void)close(pair[1]);
    line->fd = pair[0];
    if (pid > 0) {
        line->pid = pid;
        return 0;
    }
    (void)make_error(err, ERR_SYSTEM, errno, "start the fault's own process");
    if (line->counters == MAP_FAILED)
        (void)close(pair[0]);
    else
        drop_line(line);
    return -1;
}

int bearer_start(const struct fault_host *host, const struct bearer_spec *spec,
                 struct proc_id *ret_id, struct err *err)
{
    struct line *line = free_line();
    if (line == NULL || find_line(spec->run, spec->injection) != NULL)
        return make_error(err, ERR_LIMIT, 0, "too many faults with a process of their own (%d)",
                          BEARERS_MAX);
    if (spec->n_fds > BEARER_FDS_MAX)
        return make_error(err, ERR_LIMIT, 0, "a bearer takes %d descriptors", BEARER_FDS_MAX);
    if (start(line, spec, err) != 0)
        return -1;
    (void)snprintf(line->run, sizeof(line->run), "%s", spec->run);
    (void)snprintf(line->injection, sizeof(line->injection), "%s", spec->injection);
    int rc = wait_report(line->fd, spec->start_ns > 0 ? spec->start_ns : NS_PER_SEC, err);
    if (rc == 0 && proc_identify(host->proc, line->pid, ret_id, err) != 0)
        rc = wrap_error(err, "the fault's own process");
    if (rc != 0) {
        end_child(line->pid);
        drop_line(line);
    }
    return rc;
}

int bearer_renew(const struct fault_host *host, const struct undo *undo, const struct proc_id *id,
                 int64_t lease_ns, struct err *err)
{
    const struct line *line = find_line(undo->run, undo->injection);
    /* A line takes words also for one that is stopped, and never reads them. */
    if (line == NULL || !bearer_lives(host, id) ||
        send(line->fd, &lease_ns, sizeof(lease_ns), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return make_error(err, ERR_LAPSED, 0, "the fault's own process has ended, or is stopped");
    return 0;
}

const struct bearer_counters *bearer_read(const struct undo *undo)
{
    const struct line *line = find_line(undo->run, undo->injection);
    return line == NULL ? NULL : line->counters;
}

bool bearer_lives(const struct fault_host *host, const struct proc_id *id)
{
    static const struct timespec pause = {.tv_nsec = TRACED_PAUSE_NS};
    if (id->pid <= 0)
        return false;
    char state = proc_state(host, id);
    /* A person who watches its calls stops it for a moment at each. */
    for (int i = 0; i < TRACED_TRIES && state == 't'; i++) {
        (void)nanosleep(&pause, NULL);
        state = proc_state(host, id);
    }
    return state != '\0' && state != 'Z' && state != 'X' && state != 'T' && state != 't';
}

/* By pidfd and identity. */
static int end_by_identity(const struct fault_host *host, const struct proc_id *id, struct err *err)
{
    CLEANUP_FD int pidfd = -1;
    if (proc_open(host, id, &pidfd, err) != 0)
        return -1;
    if (pidfd < 0)
        return 0;
    if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) != 0 && errno != ESRCH)
        return make_error(err, ERR_SYSTEM, errno, "kill process %d", id->pid);
    if (!proc_wait_end(pidfd, END_WAIT_NS))
        return make_error(err, ERR_DIRTY, 0, "process %d does not end", id->pid);
    return 0;
}

static bool is_bearer(int proc, int32_t pid, const char *comm)
{
    char name[48], text[32] = "";
    struct stat theirs, ours;
    (void)snprintf(name, sizeof(name), "%d/comm", pid);
    CLEANUP_FD int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 1 || strncmp(text, comm, (size_t)n - 1) != 0 || comm[n - 1] != '\0')
        return false;
    (void)snprintf(name, sizeof(name), "%d/exe", pid);
    return fstatat(proc, name, &theirs, 0) == 0 && stat("/proc/self/exe", &ours) == 0 &&
           theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

/* The agent died, or was stopped, before it noted who the bearer is. */
static int end_unrecorded(const struct fault_host *host, const struct undo *undo, struct err *err)
{
    char comm[FAULT_MARK];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    fault_mark(comm, undo->run, undo->injection);
    if (proc_walk_open(&walk, host->proc, ".", err) != 0)
        return -1;
    for (int32_t pid; proc_walk_next(&walk, &pid);) {
        struct proc_id id;
        if (!is_bearer(host->proc, pid, comm))
            continue;
        if (proc_identify(host->proc, pid, &id, err) != 0) {
            if (err->code != ERR_NOT_FOUND)
                return -1;
        } else if (end_by_identity(host, &id, err) != 0) {
            return -1;
        }
    }
    return proc_walk_end(&walk, err);
}

static void end_softly(const struct line *line, int grace_ms)
{
    struct pollfd p = {.fd = line->fd, .events = POLLIN};
    if (grace_ms > 0 && shutdown(line->fd, SHUT_WR) == 0)
        (void)poll(&p, 1, grace_ms); /* it closes its end by exiting */
}

int bearer_end(const struct fault_host *host, const struct undo *undo, const struct proc_id *id,
               int grace_ms, struct err *err)
{
    struct line *line = find_line(undo->run, undo->injection);
    if (line != NULL) { /* our own child, whose pid is nobody else's until it is reaped here */
        end_softly(line, grace_ms);
        end_child(line->pid);
        drop_line(line);
        return 0;
    }
    return id->pid > 0 ? end_by_identity(host, id, err) : end_unrecorded(host, undo, err);
}
