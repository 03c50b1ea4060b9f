/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/tree.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64 };

int tree_make(const char *path, bool leaf_is_file, struct err *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part) || path[0] != '/')
        return make_error(err, ERR_INPUT, 0, "%s is not a path that can be made", path);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        if (part[i] == '\0' && leaf_is_file)
            break;
        char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST && errno != EROFS)
            return make_error(err, ERR_SYSTEM, errno, "make the directory %s", part);
        part[i] = kept;
    }
    return 0;
}

static int remove_entries(int dir_fd, dev_t device, int depth, struct err *err);

static int remove_entry(int dir_fd, const char *name, dev_t device, int depth, struct err *err)
{
    if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", name);
    CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES &&
        fchmodat(dir_fd, name, 0700, 0) == 0) /* overlay's own work directory has mode 0 */
        fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s to remove it", name);
    if (st.st_dev != device)
        return make_error(err, ERR_REFUSED, 0, "%s is a mount of its own, left alone", name);
    if ((st.st_mode & 0700) != 0700)
        (void)fchmod(fd, 0700);
    if (remove_entries(fd, device, depth + 1, err) != 0)
        return -1;
    if (unlinkat(dir_fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove the directory %s", name);
    return 0;
}

static int remove_entries(int dir_fd, dev_t device, int depth, struct err *err)
{
    if (depth > DEPTH_MAX)
        return make_error(err, ERR_LIMIT, 0, "directories are more than %d deep", DEPTH_MAX);
    int again = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (dir == NULL)
        return make_error(err, ERR_SYSTEM, errno, "read a directory to remove it");
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            remove_entry(dir_fd, e->d_name, device, depth, err) != 0)
            return -1;
    return 0;
}

int tree_remove(const char *path, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s to remove it", path);
    if (remove_entries(fd, st.st_dev, 0, err) != 0)
        return wrap_error(err, "%s", path);
    if (rmdir(path) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", path);
    return 0;
}

static int copy_data(int from, int to, struct err *err)
{
    /* An offset of our own: several hosts copy from one inherited descriptor at once. */
    for (off_t at = 0;;) {
        ssize_t n = sendfile(to, from, &at, 1 << 20);
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "copy");
    }
}

static int set_owner(int fd, const struct tree_copy *how, struct err *err)
{
    if (how->uid != (uid_t)-1 && fchown(fd, how->uid, how->gid) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give it to user %u", how->uid);
    return 0;
}

static int fill_file(int src_fd, const struct stat *st, int fd, const char *name,
                     const struct tree_copy *how, struct err *err)
{
    mode_t mode = how->mode != 0 ? how->mode : st->st_mode & 07777;
    if (copy_data(src_fd, fd, err) != 0 || set_owner(fd, how, err) != 0)
        return wrap_error(err, "%s", name);
    if (fchmod(fd, mode) != 0)
        return make_error(err, ERR_SYSTEM, errno, "set the mode of %s", name);
    return 0;
}

/* Whole at once: another service may be about to execute or read what is there. */
static int copy_file(int src_fd, const struct stat *st, int dir_fd, const char *name,
                     const struct tree_copy *how, struct err *err)
{
    char fresh[48];
    (void)snprintf(fresh, sizeof(fresh), ".blackstart-copy-%d", (int)getpid());
    (void)unlinkat(dir_fd, fresh, 0);
    CLEANUP_FD int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "make %s", name);
    int rc = fill_file(src_fd, st, fd, name, how, err);
    (void)close(steal_fd(&fd)); /* first: what is open for writing is not executed */
    if (rc == 0 && renameat(dir_fd, fresh, dir_fd, name) != 0)
        rc = make_error(err, ERR_SYSTEM, errno, "make %s", name);
    if (rc != 0)
        (void)unlinkat(dir_fd, fresh, 0);
    return rc;
}

static int copy_link(int src_dir, const char *name, int dir_fd, struct err *err)
{
    char target[PATH_MAX];
    ssize_t n = readlinkat(src_dir, name, target, sizeof(target) - 1);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "read the link %s", name);
    target[n] = '\0';
    (void)unlinkat(dir_fd, name, 0);
    if (symlinkat(target, dir_fd, name) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make the link %s", name);
    return 0;
}

static int copy_any(int src_fd, int dir_fd, const char *name, const struct tree_copy *how,
                    int depth, struct err *err);

static int copy_entry(int src_dir, const char *name, int dir_fd, const struct tree_copy *how,
                      int depth, struct err *err)
{
    struct stat st;
    if (fstatat(src_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return make_error(err, ERR_SYSTEM, errno, "look at %s", name);
    if (S_ISLNK(st.st_mode))
        return copy_link(src_dir, name, dir_fd, err);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return 0;
    CLEANUP_FD int fd = openat(src_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && how->may_skip)
        return 0;
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", name);
    struct tree_copy inner = *how;
    inner.mode = 0;
    return copy_any(fd, dir_fd, name, &inner, depth, err);
}

static int copy_dir(int src_fd, const struct stat *st, int dir_fd, const char *name,
                    const struct tree_copy *how, int depth, struct err *err)
{
    if (mkdirat(dir_fd, name, 0700) != 0 && errno != EEXIST)
        return make_error(err, ERR_SYSTEM, errno, "make the directory %s", name);
    CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int again = openat(src_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_DIR DIR *dir = again >= 0 ? fdopendir(again) : NULL;
    if (fd < 0 || dir == NULL)
        return make_error(err, ERR_SYSTEM, errno, "open the directory %s", name);
    const struct dirent *e;
    while ((e = readdir(dir)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            copy_entry(src_fd, e->d_name, fd, how, depth + 1, err) != 0)
            return wrap_error(err, "%s", name);
    if (set_owner(fd, how, err) != 0)
        return wrap_error(err, "%s", name);
    (void)fchmod(fd, st->st_mode & 07777);
    return 0;
}

static int copy_any(int src_fd, int dir_fd, const char *name, const struct tree_copy *how,
                    int depth, struct err *err)
{
    struct stat st;
    if (depth > DEPTH_MAX)
        return make_error(err, ERR_LIMIT, 0, "directories are more than %d deep", DEPTH_MAX);
    if (fstat(src_fd, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "look at the source of %s", name);
    if (S_ISDIR(st.st_mode))
        return copy_dir(src_fd, &st, dir_fd, name, how, depth, err);
    return copy_file(src_fd, &st, dir_fd, name, how, err);
}

int tree_copy(int src_fd, const char *path, const struct tree_copy *how, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0' || strlen(path) >= PATH_MAX)
        return make_error(err, ERR_INPUT, 0, "%s is not a path to copy to", path);
    char parent[PATH_MAX];
    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
    CLEANUP_FD int dir = open(parent[0] != '\0' ? parent : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", parent);
    if (copy_any(src_fd, dir, slash + 1, how, 0, err) != 0)
        return wrap_error(err, "copy to %s", path);
    return 0;
}

int tree_write(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "make %s", path);
    const char *at = data;
    while (len != 0) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return make_error(err, ERR_SYSTEM, errno, "write %s", path);
        at += n;
        len -= (size_t)n;
    }
    if (fchmod(fd, mode) != 0) /* past the caller's umask */
        return make_error(err, ERR_SYSTEM, errno, "set the mode of %s", path);
    return 0;
}
