/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrappers of calls on files. Each asks whether it is to fail, and if not calls the next function
 * with the very same arguments; -1 and errno, but where the function has another way to fail.
 */
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_next.h"

#include <errno.h>
#include <stdarg.h>

static bool open_fails(int dir, const char *path, int flags)
{
    return preload_fails_path(FIU_OPEN, dir, path, (flags & O_NOFOLLOW) == 0);
}

/* libc opened it without our seeing it. */
static FILE *stream_opened(FILE *stream)
{
    if (stream != NULL && preload_any_armed())
        (void)preload_opened(fileno(stream));
    return stream;
}

/* The mode is there only when a file may be made. */
#define OPEN_MODE(last)                                                                            \
    __extension__({                                                                                \
        va_list ap;                                                                                \
        va_start(ap, last);                                                                        \
        mode_t given =                                                                             \
            (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;   \
        va_end(ap);                                                                                \
        given;                                                                                     \
    })

#define WRAP_OPEN(name)                                                                            \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        mode_t mode = OPEN_MODE(flags);                                                            \
        return open_fails(AT_FDCWD, path, flags) ? -1                                              \
                                                 : preload_opened(NEXT(name)(path, flags, mode));  \
    }
WRAP_OPEN(open)
WRAP_OPEN(open64)

#define WRAP_OPENAT(name)                                                                          \
    int name(int dir, const char *path, int flags, ...)                                            \
    {                                                                                              \
        mode_t mode = OPEN_MODE(flags);                                                            \
        return open_fails(dir, path, flags) ? -1                                                   \
                                            : preload_opened(NEXT(name)(dir, path, flags, mode));  \
    }
WRAP_OPENAT(openat)
WRAP_OPENAT(openat64)

#define WRAP_OPEN_2(name)                                                                          \
    int name(const char *path, int flags)                                                          \
    {                                                                                              \
        return open_fails(AT_FDCWD, path, flags) ? -1 : preload_opened(NEXT(name)(path, flags));   \
    }
WRAP_OPEN_2(__open_2)
WRAP_OPEN_2(__open64_2)

#define WRAP_OPENAT_2(name)                                                                        \
    int name(int dir, const char *path, int flags)                                                 \
    {                                                                                              \
        return open_fails(dir, path, flags) ? -1 : preload_opened(NEXT(name)(dir, path, flags));   \
    }
WRAP_OPENAT_2(__openat_2)
WRAP_OPENAT_2(__openat64_2)

#define WRAP_CREAT(name)                                                                           \
    int name(const char *path, mode_t mode)                                                        \
    {                                                                                              \
        return open_fails(AT_FDCWD, path, 0) ? -1 : preload_opened(NEXT(name)(path, mode));        \
    }
WRAP_CREAT(creat)
WRAP_CREAT(creat64)

#define WRAP_FOPEN(name)                                                                           \
    FILE *name(const char *path, const char *mode)                                                 \
    {                                                                                              \
        return open_fails(AT_FDCWD, path, 0) ? NULL : stream_opened(NEXT(name)(path, mode));       \
    }
WRAP_FOPEN(fopen)
WRAP_FOPEN(fopen64)

/* Without a path it changes the mode of an open stream. On failure the stream is closed. */
#define WRAP_FREOPEN(name)                                                                         \
    FILE *name(const char *path, const char *mode, FILE *stream)                                   \
    {                                                                                              \
        if (path == NULL || !open_fails(AT_FDCWD, path, 0))                                        \
            return stream_opened(NEXT(name)(path, mode, stream));                                  \
        int error = errno;                                                                         \
        (void)NEXT(fclose)(stream);                                                                \
        errno = error;                                                                             \
        return NULL;                                                                               \
    }
WRAP_FREOPEN(freopen)
WRAP_FREOPEN(freopen64)

/* Calls on a descriptor that return -1: PARAMS and ARGS in parentheses, the descriptor first. */
#define WRAP_FD(point, type, name, params, args)                                                   \
    type name params                                                                               \
    {                                                                                              \
        return preload_fails_fd(point, fd) ? -1 : NEXT(name) args;                                 \
    }
