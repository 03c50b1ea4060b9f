/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control groups of a lab as text: limits, and how many processes each holds. */
#ifndef BLACKSTART_TESTS_GROUPS_H
#define BLACKSTART_TESTS_GROUPS_H

#include "base/buf.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUPS_COUNT " processes="

static inline void groups_add_file(struct buf *out, int dir, const char *file)
{
    char text[4096];
    CLEANUP_FD int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));
    unsigned lines = 0;
    if (n < 0)
        return;
    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    if (strcmp(file, "cgroup.procs") == 0)
        buf_printf(out, GROUPS_COUNT "%u", lines);
    else
        for (ssize_t i = 0; i < n; i++)
            buf_printf(out, "%s%c", i == 0 ? " " : "", text[i] == '\n' ? ';' : text[i]);
}

static inline void groups_add_one(struct buf *out, const char *root, const char *lab,
                                  const char *name)
{
    static const char *const files[] = {"cgroup.procs",
                                        "cpu.max",
                                        "cpu.cfs_quota_us",
                                        "cpu.cfs_period_us",
                                        "memory.max",
                                        "memory.limit_in_bytes",
                                        "memory.memsw.limit_in_bytes",
                                        "io.max",
                                        "blkio.throttle.read_bps_device",
                                        "blkio.throttle.write_bps_device",
                                        "blkio.throttle.read_iops_device",
                                        "blkio.throttle.write_iops_device",
                                        "pids.max",
                                        "cgroup.freeze"};
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s/%s", root, lab, name);
    CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return;
    buf_printf(out, "group %s/%s", root, name);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        groups_add_file(out, dir, files[i]);
    buf_puts(out, "\n");
}

/* Those of the services of one host. */
static inline void groups_add(struct buf *out, const char *id, const char *host)
{
    static const char *const roots[] = {"/sys/fs/cgroup",        "/sys/fs/cgroup/unified",
                                        "/sys/fs/cgroup/memory", "/sys/fs/cgroup/cpu",
                                        "/sys/fs/cgroup/blkio",  "/sys/fs/cgroup/pids"};
    char path[256], lab[128];
    (void)snprintf(lab, sizeof(lab), "blackstart-%s", id);
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", roots[i], lab);
        CLEANUP_DIR DIR *dir = opendir(path);
        for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
            if (strncmp(e->d_name, host, strlen(host)) == 0 && e->d_name[strlen(host)] == '.')
                groups_add_one(out, roots[i], lab, e->d_name);
    }
}

#endif
