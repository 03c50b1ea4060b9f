/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/idmap.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static int write_map(pid_t pid, const char *leaf, const char *text, struct err *err)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        return make_error(err, ERR_UNSUPPORTED, errno, "write %s", path);
    return 0;
}

int idmap_write(struct lab_context *lab, pid_t fabric, int sync_fd, struct err *err)
{
    char byte, uids[64], gids[64];
    if (read(sync_fd, &byte, 1) != 1)
        return 0; /* the fabric says itself why it could not */
    (void)snprintf(uids, sizeof(uids), "0 %u 1", lab->uid);
    (void)snprintf(gids, sizeof(gids), "0 %u 1", getegid());
    if (write_map(fabric, "setgroups", "deny", err) != 0 ||
        write_map(fabric, "uid_map", uids, err) != 0 ||
        write_map(fabric, "gid_map", gids, err) != 0)
        return -1;
    if (write(sync_fd, "m", 1) != 1)
        return make_error(err, ERR_SYSTEM, errno, "tell the lab's process");
    return 0;
}
