/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What programs that drive a real prober without a lab begin with: a network namespace of their own
 * whose loopback device is up, and the prober's process in it. Asserts nothing, so that benches can
 * use it as tests do.
 */
#ifndef BLACKSTART_TESTS_PROBER_PROCESS_H
#define BLACKSTART_TESTS_PROBER_PROCESS_H

#include "base/cleanup.h"
#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static inline int own_network(struct err *err)
{
    struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWNET) != 0)
        return make_error(err, ERR_SYSTEM, errno, "a network namespace");
    CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &r) != 0)
        return make_error(err, ERR_SYSTEM, errno, "lo");
    return 0;
}

/* A prober_spawn (run/proberlink.h); no ctx. */
static inline int prober_process_start(void *ctx, const int *fds, size_t n, pid_t *ret_pid,
                                       struct err *err)
{
    (void)ctx;
    (void)n;
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "fork");
    if (pid == 0) {
        /* Above what is to be replaced, so that neither lands on the other. */
        int control = fcntl(fds[0], F_DUPFD, 10), samples = fcntl(fds[1], F_DUPFD, 10);
        if (dup2(control, 0) == 0 && dup2(samples, 1) == 1) {
            (void)close(control);
            (void)close(samples);
            (void)execl(BINARY_DIR "/blackstart-prober", "blackstart-prober", (char *)NULL);
        }
        _exit(127);
    }
    *ret_pid = pid;
    return 0;
}

#endif
