/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the entries of a tree were allowed before a fault changed them: a list in one file beside
 * the tree, whole on disk before the first of them is changed. A list that is not whole says that
 * none was. Reading it allocates nothing.
 */
#ifndef BLACKSTART_FAULTS_ACCESS_LIST_H
#define BLACKSTART_FAULTS_ACCESS_LIST_H

#include "agents/faults/access.h"
#include "base/buf.h"

enum { ACCESS_LIST_MAX = 20000, ACCESS_LIST_DEPTH = 24, ACCESS_LIST_BYTES = 16 * 1024 * 1024 };

struct access_entry {
    char path[PATH_MAX_LEN + 1]; /* in the tree: "/" is its top */
    struct access_state was;
};

/* Appends all regular files and directories of the tree; links and special files are left alone,
 * and what is mounted in it. ERR_REFUSED when there are too many or they lie too deep. */
int access_list_make(int top, struct buf *out, struct err *err) MUST_CHECK;

int access_list_write(int dir, const char *leaf, const struct buf *list,
                      struct err *err) MUST_CHECK;

/* Opens it; *ret_n is how many entries it has. 1: there is none, 2: it is not whole. */
int access_list_open(int dir, const char *leaf, int *ret_fd, uint32_t *ret_n,
                     struct err *err) MUST_CHECK;

/* The next entry after *at, which starts at 0. */
int access_list_next(int fd, uint64_t *at, struct access_entry *ret, struct err *err) MUST_CHECK;

#endif
