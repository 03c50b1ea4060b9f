/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/mounts.h"

#include "agents/host/proc.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static FILE *open_text(int dir, const char *name)
{
    CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (file != NULL)
        (void)steal_fd(&fd);
    return file;
}

/* Is it a process of the host? */
static bool is_of_host(const struct fault_host *host, int32_t pid)
{
    char name[48];
    struct stat st;
    (void)snprintf(name, sizeof(name), "%d/ns/pid", pid);
    return fstatat(host->proc, name, &st, 0) == 0 && st.st_ino == host->pid_ns;
}

bool mounts_line(const struct fault_host *host, uint64_t id, char line[MOUNTS_LINE_MAX])
{
    char name[48];
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (proc_walk_open(&walk, host->proc, ".", NULL) != 0)
        return false;
    for (int32_t pid; proc_walk_next(&walk, &pid);) {
        if (!is_of_host(host, pid))
            continue;
        (void)snprintf(name, sizeof(name), "%d/mountinfo", pid);
        CLEANUP_FILE FILE *file = open_text(host->proc, name);
        while (file != NULL && fgets(line, MOUNTS_LINE_MAX, file) != NULL)
            if (strtoull(line, NULL, 10) == id)
                return true;
    }
    return false;
}

/* "36 35 98:0 /in-fs /point rw,noatime master:1 - type source rw,options" */
static bool parse_line(const char *line, struct mount_info *ret)
{
    char point[PATH_MAX_LEN + 1], type[sizeof(ret->type)];
    const char *rest = strstr(line, " - ");
    if (rest == NULL || sscanf(line, "%*s %*s %*s %*s %255s", point) != 1 ||
        sscanf(rest, " - %31s", type) != 1)
        return false;
    (void)snprintf(ret->point, sizeof(ret->point), "%s", point);
    (void)snprintf(ret->type, sizeof(ret->type), "%s", type);
    ret->is_sized = strcmp(type, "tmpfs") != 0 || strstr(rest, "size=") != NULL;
    return true;
}

int mounts_find(const struct fault_host *host, int fd, const char *path, struct mount_info *ret,
                struct err *err)
{
    char line[MOUNTS_LINE_MAX];
    struct statx st;
    memset(ret, 0, sizeof(*ret));
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", path);
    if ((st.stx_mask & STATX_MNT_ID) == 0)
        return make_error(err, ERR_UNSUPPORTED, 0, "this kernel is older than 5.8");
    ret->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    ret->is_top = (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    if (!mounts_line(host, st.stx_mnt_id, line) || !parse_line(line, ret))
        return make_error(err, ERR_NOT_FOUND, 0, "%s lies on no mount of the host", path);
    return 0;
}

/* What a lab's agent itself can see mounted is the machine's. */
static bool is_machines(uint64_t dev)
{
    char line[MOUNTS_LINE_MAX];
    unsigned a, b;
    CLEANUP_FILE FILE *file = open_text(AT_FDCWD, "/proc/self/mountinfo");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (sscanf(line, "%*s %*s %u:%u", &a, &b) == 2 && makedev(a, b) == dev)
            return true;
    return file == NULL;
}

int mounts_check_own(const struct fault_host *host, const struct mount_info *m, const char *path,
                     struct err *err)
{
    static const char *const kernels[] = {"proc",   "sysfs",  "devtmpfs",
                                          "devpts", "cgroup", "cgroup2"};
    struct stat root;
    if (fstatat(host->root, "", &root, AT_EMPTY_PATH) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat the host's root");
    if (m->dev == root.st_dev || strcmp(m->point, "/") == 0)
        return make_error(err, ERR_REFUSED, 0,
                          "%s lies on the host's root file system: it needs one of its own (a lab "
                          "host's `disk`)",
                          path);
    for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
        if (strcmp(m->type, kernels[i]) == 0)
            return make_error(err, ERR_REFUSED, 0, "%s is the kernel's (%s)", path, m->type);
    if (!m->is_sized)
        return make_error(
            err, ERR_REFUSED, 0,
            "%s lies on a tmpfs without a size of its own: it is the machine's memory", path);
    if (host->lab && is_machines(m->dev))
        return make_error(err, ERR_REFUSED, 0, "%s lies on a file system of the machine itself",
                          path);
    return 0;
}

/* "flags:\t0100001": the access mode is in the lowest bits, in octal. */
static bool is_writing(const struct fault_host *host, int32_t pid, int32_t fd)
{
    char name[64], line[128];
    unsigned long flags = 0;
    (void)snprintf(name, sizeof(name), "%d/fdinfo/%d", pid, fd);
    CLEANUP_FILE FILE *file = open_text(host->proc, name);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "flags:", 6) == 0)
            flags = strtoul(line + 6, NULL, 8);
    return (flags & O_ACCMODE) != O_RDONLY;
}

static bool writes_on(const struct fault_host *host, int32_t pid, uint64_t dev)
{
    char name[64];
    struct stat st;
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    (void)snprintf(name, sizeof(name), "%d/fd", pid);
    if (proc_walk_open(&walk, host->proc, name, NULL) != 0)
        return false;
    for (int32_t fd; proc_walk_next(&walk, &fd);) {
        (void)snprintf(name, sizeof(name), "%d/fd/%d", pid, fd);
        if (fstatat(host->proc, name, &st, 0) == 0 && st.st_dev == dev && S_ISREG(st.st_mode) &&
            is_writing(host, pid, fd))
            return true;
    }
    return false;
}

bool mounts_find_writer(const struct fault_host *host, uint64_t dev, char *out, size_t size)
{
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (proc_walk_open(&walk, host->proc, ".", NULL) != 0)
        return false;
    for (int32_t pid; proc_walk_next(&walk, &pid);) {
        char name[48], comm[64] = "";
        if (!is_of_host(host, pid) || !writes_on(host, pid, dev))
            continue;
        (void)snprintf(name, sizeof(name), "%d/comm", pid);
        CLEANUP_FILE FILE *file = open_text(host->proc, name);
        if (file != NULL && fgets(comm, sizeof(comm), file) != NULL)
            comm[strcspn(comm, "\n")] = '\0';
        (void)snprintf(out, size, "%s (pid %d)", comm, pid);
        return true;
    }
    return false;
}
