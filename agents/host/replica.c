/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/replica.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* In the directory that keeps: what is being made, the mark of what was made (a link whose text is
 * its identity, and whose time is when it was whole), and what was set aside. */
static const char *const NEW = "new", *const MADE = "made", *const ASIDE = "aside";

enum { CHUNK = 65536, IDENTITY_MAX = 80 };

struct copying {
    uint32_t entries;
    uint64_t bytes;
};

static int copy_entry(struct copying *c, int from_dir, const char *from, int to_dir, const char *to,
                      unsigned depth, struct err *err);

static int open_dir(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int copy_content(struct copying *c, int from, int to, struct err *err)
{
    static char chunk[CHUNK];
    for (;;) {
        ssize_t n = read(from, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (n > 0 && write(to, chunk, (size_t)n) != n))
            return make_error(err, ERR_SYSTEM, errno, "copy a file of the template");
        if (n == 0)
            return 0;
        c->bytes += (uint64_t)n;
        if (c->bytes > REPLICA_BYTES_MAX)
            return make_error(err, ERR_LIMIT, 0, "the template has more than %d bytes",
                              REPLICA_BYTES_MAX);
    }
}

/* Takes from. */
static int copy_directory(struct copying *c, int from, int to, unsigned depth, struct err *err)
{
    CLEANUP_DIR DIR *entries = fdopendir(from);
    if (entries == NULL) {
        (void)close(from);
        return make_error(err, ERR_SYSTEM, errno, "list the template");
    }
    for (const struct dirent *d; (d = readdir(entries)) != NULL;) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (copy_entry(c, dirfd(entries), d->d_name, to, d->d_name, depth + 1, err) != 0)
            return -1;
    }
    return 0;
}

static int copy_link(int from_dir, const char *from, int to_dir, const char *to, struct err *err)
{
    char text[4096];
    ssize_t n = readlinkat(from_dir, from, text, sizeof(text) - 1);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the link %s", from);
    text[n] = '\0';
    return symlinkat(text, to_dir, to) == 0
               ? 0
               : make_error(err, ERR_SYSTEM, errno, "make the link %s", to);
}

