/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/hostfs.h"

#include "base/cleanup.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { CHUNK = 16384 };

static int open_beneath(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int open_failed(const char *path, struct err *err)
{
    if (errno == ELOOP)
        return make_error(err, ERR_REFUSED, 0, "%s is a symbolic link: name what it points to",
                          path);
    if (errno == ENOENT || errno == ENOTDIR)
        return make_error(err, ERR_NOT_FOUND, errno, "%s", path);
    return make_error(err, ERR_SYSTEM, errno, "open %s", path);
}

int hostfs_open(int root, const char *path, int flags, int *ret_fd, struct err *err)
{
    int fd = open_beneath(root, path, flags);
    if (fd < 0)
        return open_failed(path, err);
    *ret_fd = fd;
    return 0;
}

int hostfs_supported(struct fault_host *host, struct err *err)
{
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, "/", O_RDONLY | O_DIRECTORY, &fd, err) == 0)
        return 0;
    err->code = ERR_UNSUPPORTED;
    return wrap_error(err, "the host's files cannot be reached");
}

int hostfs_open_parent(int root, const char *path, int *ret_fd, const char **ret_leaf,
                       struct err *err)
{
    char parent[PATH_MAX_LEN + 1];
    const char *slash = strrchr(path, '/');
    if (slash == NULL || path[0] != '/' || slash[1] == '\0')
        return make_error(err, ERR_INPUT, 0, "%s: an absolute path below / is needed", path);
    size_t n = (size_t)(slash - path);
    if (n >= sizeof(parent))
        return make_error(err, ERR_LIMIT, 0, "%s: the path is too long", path);
    memcpy(parent, path, n);
    parent[n] = '\0';
    /* The parent may be reached through links (/bin, /var/run): they are followed here, once. */
    struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };
    int fd = (int)syscall(SYS_openat2, root, n == 0 ? "/" : parent, &how, sizeof(how));
    if (fd < 0)
        return open_failed(path, err);
    *ret_fd = fd;
    *ret_leaf = slash + 1;
    return 0;
}

int hostfs_stat(int dir, const char *leaf, struct hostfs_meta *ret, struct err *err)
{
    struct stat st;
    if (fstatat(dir, leaf, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) {
        if (errno == ENOENT)
            return 1;
        return make_error(err, ERR_SYSTEM, errno, "stat %s", leaf);
    }
    *ret = (struct hostfs_meta){
        .dev = st.st_dev,
        .ino = st.st_ino,
        .mode = st.st_mode,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .mtime_sec = st.st_mtim.tv_sec,
        .mtime_nsec = (uint32_t)st.st_mtim.tv_nsec,
        .size = (uint64_t)st.st_size,
    };
    return 0;
}

int hostfs_digest_fd(int fd, uint64_t *ret, struct err *err)
{
    unsigned char chunk[CHUNK];
    uint64_t hash = DIGEST_START;
    for (off_t at = 0;;) {
        ssize_t n = pread(fd, chunk, sizeof(chunk), at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read");
        if (n == 0)
            break;
        digest_add(&hash, chunk, (size_t)n);
        at += n;
    }
    *ret = hash;
    return 0;
}

int hostfs_digest(int dir, const char *leaf, uint64_t *ret, struct err *err)
{
    CLEANUP_FD int fd =
        openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
    if (fd < 0 && errno == EPERM)
        fd = openat(dir, leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return open_failed(leaf, err);
    return hostfs_digest_fd(fd, ret, err) != 0 ? wrap_error(err, "%s", leaf) : 0;
}

int hostfs_put_mtime(int dir, const char *leaf, const struct hostfs_meta *meta, struct err *err)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = meta->mtime_sec, .tv_nsec = (long)meta->mtime_nsec},
    };
    int rc =
        leaf[0] == '\0' ? futimens(dir, times) : utimensat(dir, leaf, times, AT_SYMLINK_NOFOLLOW);
    if (rc != 0)
        return make_error(err, ERR_SYSTEM, errno, "put back the time of %s", leaf);
    return 0;
}

const char *hostfs_own_name(const struct undo *undo, const char *word, char out[HOSTFS_NAME_MAX])
{
    (void)snprintf(out, HOSTFS_NAME_MAX, ".blackstart-%s-%s.%s", undo->run, undo->injection, word);
    return out;
}
