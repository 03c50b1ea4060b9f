/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the lab's tests share: failing with the message of an err, and commands in hosts. */
#ifndef BLACKSTART_TESTS_LAB_CHECK_H
#define BLACKSTART_TESTS_LAB_CHECK_H

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hostctl.h"
#include "check.h"
#include "lab/lab.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static struct err err;

#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            (void)fprintf(stderr, "    %s: %s\n", #call, err.msg);                                 \
            CU_FAIL_FATAL(#call);                                                                  \
        }                                                                                          \
    } while (0)

static struct hostctl_request lab_request;
static struct hostctl_reply lab_reply;

static inline void end_reply(void)
{
    lab_reply.data[lab_reply.len < HOSTCTL_DATA_MAX ? lab_reply.len : HOSTCTL_DATA_MAX - 1] = '\0';
}

/* A shell command in the host; its exit status, its output in lab_reply.data. */
static inline int run_in(struct lab *lab, const char *host, const char *user, const char *shell)
{
    CLEANUP_FD int fd = -1;
    OK(lab_hostctl(lab, host, &fd, &err));
    memset(&lab_request, 0, sizeof(lab_request));
    lab_request.op = HOSTCTL_RUN;
    lab_request.timeout_ns = 50 * NS_PER_SEC;
    (void)snprintf(lab_request.user, sizeof(lab_request.user), "%s", user);
    int n = snprintf(lab_request.data, sizeof(lab_request.data), "bash%c-c%c%s", 0, 0, shell);
    lab_request.len = (uint32_t)n + 1;
    OK(hostctl_call(fd, &lab_request, &lab_reply, &err));
    end_reply();
    return WIFEXITED(lab_reply.status) ? WEXITSTATUS(lab_reply.status) : -1;
}

/* One operation on a service; the reply is in lab_reply, the result is hostctl_call's. */
static inline int service_do(struct lab *lab, const char *host, enum hostctl_op op,
                             const char *service, int number)
{
    CLEANUP_FD int fd = -1;
    OK(lab_hostctl(lab, host, &fd, &err));
    memset(&lab_request, 0, sizeof(lab_request));
    lab_request.op = (uint32_t)op;
    lab_request.number = number;
    lab_request.timeout_ns = op == HOSTCTL_STATUS ? 0 : 10 * NS_PER_SEC;
    (void)snprintf(lab_request.service, sizeof(lab_request.service), "%s", service);
    int rc = hostctl_call(fd, &lab_request, &lab_reply, &err);
    end_reply();
    return rc;
}

/* A shell command on the machine: its exit status, and what it printed on both streams, cut to
 * fit. */
static inline int machine_run(const char *shell, char *out, size_t size)
{
    int ends[2], status = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (dup2(ends[1], 1) < 0 || dup2(1, 2) < 0)
            _exit(126);
        (void)execl("/bin/sh", "sh", "-c", shell, (char *)NULL);
        _exit(126);
    }
    (void)close(ends[1]);
    size_t used = 0;
    static char spill[4096];
    for (;;) {
        bool fits = out != NULL && used + 1 < size;
        ssize_t n =
            read(ends[0], fits ? out + used : spill, fits ? size - 1 - used : sizeof(spill));
        if (n <= 0)
            break;
        used += fits ? (size_t)n : 0;
    }
    if (out != NULL)
        out[used] = '\0';
    (void)close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline long number_in(const char *text)
{
    return strtol(text, NULL, 10);
}

static inline void pause_ms(int ms)
{
    (void)usleep((useconds_t)ms * 1000);
}

#endif
