/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/disk.h"

#include "agents/host/hostfs.h"
#include "agents/host/mounts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The device of an overlay's upper directory, which the machine's own mounts show. */
static bool look_beneath(const struct fault_host *host, int fd, dev_t *ret)
{
    char line[MOUNTS_LINE_MAX];
    struct statx mount;
    struct stat st;
    static const char option[] = "upperdir=";
    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &mount) != 0 ||
        (mount.stx_mask & STATX_MNT_ID) == 0 || !mounts_line(host, mount.stx_mnt_id, line))
        return false;
    char *upper = strstr(line, option);
    if (upper == NULL)
        return false;
    upper += sizeof(option) - 1;
    upper[strcspn(upper, ", \n")] = '\0';
    if (stat(upper, &st) != 0)
        return false;
    *ret = st.st_dev;
    return true;
}

static dev_t find_whole(dev_t device)
{
    char path[64], text[32];
    unsigned a, b;
    (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", major(device),
                   minor(device));
    if (access(path, F_OK) != 0)
        return device;
    (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", major(device), minor(device));
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return sscanf(text, "%u:%u", &a, &b) == 2 ? makedev(a, b) : device;
}

int disk_find(const struct fault_host *host, const char *path, uint64_t *ret_device,
              struct err *err)
{
    struct stat st;
    char name[48];
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, path, O_RDONLY | O_NONBLOCK, &fd, err) != 0)
        return -1;
    if (fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", path);
    dev_t device = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
    if (major(device) == 0 && !look_beneath(host, fd, &device))
        device = 0;
    device = find_whole(device);
    (void)snprintf(name, sizeof(name), "/sys/dev/block/%u:%u", major(device), minor(device));
    if (major(device) == 0 || access(name, F_OK) != 0)
        return make_error(err, ERR_REFUSED, 0,
                          "%s lies on no disk that can be told (a tmpfs, a network, or a file "
                          "system with devices of its own)",
                          path);
    *ret_device = device;
    return 0;
}
