/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions that the wrappers stand in front of: libc's own, or those of a library preloaded
 * after ours. Calling them, and not the kernel, keeps what libc promises: cancellation points,
 * errno, its own bookkeeping. One list, from which table and look-up derive.
 */
#ifndef BLACKSTART_AGENTS_FIU_PRELOAD_NEXT_H
#define BLACKSTART_AGENTS_FIU_PRELOAD_NEXT_H

#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Fortified variants: what programs built with _FORTIFY_SOURCE call. libc's headers hide them. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __openat64_2(int dir, const char *path, int flags);
ssize_t __read_chk(int fd, void *buf, size_t n, size_t room);
ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t room);
ssize_t __pread64_chk(int fd, void *buf, size_t n, off_t at, size_t room);
ssize_t __recv_chk(int fd, void *buf, size_t n, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t room, int flags, struct sockaddr *from,
                       socklen_t *len);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask,
                size_t room);
size_t __fread_chk(void *buf, size_t room, size_t size, size_t n, FILE *f);
char *__fgets_chk(char *buf, size_t room, int n, FILE *f);
int __fprintf_chk(FILE *f, int flag, const char *format, ...);
int __vfprintf_chk(FILE *f, int flag, const char *format, va_list list);

/* clang-format off */
#define PRELOAD_NEXT(X) \
    X(open) X(open64) X(openat) X(openat64) X(creat) X(creat64) X(fopen) X(fopen64) X(freopen) \
    X(freopen64) X(__open_2) X(__open64_2) X(__openat_2) X(__openat64_2) \
    X(mkstemp) X(mkstemp64) X(mkostemp) X(mkostemp64) X(mkstemps) X(mkstemps64) X(mkostemps) \
    X(mkostemps64) X(close) X(dup) X(dup2) X(dup3) X(close_range) \
    X(read) X(pread) X(pread64) X(readv) X(preadv) X(preadv64) X(preadv2) X(preadv64v2) \
    X(__read_chk) X(__pread_chk) X(__pread64_chk) \
    X(write) X(pwrite) X(pwrite64) X(writev) X(pwritev) X(pwritev64) X(pwritev2) X(pwritev64v2) \
    X(fsync) X(fdatasync) X(sync_file_range) X(truncate) X(truncate64) X(ftruncate) \
    X(ftruncate64) X(fallocate) X(fallocate64) X(posix_fallocate) X(posix_fallocate64) \
    X(rename) X(renameat) X(renameat2) X(unlink) X(unlinkat) X(remove) X(rmdir) X(mkdir) \
    X(mkdirat) X(sendfile) X(sendfile64) \
    X(socket) X(bind) X(listen) X(connect) X(accept) X(accept4) X(send) X(sendto) X(sendmsg) \
    X(sendmmsg) X(recv) X(recvfrom) X(recvmsg) X(recvmmsg) X(__recv_chk) X(__recvfrom_chk) \
    X(poll) X(ppoll) X(__poll_chk) X(__ppoll_chk) X(select) X(pselect) X(epoll_wait) \
    X(epoll_pwait) X(epoll_pwait2) \
    X(fread) X(fread_unlocked) X(__fread_chk) X(fgets) X(fgets_unlocked) X(__fgets_chk) X(fgetc) \
    X(getc) X(getline) X(getdelim) X(__getdelim) \
    X(fwrite) X(fwrite_unlocked) X(fputs) X(fputs_unlocked) X(fputc) X(putc) X(fprintf) \
    X(vfprintf) X(__fprintf_chk) X(__vfprintf_chk) X(fflush) X(fflush_unlocked) X(fclose) \
    X(clock_gettime) X(gettimeofday) X(time) X(timespec_get) X(syscall)
/* clang-format on */

/* All else in the library is hidden. */
#define PRELOAD_EXPORT(name) extern __typeof__(name) name __attribute__((visibility("default")));
PRELOAD_NEXT(PRELOAD_EXPORT)
#undef PRELOAD_EXPORT

struct preload_next {
#define PRELOAD_MEMBER(name) __typeof__(&(name)) call_##name;
    PRELOAD_NEXT(PRELOAD_MEMBER)
#undef PRELOAD_MEMBER
};

extern struct preload_next preload_next;

/* Fills the table: at load, or earlier when another library's constructor calls first. */
void preload_next_find(void);

/* The last entry is filled last. */
static inline const struct preload_next *preload_next_get(void)
{
    if (__builtin_expect(preload_next.call_syscall == NULL, 0))
        preload_next_find();
    return &preload_next;
}

#define NEXT(name) (preload_next_get()->call_##name)

#endif
