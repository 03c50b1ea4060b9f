/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/bearing.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { LINE_FD = 0, TIMER_FD = 1, ASIDE = 64 };

/* First out of the way, then to their places; all others are closed. */
static bool keep_only(const struct bearer_spec *spec, int line)
{
    int aside[BEARER_FDS_MAX + 1];
    aside[0] = fcntl(line, F_DUPFD, ASIDE);
    for (size_t i = 0; i < spec->n_fds; i++)
        aside[i + 1] = fcntl(spec->fds[i], F_DUPFD, ASIDE);
    if (aside[0] < 0 || dup2(aside[0], LINE_FD) < 0)
        return false;
    for (size_t i = 0; i < spec->n_fds; i++)
        if (aside[i + 1] < 0 || dup2(aside[i + 1], BEARER_FD + (int)i) < 0)
            return false;
    (void)close(TIMER_FD);
    return timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK) == TIMER_FD &&
           syscall(SYS_close_range, BEARER_FD + (unsigned)spec->n_fds, ~0U, 0) == 0;
}

static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &plain, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool set_deadline(int64_t lease_ns)
{
    struct itimerspec at = {.it_value = clock_timespec(lease_ns > 0 ? lease_ns : 1)};
    return timerfd_settime(TIMER_FD, TFD_TIMER_ABSTIME, &at, NULL) == 0;
}

/* The agent may have gone between fork and prctl. */
static bool tie_to(pid_t agent, const struct bearer_spec *spec)
{
    char name[FAULT_MARK];
    fault_mark(name, spec->run, spec->injection);
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == agent &&
           prctl(PR_SET_NAME, name) == 0;
}

static bool keep_caps(uint64_t keep)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &head, data) != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        data[i].permitted &= (uint32_t)(keep >> (32 * i));
        data[i].effective = data[i].permitted;
        data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, data) == 0;
}

static void report(const struct err *err)
{
    struct bearer_report r = {.code = err == NULL ? ERR_NONE : (int32_t)err->code};
    if (err != NULL)
        (void)snprintf(r.msg, sizeof(r.msg), "%.199s", err->msg);
    if (send(LINE_FD, &r, sizeof(r), MSG_NOSIGNAL) != (ssize_t)sizeof(r))
        _exit(1);
}

void bearer_ready(struct bearer *self)
{
    (void)self;
    report(NULL);
}

_Noreturn void bearer_refuse(struct bearer *self, const struct err *err)
{
    (void)self;
    report(err);
    _exit(1);
}

/* False at the end. */
static bool take_deadline(void)
{
    int64_t lease_ns;
    return recv(LINE_FD, &lease_ns, sizeof(lease_ns), 0) == (ssize_t)sizeof(lease_ns) &&
           set_deadline(lease_ns);
}

/* The time is looked at only when there is an end to it. */
static int wait_events(struct pollfd p[3], int64_t deadline)
{
    struct timespec wait = {0};
    if (deadline > 0) {
        int64_t left = deadline - clock_system(CLOCK_MONOTONIC);
        wait = clock_timespec(left > 0 ? left : 0);
    }
    return ppoll(p, 3, deadline < 0 ? NULL : &wait, NULL);
}

int bearer_wait(struct bearer *self, int fd, short events, int64_t timeout_ns)
{
    int64_t deadline =
        timeout_ns > 0 ? clock_system(CLOCK_MONOTONIC) + timeout_ns : timeout_ns; /* 0: looks */
    (void)self;
    for (;;) {
        struct pollfd p[3] = {{.fd = LINE_FD, .events = POLLIN},
                              {.fd = TIMER_FD, .events = POLLIN},
                              {.fd = fd, .events = events}};
        int n = wait_events(p, deadline);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || p[1].revents != 0 || (p[0].revents != 0 && !take_deadline()))
            return -1;
        if (p[2].revents != 0)
            return p[2].revents;
    }
}

_Noreturn void bearing_run(struct bearer *self, const struct bearer_spec *spec, int line,
                           pid_t agent)
{
    reset_signals();
    /* Whoever is stopped before it is tied outlives the agent, with the agent's sockets: first of
     * all. Capabilities that go leave the tie. There is no line yet on which to say more. */
    if (!tie_to(agent, spec))
        _exit(1);
    if (!keep_only(spec, line) || !keep_caps(spec->caps) || !set_deadline(spec->lease_ns)) {
        struct err err;
        (void)make_error(&err, ERR_SYSTEM, errno, "prepare the fault's own process");
        bearer_refuse(self, &err);
    }
    spec->body(self, spec->arg);
    _exit(0);
}
