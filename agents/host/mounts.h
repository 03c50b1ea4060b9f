/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounts of one host, read from its mountinfo: on which one a file lies, and whether that is a
 * file system of the host's own, so that filling it or making it read-only harms nobody else. For
 * prepare only: it allocates. Changes nothing, knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_MOUNTS_H
#define BLACKSTART_AGENTS_HOST_MOUNTS_H

#include "base/err.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

enum { MOUNTS_LINE_MAX = 4096 };

struct mount_info {
    uint64_t dev;
    char point[PATH_MAX_LEN + 1]; /* in the host */
    char type[32];
    bool is_top;   /* what was asked for is the mount point itself */
    bool is_sized; /* a tmpfs with a size of its own, or no tmpfs */
};

/* The host's mountinfo line of a mount (statx's STATX_MNT_ID). False when it is not there. */
bool mounts_line(const struct fault_host *host, uint64_t id, char line[MOUNTS_LINE_MAX]);

/* Of the open file or directory fd, which is called path in messages. */
int mounts_find(const struct fault_host *host, int fd, const char *path, struct mount_info *ret,
                struct err *err) MUST_CHECK;

/* ERR_REFUSED with the reason unless it is the host's own: not its root, not the kernel's, not the
 * machine's beneath a lab, and of a size of its own. */
int mounts_check_own(const struct fault_host *host, const struct mount_info *m, const char *path,
                     struct err *err) MUST_CHECK;

/* A process of the host that has a file of this file system open for writing, as "name (pid)".
 * False when none is seen: a mapping can do it too. */
bool mounts_find_writer(const struct fault_host *host, uint64_t dev, char *out, size_t size);

#endif
