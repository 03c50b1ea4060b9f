/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int64_t boot_time(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static int path_fd(const char *path, int given, int *ret, struct err *err)
{
    int fd = given >= 0 ? given : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode))
        return make_error(err, ERR_USAGE, 0, "descriptor %d is not a directory", fd);
    *ret = fd;
    return 0;
}

static int namespace_of(int proc, pid_t pid, const char *kind, uint64_t *ret, struct err *err)
{
    char path[64];
    struct stat st;
    if (pid > 0)
        (void)snprintf(path, sizeof(path), "%d/ns/%s", (int)pid, kind);
    else
        (void)snprintf(path, sizeof(path), "self/ns/%s", kind);
    if (fstatat(proc, path, &st, 0) != 0)
        return make_error(err, ERR_SYSTEM, errno, "the host's %s namespace: /proc/%s", kind, path);
    *ret = st.st_ino;
    return 0;
}

int host_open(struct fault_host *ret, const struct agent_options *options, struct err *err)
{
    *ret = (struct fault_host){.root = -1, .proc = -1, .lab = options->lab, .now = boot_time};
    (void)snprintf(ret->run, sizeof(ret->run), "%s", options->run);
    (void)snprintf(ret->name, sizeof(ret->name), "%s", options->host);
    if (path_fd("/", options->root, &ret->root, err) != 0 ||
        path_fd("/proc", options->proc, &ret->proc, err) != 0)
        return -1;
    return namespace_of(ret->proc, options->init, "pid", &ret->pid_ns, err);
}

int host_owner(struct undo_owner *ret, const struct agent_options *options, struct err *err)
{
    *ret = (struct undo_owner){0};
    (void)snprintf(ret->host, sizeof(ret->host), "%s", options->host);
    CLEANUP_FD int boot = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = boot < 0 ? -1 : read(boot, ret->boot_id, sizeof(ret->boot_id) - 1);
    if (n <= 0)
        return make_error(err, ERR_SYSTEM, errno, "read the machine's boot id");
    ret->boot_id[strcspn(ret->boot_id, "\n")] = '\0';
    CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return make_error(err, ERR_SYSTEM, errno, "open /proc");
    return namespace_of(proc, 0, "net", &ret->net_ns, err);
}

int host_state(const char *path, int *ret_fd, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return make_error(err, ERR_SYSTEM, errno, "make the state directory %s", path);
    return host_state_find(path, ret_fd, err);
}

int host_state_find(const char *path, int *ret_fd, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 && errno == ENOENT)
        return make_error(err, ERR_NOT_FOUND, 0, "there is no state directory %s", path);
    if (fd < 0 || fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open the state directory %s", path);
    /* Whoever writes there could have the host "put back" to anything. */
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return make_error(err, ERR_REFUSED, 0,
                          "others can write the state directory %s: chmod go-w it", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}
