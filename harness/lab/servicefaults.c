/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/servicefaults.h"

#include "agents/fiu/page.h"
#include "agents/fiu/program.h"
#include "agents/fiu/supervisor.h"
#include "agents/fiu/trap.h"
#include "base/cleanup.h"
#include "lab/hostexec.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum lab_faults servicefaults_asked(const struct lab_service_spec *spec)
{
    return spec->faults == LAB_FAULTS_NONE && spec->preload ? LAB_FAULTS_PRELOAD : spec->faults;
}

/* As execvp finds it. */
static int program_open(const char *name)
{
    char path[PATH_MAX];
    if (strchr(name, '/') != NULL)
        return open(name, O_RDONLY | O_CLOEXEC);
    for (const char *at = HOSTEXEC_PATH; *at != '\0';) {
        size_t len = strcspn(at, ":");
        (void)snprintf(path, sizeof(path), "%.*s/%s", (int)len, at, name);
        int fd = access(path, X_OK) == 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0)
            return fd;
        at += len + (at[len] == ':');
    }
    return -1;
}

enum lab_faults servicefaults_choose(const char *name)
{
    struct program program;
    struct err ignored;
    CLEANUP_FD int fd = program_open(name);
    if (fd < 0 || program_read(fd, &program, &ignored) != 0 || !program.elf)
        return LAB_FAULTS_PRELOAD;
    return program.go || !program.dynamic ? LAB_FAULTS_SECCOMP : LAB_FAULTS_PRELOAD;
}

uint64_t servicefaults_points(const struct lab_service_spec *spec)
{
    static const uint64_t points[] = {
        [LAB_TRAP_RARE] = TRAP_RARE, [LAB_TRAP_WRITES] = TRAP_WRITES, [LAB_TRAP_ALL] = TRAP_ALL};
    return points[spec->trap];
}

int servicefaults_supervise(const struct lab_service_spec *spec, uint64_t points, pid_t *ret_pid,
                            int *ret_socket, struct err *err)
{
    char path[sizeof(FIU_PAGE_DIR) + NAME_MAX_LEN + 8];
    (void)snprintf(path, sizeof(path), FIU_PAGE_DIR "/%s.page", spec->name);
    return supervisor_start(path, points, ret_pid, ret_socket, err);
}
