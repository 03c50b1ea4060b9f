/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/access_list.h"

#include "base/cleanup.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { CHUNK = 16384 };

/* The file: this head, then for each entry a head, its path and its list. */
struct file_head {
    char word[8];
    uint32_t version, n;
    uint64_t len, digest;
};
struct entry_head {
    uint64_t dev, ino;
    uint32_t mode, uid, gid;
    uint16_t path_len, acl_len;
};

static const struct file_head empty_head = {.word = "bsaccess", .version = 1};

struct walk {
    struct buf *out;
    uint64_t dev;
    uint32_t n;
    char path[PATH_MAX_LEN + 1];
};

static int add_entry(struct walk *w, const struct access_state *s, struct err *err)
{
    const char *path = w->path[0] != '\0' ? w->path : "/";
    const struct entry_head head = {
        .dev = s->dev,
        .ino = s->ino,
        .mode = s->mode,
        .uid = s->uid,
        .gid = s->gid,
        .path_len = (uint16_t)strlen(path),
        .acl_len = (uint16_t)s->acl_len,
    };
    buf_add(w->out, &head, sizeof(head));
    buf_add(w->out, path, head.path_len);
    buf_add(w->out, s->acl, s->acl_len);
    if (!buf_ok(w->out) || ++w->n > ACCESS_LIST_MAX)
        return make_error(err, ERR_REFUSED, 0, "more than %d files", ACCESS_LIST_MAX);
    return 0;
}

static int walk_entry(struct walk *w, int dir, const char *leaf, unsigned depth, struct err *err);

/* Takes fd. */
static int walk_directory(struct walk *w, int fd, unsigned depth, struct err *err)
{
    size_t len = strlen(w->path);
    CLEANUP_DIR DIR *entries = fdopendir(fd);
    if (entries == NULL) {
        (void)close(fd);
        return make_error(err, ERR_SYSTEM, errno, "list %s", w->path);
    }
    if (depth >= ACCESS_LIST_DEPTH)
        return make_error(err, ERR_REFUSED, 0, "%s lies too deep", w->path);
    errno = 0;
    for (const struct dirent *d; (d = readdir(entries)) != NULL; errno = 0) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
            continue;
        size_t n = strlen(d->d_name);
        if (len + n + 2 > sizeof(w->path))
            return make_error(err, ERR_REFUSED, 0, "%s/%s: the path is too long", w->path,
                              d->d_name);
        w->path[len] = '/';
        memcpy(w->path + len + 1, d->d_name, n + 1);
        int rc = walk_entry(w, dirfd(entries), d->d_name, depth + 1, err);
        w->path[len] = '\0';
        if (rc != 0)
            return -1;
    }
    return errno == 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "list %s", w->path);
}

static int walk_entry(struct walk *w, int dir, const char *leaf, unsigned depth, struct err *err)
{
    struct hostfs_meta meta;
    struct access_state state;
    int rc = hostfs_stat(dir, leaf, &meta, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    /* An overlay's files may show another device than its directories. */
    if (!S_ISREG(meta.mode) && (!S_ISDIR(meta.mode) || (w->dev != 0 && meta.dev != w->dev)))
        return 0;
    if (S_ISDIR(meta.mode))
        w->dev = meta.dev;
    CLEANUP_FD int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", w->path);
    if (access_read(fd, &state, err) != 0)
        return wrap_error(err, "%s", w->path);
    if (add_entry(w, &state, err) != 0)
        return -1;
    return S_ISDIR(meta.mode) ? walk_directory(w, steal_fd(&fd), depth, err) : 0;
}

int access_list_make(int top, struct buf *out, struct err *err)
{
    struct walk w = {.out = out};
    struct file_head head = empty_head;
    buf_add(out, &head, sizeof(head));
    if (walk_entry(&w, top, ".", 0, err) != 0)
        return -1;
    head.n = w.n;
    head.len = out->len - sizeof(head);
    head.digest = DIGEST_START;
    digest_add(&head.digest, out->data + sizeof(head), head.len);
    memcpy(out->data, &head, sizeof(head));
    return 0;
}

int access_list_write(int dir, const char *leaf, const struct buf *list, struct err *err)
{
    CLEANUP_FD int fd =
        openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create %s", leaf);
    for (size_t done = 0; done < list->len;) {
        ssize_t n = write(fd, list->data + done, list->len - done);
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "write %s", leaf);
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "fsync %s", leaf);
}

static int read_at(int fd, void *to, size_t len, uint64_t at, size_t *ret, struct err *err)
{
    ssize_t n;
    do {
        n = pread(fd, to, len, (off_t)at);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the list of rights");
    *ret = (size_t)n;
    return 0;
}

int access_list_open(int dir, const char *leaf, int *ret_fd, uint32_t *ret_n, struct err *err)
{
    unsigned char chunk[CHUNK];
    struct file_head head;
    uint64_t digest = DIGEST_START, at = sizeof(head);
    size_t n;
    CLEANUP_FD int fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 1 : make_error(err, ERR_SYSTEM, errno, "open %s", leaf);
    if (read_at(fd, &head, sizeof(head), 0, &n, err) != 0)
        return -1;
    if (n != sizeof(head) || memcmp(head.word, empty_head.word, sizeof(head.word)) != 0)
        return 2;
    do {
        if (read_at(fd, chunk, sizeof(chunk), at, &n, err) != 0)
            return -1;
        digest_add(&digest, chunk, n);
        at += n;
    } while (n > 0);
    if (at != sizeof(head) + head.len || digest != head.digest)
        return 2;
    *ret_fd = steal_fd(&fd);
    *ret_n = head.n;
    return 0;
}

int access_list_next(int fd, uint64_t *at, struct access_entry *ret, struct err *err)
{
    struct entry_head head;
    size_t n = 0;
    uint64_t from = *at != 0 ? *at : sizeof(struct file_head);
    if (read_at(fd, &head, sizeof(head), from, &n, err) != 0)
        return -1;
    if (n != sizeof(head) || head.path_len > PATH_MAX_LEN || head.acl_len > ACCESS_ACL_MAX)
        return make_error(err, ERR_DIRTY, 0, "the list of rights is damaged");
    memset(ret, 0, sizeof(*ret));
    ret->was = (struct access_state){.dev = head.dev,
                                     .ino = head.ino,
                                     .mode = head.mode,
                                     .uid = head.uid,
                                     .gid = head.gid,
                                     .acl_len = head.acl_len};
    from += sizeof(head);
    if (read_at(fd, ret->path, head.path_len, from, &n, err) != 0 ||
        read_at(fd, ret->was.acl, head.acl_len, from + head.path_len, &n, err) != 0)
        return -1;
    *at = from + head.path_len + head.acl_len;
    return 0;
}
