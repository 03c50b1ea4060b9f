/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/footprint.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { CHUNK = 65536, NAMES_SIZE_MAX = 8 * 1024 * 1024, ATTRIBUTES_MAX = 4096 };

struct walk {
    struct footprint *to;
    int64_t started; /* CLOCK_MONOTONIC */
    uint64_t bytes;
    bool failed; /* an entry that is there could not even be looked at */
    struct err why;
    char name[PATH_MAX_LEN * 8];
};

static int64_t walk_ms(const struct walk *w)
{
    return (clock_system(CLOCK_MONOTONIC) - w->started) / NS_PER_MS;
}

static bool add_value(uint64_t *d, int fd, const char *name)
{
    char value[ATTRIBUTES_MAX];
    ssize_t n = fgetxattr(fd, name, value, sizeof(value));
    if (n < 0)
        return false;
    digest_text(d, name);
    digest_add(d, value, (size_t)n);
    return true;
}

/* The kernel lists them in the order in which they were set: a sum does not mind. */
static bool read_attributes(int fd, uint64_t *ret)
{
    char list[ATTRIBUTES_MAX];
    ssize_t n = flistxattr(fd, list, sizeof(list));
    if (n < 0)
        return errno == ENOTSUP;
    for (const char *name = list; name < list + n; name += strlen(name) + 1) {
        uint64_t one = DIGEST_START;
        if (!add_value(&one, fd, name))
            return false;
        *ret += one;
    }
    return true;
}

static bool read_content(struct walk *w, int fd, uint64_t *ret)
{
    static unsigned char chunk[CHUNK];
    *ret = DIGEST_START;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        w->bytes += (uint64_t)n;
        if (w->bytes > FOOTPRINT_BYTES_MAX || walk_ms(w) > FOOTPRINT_READ_MS)
            return false;
        digest_add(ret, chunk, (size_t)n);
    }
}

static bool read_target(int dir, const char *leaf, uint64_t *ret)
{
    char target[PATH_MAX_LEN * 16];
    ssize_t n = readlinkat(dir, leaf, target, sizeof(target));
    *ret = DIGEST_START;
    digest_add(ret, target, n > 0 ? (size_t)n : 0);
    return n >= 0;
}

static int open_quietly(int dir, const char *leaf)
{
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = openat(dir, leaf, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(dir, leaf, flags) : fd;
}

/* What lies beneath is not known: then nobody may say that it has gone. */
static void fail_walk(struct walk *w)
{
    w->failed = true;
    (void)make_error(&w->why, ERR_SYSTEM, errno, "list %s%s", w->to->path.s, w->name);
}

/* Whose rights do not suffice, or who came too late, sees the directory alone, each time. */
static bool is_closed_to_us(int number)
{
    return number == EACCES || number == EPERM || number == ENOENT || number == ELOOP;
}

/* *ret_fd: of a directory, to go into; else -1. */
static void read_entry(struct walk *w, int dir, const char *leaf, struct footprint_entry *e,
                       int *ret_fd)
{
    bool late = walk_ms(w) > FOOTPRINT_READ_MS;
    *ret_fd = -1;
    if (S_ISLNK(e->meta.mode)) {
        e->is_read = read_target(dir, leaf, &e->content);
    } else if (S_ISDIR(e->meta.mode)) {
        *ret_fd = open_quietly(dir, leaf);
        if (*ret_fd < 0 && !is_closed_to_us(errno))
            fail_walk(w);
        e->is_read = *ret_fd >= 0 && !late && read_attributes(*ret_fd, &e->attributes);
    } else if (S_ISREG(e->meta.mode)) {
        CLEANUP_FD int fd = late ? -1 : open_quietly(dir, leaf);
        e->is_read = fd >= 0 && e->meta.size <= FOOTPRINT_BYTES_MAX - w->bytes &&
                     read_content(w, fd, &e->content) && read_attributes(fd, &e->attributes);
    } else {
        e->is_read = true; /* a socket, a pipe, a device: nothing to read */
    }
    w->to->is_stat = w->to->is_stat || !e->is_read;
    if (w->bytes > FOOTPRINT_BYTES_MAX)
        w->bytes = FOOTPRINT_BYTES_MAX;
}

static void walk_entry(struct walk *w, int dir, const char *leaf, uint64_t dev, unsigned depth);

static void walk_directory(struct walk *w, int fd, uint64_t dev, unsigned depth)
{
    size_t len = strlen(w->name);
    CLEANUP_DIR DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        fail_walk(w);
        (void)close(fd);
        return;
    }
    for (const struct dirent *d; !w->to->is_cut && !w->failed;) {
        errno = 0;
        if ((d = readdir(entries)) == NULL) {
            if (errno != 0)
                fail_walk(w);
            return;
        }
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        if (depth >= FOOTPRINT_DEPTH_MAX || len + strlen(d->d_name) + 2 > sizeof(w->name)) {
            w->to->is_cut = true;
            return;
        }
        (void)snprintf(w->name + len, sizeof(w->name) - len, "/%s", d->d_name);
        walk_entry(w, dirfd(entries), d->d_name, dev, depth + 1);
        w->name[len] = '\0';
    }
}