static int give_rights(int fd, uint32_t mode, uint32_t uid, uint32_t gid, struct err *err)
{
    if (fchown(fd, uid, gid) != 0 || fchmod(fd, mode & 07777) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give it its owner and mode");
    return 0;
}

/* An empty file or directory; *ret_fd is open on it. */
static int make_empty(int dir, const char *name, bool is_dir, int *ret_fd, struct err *err)
{
    if (is_dir && mkdirat(dir, name, 0700) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make %s", name);
    *ret_fd = is_dir
                  ? open_dir(dir, name)
                  : openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return *ret_fd >= 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "make %s", name);
}

static int fill_from(struct copying *c, int template, int to, bool is_dir, unsigned depth,
                     struct err *err)
{
    if (!is_dir)
        return copy_content(c, template, to, err);
    int again = open_dir(template, ".");
    if (again < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the template");
    return copy_directory(c, again, to, depth, err);
}

static int copy_entry(struct copying *c, int from_dir, const char *from, int to_dir, const char *to,
                      unsigned depth, struct err *err)
{
    struct stat st;
    CLEANUP_FD int in = -1;
    CLEANUP_FD int out = -1;
    if (fstatat(from_dir, from, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat %s", from);
    if (++c->entries > REPLICA_ENTRIES_MAX || depth > REPLICA_DEPTH_MAX)
        return make_error(err, ERR_LIMIT, 0,
                          "the template has more than %d entries, or is deeper "
                          "than %d",
                          REPLICA_ENTRIES_MAX, REPLICA_DEPTH_MAX);
    if (S_ISLNK(st.st_mode))
        return copy_link(from_dir, from, to_dir, to, err);
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return 0;
    in = openat(from_dir, from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", from);
    if (make_empty(to_dir, to, S_ISDIR(st.st_mode), &out, err) != 0 ||
        fill_from(c, in, out, S_ISDIR(st.st_mode), depth, err) != 0)
        return -1;
    return give_rights(out, st.st_mode, st.st_uid, st.st_gid, err);
}

/* Inode numbers are used again at once: the birth of what has it is part of who it is. */
static bool print_identity(int dir, const char *leaf, char out[IDENTITY_MAX])
{
    struct statx st;
    if (statx(dir, leaf, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME,
              &st) != 0)
        return false;
    bool has_birth = (st.stx_mask & STATX_BTIME) != 0;
    (void)snprintf(out, IDENTITY_MAX, "%llu %o %lld.%09u", (unsigned long long)st.stx_ino,
                   (unsigned)(st.stx_mode & S_IFMT), has_birth ? (long long)st.stx_btime.tv_sec : 0,
                   has_birth ? st.stx_btime.tv_nsec : 0);
    return true;
}

static int put_mark(int keep, int fd, struct err *err)
{
    char text[IDENTITY_MAX];
    if (!print_identity(fd, "", text) || symlinkat(text, keep, MADE) != 0)
        return make_error(err, ERR_SYSTEM, errno, "mark what was made");
    return 0;
}

int replica_make(int keep, int parent, const char *leaf, const struct hostfs_meta *like,
                 int template, struct err *err)
{
    struct copying c = {0};
    bool is_dir = S_ISDIR(like->mode);
    CLEANUP_FD int fd = -1;
    if (make_empty(keep, NEW, is_dir, &fd, err) != 0)
        return -1;
    if (template >= 0 && fill_from(&c, template, fd, is_dir, 0, err) != 0)
        return -1;
    if (give_rights(fd, like->mode, like->uid, like->gid, err) != 0 || put_mark(keep, fd, err) != 0)
        return -1;
    int rc = hostfs_move(keep, NEW, parent, leaf, err);
    return rc == 0 ? 0 : rc < 0 ? -1 : make_error(err, ERR_SYSTEM, 0, "what was made has gone");
}

/* 1: it is there; 0: it is not. */
static int has(int dir, const char *name, struct err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 1;
    return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "stat %s", name);
}

int replica_is_ours(int keep, int parent, const char *leaf, struct err *err)
{
    char mark[IDENTITY_MAX] = "", now[IDENTITY_MAX];
    if (readlinkat(keep, MADE, mark, sizeof(mark) - 1) < 0)
        return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "read the mark");
    if (!print_identity(parent, leaf, now))
        return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "stat %s", leaf);
    return strcmp(mark, now) == 0;
}

int replica_was_moved(int keep, int parent, const char *leaf, struct err *err)
{
    int aside = has(keep, ASIDE, err);
    int made = aside == 0 ? has(keep, MADE, err) : aside;
    if (aside != 0 || made <= 0)
        return made;
    int there = has(parent, leaf, err);
    return there < 0 ? -1 : !there;
}

int replica_is_left(int keep, struct err *err)
{
    const char *const names[] = {MADE, ASIDE, NEW};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int rc = has(keep, names[i], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int replica_set_aside(int keep, int parent, const char *leaf, bool any, struct err *err)
{
    int there = has(parent, leaf, err);
    if (there <= 0)
        return there;
    int ours = any ? 1 : replica_is_ours(keep, parent, leaf, err);
    if (ours <= 0)
        return ours < 0 ? -1 : 1;
    if (hostfs_move(parent, leaf, keep, ASIDE, err) < 0)
        return err->code == ERR_FOREIGN ? 1 : -1;
    return 0;
}

struct entry {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

struct removal {
    struct timespec made;
    struct replica_written *written;
};

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

static void note_written(const struct removal *r, const char *name)
{
    struct replica_written *w = r->written;
    size_t used = strlen(w->names);
    if (w->n++ < 3)
        (void)snprintf(w->names + used, sizeof(w->names) - used, "%s%.40s", used > 0 ? ", " : "",
                       name);
}

static int remove_tree(const struct removal *r, int dir, const char *name, unsigned depth,
                       struct err *err);

/* Again and again: what is removed while listing may hide an entry. */
static int remove_entries(const struct removal *r, int dir, unsigned depth, struct err *err)
{
    _Alignas(8) char entries[4096];
    for (bool some = true; some;) {
        some = false;
        if (lseek(dir, 0, SEEK_SET) < 0)
            return make_error(err, ERR_SYSTEM, errno, "rewind a directory");
        for (long n; (n = syscall(SYS_getdents64, dir, entries, sizeof(entries))) != 0;) {
            if (n < 0)
                return make_error(err, ERR_SYSTEM, errno, "list a directory");
            for (long at = 0; at < n;) {
                const struct entry *e = (const void *)(entries + at);
                at += e->reclen;
                if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
                    continue;
                some = true;
                if (remove_tree(r, dir, e->name, depth + 1, err) != 0)
                    return -1;
            }
        }
    }
    return 0;
}

static int remove_tree(const struct removal *r, int dir, const char *name, unsigned depth,
                       struct err *err)
{
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "stat %s", name);
    if (r->written != NULL && depth > 0 && is_later(&st.st_ctim, &r->made))
        note_written(r, name);
    if (S_ISDIR(st.st_mode)) {
        CLEANUP_FD int fd = open_dir(dir, name);
        if (fd < 0)
            return make_error(err, ERR_SYSTEM, errno, "open %s", name);
        if (depth > 2 * REPLICA_DEPTH_MAX)
            return make_error(err, ERR_LIMIT, 0, "%s lies too deep to be removed", name);
        if (remove_entries(r, fd, depth, err) != 0)
            return -1;
    }
    if (unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", name);
    return 0;
}

int replica_remove(int keep, struct replica_written *ret, struct err *err)
{
    struct stat mark;
    struct removal r = {.written = ret};
    *ret = (struct replica_written){0};
    if (fstatat(keep, MADE, &mark, AT_SYMLINK_NOFOLLOW) == 0)
        r.made = mark.st_ctim;
    if (remove_tree(&r, keep, ASIDE, 0, err) != 0)
        return -1;
    r.written = NULL;
    if (remove_tree(&r, keep, NEW, 0, err) != 0)
        return -1;
    if (unlinkat(keep, MADE, 0) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove the mark of what was made");
    return 0;
}