WRAP_FD(FIU_READ, ssize_t, read, (int fd, void *buf, size_t n), (fd, buf, n))
WRAP_FD(FIU_READ, ssize_t, pread, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP_FD(FIU_READ, ssize_t, pread64, (int fd, void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP_FD(FIU_READ, ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP_FD(FIU_READ, ssize_t, preadv, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
WRAP_FD(FIU_READ, ssize_t, preadv64, (int fd, const struct iovec *v, int n, off_t at),
        (fd, v, n, at))
WRAP_FD(FIU_READ, ssize_t, preadv2, (int fd, const struct iovec *v, int n, off_t at, int flags),
        (fd, v, n, at, flags))
WRAP_FD(FIU_READ, ssize_t, preadv64v2, (int fd, const struct iovec *v, int n, off_t at, int flags),
        (fd, v, n, at, flags))
WRAP_FD(FIU_READ, ssize_t, __read_chk, (int fd, void *buf, size_t n, size_t room),
        (fd, buf, n, room))
WRAP_FD(FIU_READ, ssize_t, __pread_chk, (int fd, void *buf, size_t n, off_t at, size_t room),
        (fd, buf, n, at, room))
WRAP_FD(FIU_READ, ssize_t, __pread64_chk, (int fd, void *buf, size_t n, off_t at, size_t room),
        (fd, buf, n, at, room))
WRAP_FD(FIU_WRITE, ssize_t, write, (int fd, const void *buf, size_t n), (fd, buf, n))
WRAP_FD(FIU_WRITE, ssize_t, pwrite, (int fd, const void *buf, size_t n, off_t at), (fd, buf, n, at))
WRAP_FD(FIU_WRITE, ssize_t, pwrite64, (int fd, const void *buf, size_t n, off_t at),
        (fd, buf, n, at))
WRAP_FD(FIU_WRITE, ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP_FD(FIU_WRITE, ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at),
        (fd, v, n, at))
WRAP_FD(FIU_WRITE, ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off_t at),
        (fd, v, n, at))
WRAP_FD(FIU_WRITE, ssize_t, pwritev2, (int fd, const struct iovec *v, int n, off_t at, int flags),
        (fd, v, n, at, flags))
WRAP_FD(FIU_WRITE, ssize_t, pwritev64v2,
        (int fd, const struct iovec *v, int n, off_t at, int flags), (fd, v, n, at, flags))
WRAP_FD(FIU_FSYNC, int, fsync, (int fd), (fd))
WRAP_FD(FIU_FDATASYNC, int, fdatasync, (int fd), (fd))
WRAP_FD(FIU_SYNC_RANGE, int, sync_file_range, (int fd, off_t at, off_t n, unsigned flags),
        (fd, at, n, flags))
WRAP_FD(FIU_TRUNCATE, int, ftruncate, (int fd, off_t size), (fd, size))
WRAP_FD(FIU_TRUNCATE, int, ftruncate64, (int fd, off_t size), (fd, size))
WRAP_FD(FIU_ALLOCATE, int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
WRAP_FD(FIU_ALLOCATE, int, fallocate64, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
/* The file that is sent from is what fails; a socket has no path. */
WRAP_FD(FIU_SENDFILE, ssize_t, sendfile, (int out, int fd, off_t *at, size_t n), (out, fd, at, n))
WRAP_FD(FIU_SENDFILE, ssize_t, sendfile64, (int out, int fd, off_t *at, size_t n), (out, fd, at, n))

/* These return the error and leave errno alone. */
#define WRAP_POSIX_FALLOCATE(name)                                                                 \
    int name(int fd, off_t at, off_t n)                                                            \
    {                                                                                              \
        int error = preload_is_armed(FIU_ALLOCATE)                                                 \
                        ? preload_decide(FIU_ALLOCATE, &(struct preload_subject){.fd = fd})        \
                        : 0;                                                                       \
        return error != 0 ? error : NEXT(name)(fd, at, n);                                         \
    }
WRAP_POSIX_FALLOCATE(posix_fallocate)
WRAP_POSIX_FALLOCATE(posix_fallocate64)

#define WRAP_TRUNCATE(name)                                                                        \
    int name(const char *path, off_t size)                                                         \
    {                                                                                              \
        return preload_fails_path(FIU_TRUNCATE, AT_FDCWD, path, true) ? -1                         \
                                                                      : NEXT(name)(path, size);    \
    }
WRAP_TRUNCATE(truncate)
WRAP_TRUNCATE(truncate64)

/* A file that moves out of a directory takes its inode and its descriptors along. */
static bool rename_fails(int from_dir, const char *from, int to_dir, const char *to)
{
    if (preload_any_armed())
        preload_cache_forget_all();
    return preload_is_armed(FIU_RENAME) &&
           preload_fails(FIU_RENAME, &(struct preload_subject){
                                         .fd = from_dir, .path = from, .fd2 = to_dir, .path2 = to});
}

int rename(const char *from, const char *to)
{
    return rename_fails(AT_FDCWD, from, AT_FDCWD, to) ? -1 : NEXT(rename)(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return rename_fails(from_dir, from, to_dir, to) ? -1
                                                    : NEXT(renameat)(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return rename_fails(from_dir, from, to_dir, to)
               ? -1
               : NEXT(renameat2)(from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
    return preload_fails_path(FIU_UNLINK, AT_FDCWD, path, false) ? -1 : NEXT(unlink)(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    return preload_fails_path(FIU_UNLINK, dir, path, false) ? -1 : NEXT(unlinkat)(dir, path, flags);
}

int remove(const char *path)
{
    return preload_fails_path(FIU_UNLINK, AT_FDCWD, path, false) ? -1 : NEXT(remove)(path);
}

int rmdir(const char *path)
{
    return preload_fails_path(FIU_UNLINK, AT_FDCWD, path, false) ? -1 : NEXT(rmdir)(path);
}

int mkdir(const char *path, mode_t mode)
{
    return preload_fails_path(FIU_MKDIR, AT_FDCWD, path, false) ? -1 : NEXT(mkdir)(path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    return preload_fails_path(FIU_MKDIR, dir, path, false) ? -1 : NEXT(mkdirat)(dir, path, mode);
}