/* dev: of the tree; what is mounted in it is another's. 0: this entry's own counts. */
static void walk_entry(struct walk *w, int dir, const char *leaf, uint64_t dev, unsigned depth)
{
    struct footprint *to = w->to;
    struct footprint_entry e = {.name = (uint32_t)to->names.len, .depth = (uint16_t)depth};
    int fd;
    int rc = hostfs_stat(dir, leaf, &e.meta, &w->why);
    w->failed = w->failed || rc < 0;
    if (rc != 0 || w->failed)
        return;
    if (to->n >= FOOTPRINT_ENTRIES_MAX || walk_ms(w) > FOOTPRINT_TIME_MS) {
        to->is_cut = true;
        return;
    }
    read_entry(w, dir, leaf, &e, &fd);
    buf_add(&to->names, w->name, strlen(w->name) + 1);
    buf_add(&to->entries, &e, sizeof(e));
    to->n++;
    if (!buf_ok(&to->names) || !buf_ok(&to->entries))
        to->is_cut = true;
    if (fd >= 0 && !to->is_cut && (dev == 0 || e.meta.dev == dev))
        walk_directory(w, fd, e.meta.dev, depth);
    else if (fd >= 0)
        (void)close(fd);
}

static int compare_names(const void *a, const void *b, void *names)
{
    const struct footprint_entry *x = a, *y = b;
    return strcmp((const char *)names + x->name, (const char *)names + y->name);
}

bool footprint_parent(const struct fault_host *host, const struct path *path,
                      struct hostfs_meta *ret)
{
    struct err ignored;
    const char *leaf;
    CLEANUP_FD int dir = -1;
    return hostfs_open_parent(host->root, path->s, &dir, &leaf, &ignored) == 0 &&
           hostfs_stat(dir, "", ret, &ignored) == 0;
}

static int take_parent(const struct fault_host *host, struct footprint *ret, struct err *err)
{
    const char *leaf;
    CLEANUP_FD int dir = -1;
    if (hostfs_open_parent(host->root, ret->path.s, &dir, &leaf, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    int rc = hostfs_stat(dir, "", &ret->parent, err);
    ret->has_parent = rc == 0;
    return rc < 0 ? -1 : 0;
}

static int take_tree(const struct fault_host *host, struct footprint *ret, struct err *err)
{
    struct walk w = {.to = ret, .started = clock_system(CLOCK_MONOTONIC)};
    const char *leaf;
    CLEANUP_FD int dir = -1;
    if (take_parent(host, ret, err) != 0)
        return -1;
    if (!ret->has_parent)
        return 0;
    if (hostfs_open_parent(host->root, ret->path.s, &dir, &leaf, err) != 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    walk_entry(&w, dir, leaf, 0, 0);
    if (w.failed)
        return make_error(err, w.why.code, w.why.sys, "%s", w.why.msg);
    if (!buf_ok(&ret->names) || !buf_ok(&ret->entries))
        return make_error(err, ERR_LIMIT, 0, "%s: too large to be remembered", ret->path.s);
    return 0;
}

int footprint_take(const struct fault_host *host, const struct path *path, struct footprint *ret,
                   struct err *err)
{
    *ret = (struct footprint){.path = *path,
                              .begun = clock_system(CLOCK_REALTIME),
                              .entries =
                                  BUF_INIT(FOOTPRINT_ENTRIES_MAX * sizeof(struct footprint_entry)),
                              .names = BUF_INIT(NAMES_SIZE_MAX)};
    if (take_tree(host, ret, err) != 0) {
        footprint_free(ret);
        return -1;
    }
    ret->ended = clock_system(CLOCK_REALTIME);
    if (ret->n > 0)
        qsort_r(ret->entries.data, ret->n, sizeof(struct footprint_entry), compare_names,
                ret->names.data);
    return 0;
}

void footprint_free(struct footprint *f)
{
    buf_free(&f->entries);
    buf_free(&f->names);
    f->n = 0;
}
