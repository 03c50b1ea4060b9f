/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cgroup of a test's own, wherever version 2 is mounted. The test removes it (rmdir). */
#ifndef BLACKSTART_TESTS_LAB_CGROUP_H
#define BLACKSTART_TESTS_LAB_CGROUP_H

#include "check.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static inline bool cgroup_make(char *dir, size_t size, const char *name)
{
    static const char *const roots[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
    for (size_t i = 0; i < 2; i++) {
        char file[192];
        (void)snprintf(file, sizeof(file), "%s/cgroup.procs", roots[i]);
        (void)snprintf(dir, size, "%s/%s", roots[i], name);
        if (access(file, W_OK) == 0 && mkdir(dir, 0755) == 0)
            return true;
    }
    return false;
}

static inline void cgroup_put(const char *dir, int32_t pid)
{
    char file[192], text[16];
    (void)snprintf(file, sizeof(file), "%s/cgroup.procs", dir);
    int n = snprintf(text, sizeof(text), "%d", pid);
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(write(fd, text, (size_t)n), (ssize_t)n);
    (void)close(fd);
}

#endif
