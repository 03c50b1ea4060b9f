/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files of one host, reached beneath its root by descriptor: no path of the host can lead out
 * of it, and no link of /proc is followed. A thing is held by identity (device and inode) and, for
 * a file, by a digest of its content, so that a revert puts back only what is still as we left it.
 * Nothing here allocates, so that reverts may use all of it. Knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_HOSTFS_H
#define BLACKSTART_AGENTS_HOST_HOSTFS_H

#include "base/err.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "." + "blackstart-" + run + "-" + injection + room for an index and a word */
enum { HOSTFS_NAME_MAX = 12 + RUN_ID_MAX + 1 + INJECTION_ID_MAX + 24 };

struct hostfs_meta {
    uint64_t dev, ino;
    uint32_t mode, uid, gid;
    uint32_t mtime_nsec;
    int64_t mtime_sec;
    uint64_t size;
};

/* Opens beneath root; links on the way stay beneath it, a link as the last part is refused. */
int hostfs_open(int root, const char *path, int flags, int *ret_fd, struct err *err) MUST_CHECK;

/* A row's supported: that the host's root can be opened. */
int hostfs_supported(struct fault_host *host, struct err *err) MUST_CHECK;

/* The directory that holds path (readable descriptor), and path's last part, which points into
 * path. */
int hostfs_open_parent(int root, const char *path, int *ret_fd, const char **ret_leaf,
                       struct err *err) MUST_CHECK;

/* Of leaf in dir, or of dir itself when leaf is "". 1 when there is none. Never follows a link. */
int hostfs_stat(int dir, const char *leaf, struct hostfs_meta *ret, struct err *err) MUST_CHECK;

/* base/digest.h over the content. */
int hostfs_digest(int dir, const char *leaf, uint64_t *ret, struct err *err) MUST_CHECK;
int hostfs_digest_fd(int fd, uint64_t *ret, struct err *err) MUST_CHECK;

static inline bool hostfs_is_same(const struct hostfs_meta *a, const struct hostfs_meta *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}
static inline bool hostfs_has_mtime(const struct hostfs_meta *a, const struct hostfs_meta *b)
{
    return a->mtime_sec == b->mtime_sec && a->mtime_nsec == b->mtime_nsec;
}

/* Gives leaf in dir (or dir itself when leaf is "") the mtime of meta; atime stays. */
int hostfs_put_mtime(int dir, const char *leaf, const struct hostfs_meta *meta,
                     struct err *err) MUST_CHECK;

/* New file in dir that must not be there yet: content, then owner, mode and attributes of `like`
 * (a file in the same directory), all on disk when it returns. */
int hostfs_write_like(int dir, const char *leaf, const char *like, const void *data, size_t len,
                      struct err *err) MUST_CHECK;

/* Moves within one file system; ERR_FOREIGN when the target is there already. 1 when the source is
 * not there. */
int hostfs_move(int from_dir, const char *from, int to_dir, const char *to,
                struct err *err) MUST_CHECK;

/* Moves every entry of directory `from` into directory `to`, which holds none of them; at most max.
 * May be called again after it stopped half way. */
int hostfs_move_entries(int from, int to, uint32_t max, uint32_t *ret_moved,
                        struct err *err) MUST_CHECK;

/* What makes moving path's directory impossible: a mount point in it or below it at the first
 * level, an overlay that cannot rename directories. 0, or ERR_UNSUPPORTED with the reason. */
int hostfs_check_movable(const struct fault_host *host, const char *path,
                         struct err *err) MUST_CHECK;

/* ".blackstart-RUN-INJECTION" and a word: the names of all that we put into directories. */
const char *hostfs_own_name(const struct undo *undo, const char *word, char out[HOSTFS_NAME_MAX]);

#endif
