/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory tree as sorted text, one thing a line: path, type, mode, owner, size, mtime,
 * content's digest, link's target, extended attributes and, if asked for, inode. For comparing
 * before and after; ctime and atime are left out because nobody can put them back.
 */
#ifndef BLACKSTART_TESTS_TREE_H
#define BLACKSTART_TESTS_TREE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { TREE_MAX = 64 * 1024 * 1024, TREE_INODES = 1, TREE_PLAIN = 2 };

static inline void tree_add_content(struct buf *out, int dir, const char *name)
{
    char chunk[16384];
    uint64_t digest = DIGEST_START;
    CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    for (ssize_t n; fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0;)
        digest_add(&digest, chunk, (size_t)n);
    buf_printf(out, " content=%016llx", (unsigned long long)digest);
}

static inline void tree_add_xattrs(struct buf *out, int dir, const char *name)
{
    char path[64], names[4096], value[4096];
    CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t len = flistxattr(fd, names, sizeof(names));
    for (const char *at = names; len > 0 && at < names + len; at += strlen(at) + 1) {
        ssize_t n = fgetxattr(fd, at, value, sizeof(value));
        uint64_t digest = DIGEST_START;
        digest_add(&digest, value, n > 0 ? (size_t)n : 0);
        buf_printf(out, " %s=%016llx", at, (unsigned long long)digest);
    }
}

static inline void tree_add_entry(struct buf *out, int dir, const char *name, const char *path,
                                  int flags)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    buf_printf(out, "%s mode=%o owner=%u:%u mtime=%lld.%09ld", path, st.st_mode, st.st_uid,
               st.st_gid, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    if ((flags & TREE_INODES) != 0)
        buf_printf(out, " inode=%llu", (unsigned long long)st.st_ino);
    if (S_ISREG(st.st_mode)) {
        buf_printf(out, " size=%lld links=%lu", (long long)st.st_size, (unsigned long)st.st_nlink);
        tree_add_content(out, dir, name);
    }
    if (S_ISLNK(st.st_mode)) {
        char target[4096];
        ssize_t n = readlinkat(dir, name, target, sizeof(target));
        buf_printf(out, " to=%.*s", n > 0 ? (int)n : 0, target);
    } else if ((flags & TREE_PLAIN) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        tree_add_xattrs(out, dir, name);
    }
    buf_puts(out, "\n");
}

static inline void tree_add(struct buf *out, int dir, const char *name, const char *path, int flags,
                            const char *skip)
{
    struct dirent **list = NULL;
    if (skip != NULL && strcmp(path, skip) == 0)
        return;
    char below[4096];
    tree_add_entry(out, dir, name, path, flags);
    CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int n = fd < 0 ? -1 : scandirat(fd, ".", &list, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        const char *entry = list[i]->d_name;
        if (strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0) {
            int len = snprintf(below, sizeof(below), "%s/%s", path, entry);
            if (len < 0 || (size_t)len >= sizeof(below))
                out->failed = true;
            tree_add(out, fd, entry, below, flags, skip);
        }
        free(list[i]);
    }
    free(list);
}

/* The whole tree beneath a directory's descriptor (O_PATH will do), its own line first. */
static inline void tree_dump(struct buf *out, int root, int flags)
{
    tree_add(out, root, ".", "", flags, NULL);
}

/* The lines that only one of both has, as "- line" and "+ line". Returns how many. */
static inline size_t tree_diff(const char *before, const char *after, struct buf *out)
{
    size_t n = 0;
    const char *texts[2] = {before, after};
    for (int side = 0; side < 2; side++) {
        size_t size = strlen(texts[1 - side]) + 2;
        CLEANUP_FREE char *other = malloc(size);
        if (other == NULL)
            return SIZE_MAX;
        (void)snprintf(other, size, "\n%s", texts[1 - side]);
        for (const char *at = texts[side]; *at != '\0';) {
            size_t len = strcspn(at, "\n") + 1;
            CLEANUP_FREE char *line = malloc(len + 2);
            if (line == NULL)
                return SIZE_MAX;
            line[0] = '\n';
            memcpy(line + 1, at, len);
            line[len + 1] = '\0';
            if (strstr(other, line) == NULL) {
                buf_printf(out, "%c %.*s", side == 0 ? '-' : '+', (int)len, at);
                n++;
            }
            at += len;
        }
    }
    return n;
}

#endif
