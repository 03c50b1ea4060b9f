/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest's own tests share. They set clocks and make disks fail, so they run nowhere but in
 * a guest that boot.sh made.
 */
#ifndef BLACKSTART_TESTS_GUEST_H
#define BLACKSTART_TESTS_GUEST_H

#include "base/cleanup.h"
#include "check.h"
#include "shell.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static inline bool guest_is_here(void)
{
    char line[4096];
    CLEANUP_FD int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
    line[n > 0 ? n : 0] = '\0';
    return strstr(line, " vm.mode=") != NULL;
}

/* A shell command's exit status. */
static inline int guest_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static inline int guest_run(const char *fmt, ...)
{
    char command[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    int status = shell_run(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Up to size - 1 bytes of a file; its length or -1. */
static inline ssize_t guest_read(const char *path, char *out, size_t size)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n;
}

#define GUEST_MAIN(suite, tests)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        if (!guest_is_here()) {                                                                    \
            (void)fprintf(stderr, "runs only in the guest: tests/vm/boot.sh\n");                   \
            return 2;                                                                              \
        }                                                                                          \
        return check_main(suite, tests, sizeof(tests) / sizeof((tests)[0]));                       \
    }

#endif
