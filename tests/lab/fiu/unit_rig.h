/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit of a real host, as far as it needs no systemd: a control group of its name, and a mount
 * namespace with a /run of its own. The name has a dot, as many have, and is a service's.
 */
#ifndef BLACKSTART_TESTS_LAB_FIU_UNIT_RIG_H
#define BLACKSTART_TESTS_LAB_FIU_UNIT_RIG_H

#include "lab/cgroup.h"
#include "rig.h"
#include "shell.h"
#include "this_host.h"

#include <sys/mount.h>

#define UNIT_AGENT BINARY_DIR "/blackstart-agent"

static char unit[64], cgroup[128];

/* `host` and `row` are as faults on it need them. False: this machine does not let us. */
static inline bool unit_up(const char *name)
{
    char full[80];
    (void)snprintf(unit, sizeof(unit), "%s8.2-%d", name, (int)getpid());
    (void)snprintf(full, sizeof(full), "%s.service", unit);
    row = catalogue_find(&fault_catalogue, "fiu.fail");
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/run", "tmpfs", 0, "mode=755") == 0 && this_host(&host, "test", "here") &&
           cgroup_make(cgroup, sizeof(cgroup), full);
}

/* When the last of its processes has been reaped. */
static inline void unit_down(void)
{
    for (int i = 0; i < 200 && rmdir(cgroup) != 0; i++)
        (void)usleep(10000);
}

/* A command of the agent's: its exit status, what it said on both outputs in `out`. */
static inline int unit_agent(char *out, size_t size, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static inline int unit_agent(char *out, size_t size, const char *fmt, ...)
{
    char line[256], command[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    (void)snprintf(command, sizeof(command), UNIT_AGENT " %s 2>&1", line);
    int status = shell_read(command, out, size);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
