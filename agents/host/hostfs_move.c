/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/hostfs.h"

#include "agents/host/mounts.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE (1 << 0)
#endif

struct dir_entry {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

int hostfs_move(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
    if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == ENOENT)
        return 1;
    if (errno == EEXIST)
        return make_error(err, ERR_FOREIGN, 0, "%s has been made again by others", to);
    return make_error(err, ERR_SYSTEM, errno, "move %s to %s", from, to);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* One pass; an entry seen twice or already moved does no harm. */
static int move_pass(int from, int to, uint32_t max, uint32_t *moved, uint32_t *pass,
                     struct err *err)
{
    _Alignas(8) char entries[8192];
    if (lseek(from, 0, SEEK_SET) < 0)
        return make_error(err, ERR_SYSTEM, errno, "rewind a directory");
    *pass = 0;
    for (;;) {
        long n = syscall(SYS_getdents64, from, entries, sizeof(entries));
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "list a directory");
        if (n == 0)
            return 0;
        for (long at = 0; at < n;) {
            const struct dir_entry *entry = (const void *)(entries + at);
            at += entry->reclen;
            if (is_dot(entry->name))
                continue;
            if (*moved >= max)
                return make_error(err, ERR_LIMIT, 0, "more than %u entries", max);
            int rc = hostfs_move(from, entry->name, to, entry->name, err);
            if (rc < 0)
                return -1;
            *moved += rc == 0;
            *pass += rc == 0;
        }
    }
}

int hostfs_move_entries(int from, int to, uint32_t max, uint32_t *ret_moved, struct err *err)
{
    /* Listing while renaming may skip an entry: repeat until a pass finds none. */
    uint32_t moved = 0, pass = 0;
    do {
        if (move_pass(from, to, max, &moved, &pass, err) != 0)
            return -1;
    } while (pass > 0);
    *ret_moved = moved;
    return 0;
}

static bool is_mount_point(int dir, const char *leaf)
{
    struct statx st;
    return statx(dir, leaf, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &st) == 0 &&
           (st.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0 &&
           (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int check_mounts_in(int dir, const char *path, struct err *err)
{
    _Alignas(8) char entries[8192];
    for (;;) {
        long n = syscall(SYS_getdents64, dir, entries, sizeof(entries));
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "list %s", path);
        if (n == 0)
            return 0;
        for (long at = 0; at < n;) {
            const struct dir_entry *entry = (const void *)(entries + at);
            at += entry->reclen;
            if (!is_dot(entry->name) && is_mount_point(dir, entry->name))
                return make_error(err, ERR_UNSUPPORTED, 0,
                                  "%s/%s is a mount point, which cannot be moved aside", path,
                                  entry->name);
        }
    }
}

/* Does the mount's overlay rename directories? */
static bool can_overlay_rename(const struct fault_host *host, uint64_t mount_id)
{
    char line[MOUNTS_LINE_MAX];
    return mounts_line(host, mount_id, line) && strstr(line, "redirect_dir=on") != NULL;
}

static int check_overlay(const struct fault_host *host, int dir, const char *path, struct err *err)
{
    struct statfs fs;
    struct statx st;
    if (fstatfs(dir, &fs) != 0)
        return make_error(err, ERR_SYSTEM, errno, "statfs %s", path);
    if (fs.f_type != OVERLAYFS_SUPER_MAGIC)
        return 0;
    if (statx(dir, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) != 0 ||
        (st.stx_mask & STATX_MNT_ID) == 0 || can_overlay_rename(host, st.stx_mnt_id))
        return 0;
    return make_error(
        err, ERR_UNSUPPORTED, 0,
        "%s lies on an overlay without redirect_dir=on, which cannot move directories "
        "(run the lab as root)",
        path);
}

int hostfs_check_movable(const struct fault_host *host, const char *path, struct err *err)
{
    const char *leaf;
    struct hostfs_meta meta;
    CLEANUP_FD int parent = -1;
    CLEANUP_FD int dir = -1;
    if (hostfs_open_parent(host->root, path, &parent, &leaf, err) != 0)
        return -1;
    int rc = hostfs_stat(parent, leaf, &meta, err);
    if (rc != 0)
        return rc < 0 ? -1 : make_error(err, ERR_NOT_FOUND, 0, "%s is not there", path);
    if (S_ISLNK(meta.mode))
        return make_error(err, ERR_REFUSED, 0, "%s is a symbolic link: name what it points to",
                          path);
    if (is_mount_point(parent, leaf))
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s is a mount point, which cannot be moved aside: name what lies in it",
                          path);
    if (!S_ISDIR(meta.mode))
        return 0;
    dir = openat(parent, leaf, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    if (check_mounts_in(dir, path, err) != 0)
        return -1;
    return check_overlay(host, dir, path, err);
}
