/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories as wholes: making with parents, copying, removing. Works beneath descriptors, never
 * follows a symbolic link out of the tree, and knows nothing of labs.
 */
#ifndef BLACKSTART_LAB_TREE_H
#define BLACKSTART_LAB_TREE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Makes every missing directory of path (absolute), mode 0755; not the last part when leaf_is_file.
 */
int tree_make(const char *path, bool leaf_is_file, struct err *err) MUST_CHECK;

/* Removes path and all beneath it, without crossing into another file system's mounts; nothing
 * there is success. */
int tree_remove(const char *path, struct err *err) MUST_CHECK;

struct tree_copy {
    uid_t uid;
    gid_t gid;     /* of everything made; (uid_t)-1 leaves it */
    mode_t mode;   /* of a file; 0: as the source's */
    bool may_skip; /* leave out what cannot be read */
};

/* Copies a file or a directory (src_fd: opened for reading) to path; what is there is replaced. */
int tree_copy(int src_fd, const char *path, const struct tree_copy *how,
              struct err *err) MUST_CHECK;

/* A small file, at once. */
int tree_write(const char *path, const void *data, size_t len, mode_t mode,
               struct err *err) MUST_CHECK;

#endif
