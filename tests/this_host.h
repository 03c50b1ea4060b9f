/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine as a real host's agent sees it, for tests that call a fault's functions themselves.
 */
#ifndef BLACKSTART_TESTS_THIS_HOST_H
#define BLACKSTART_TESTS_THIS_HOST_H

#include "base/clock.h"
#include "base/fault.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static inline int64_t boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

/* Its descriptors stay open as long as the program runs. False: /proc or / cannot be opened. */
static inline bool this_host(struct fault_host *ret, const char *run, const char *name)
{
    struct stat st = {.st_ino = 0};
    bool seen = stat("/proc/self/ns/pid", &st) == 0;
    *ret = (struct fault_host){.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC),
                               .pid_ns = st.st_ino,
                               .now = boottime};
    (void)snprintf(ret->run, sizeof(ret->run), "%s", run);
    (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
    return seen && ret->root >= 0 && ret->proc >= 0;
}

#endif
