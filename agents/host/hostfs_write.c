/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/hostfs.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { XATTR_NAMES_MAX = 4096, XATTR_VALUE_MAX = 16384 };

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The list leaves out what a file system keeps for itself; what may not be set is left out too. */
static int copy_xattrs(int from, int to, struct err *err)
{
    char names[XATTR_NAMES_MAX], value[XATTR_VALUE_MAX];
    ssize_t len = flistxattr(from, names, sizeof(names));
    if (len < 0 && errno == ENOTSUP)
        return 0;
    if (len < 0)
        return make_error(err, ERR_SYSTEM, errno, "list extended attributes");
    for (char *name = names; name < names + len; name += strlen(name) + 1) {
        ssize_t n = fgetxattr(from, name, value, sizeof(value));
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read extended attribute %s", name);
        if (fsetxattr(to, name, value, (size_t)n, 0) != 0 && errno != ENOTSUP && errno != EPERM)
            return make_error(err, ERR_SYSTEM, errno, "set extended attribute %s", name);
    }
    return 0;
}

static int write_into(int fd, int like, const void *data, size_t len, struct err *err)
{
    struct stat st;
    if (fstat(like, &st) != 0)
        return make_error(err, ERR_SYSTEM, errno, "stat");
    if (write_all(fd, data, len) != 0)
        return make_error(err, ERR_SYSTEM, errno, "write");
    /* Owner first: chown clears set-id bits and capabilities, which mode and attributes then put
     * back. */
    if (fchown(fd, st.st_uid, st.st_gid) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give it its owner");
    if (fchmod(fd, st.st_mode & 07777) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give it its mode");
    if (copy_xattrs(like, fd, err) != 0)
        return -1;
    if (fsync(fd) != 0)
        return make_error(err, ERR_SYSTEM, errno, "fsync");
    return 0;
}

int hostfs_write_like(int dir, const char *leaf, const char *like, const void *data, size_t len,
                      struct err *err)
{
    CLEANUP_FD int from = openat(dir, like, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return make_error(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno, "open %s",
                          like);
    CLEANUP_FD int fd =
        openat(dir, leaf, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create %s", leaf);
    if (write_into(fd, from, data, len, err) != 0) {
        (void)unlinkat(dir, leaf, 0);
        return wrap_error(err, "%s", leaf);
    }
    return 0;
}
