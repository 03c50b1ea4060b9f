/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libc's syscall(): the same points for programs that go around the named functions. Which argument
 * is the descriptor and which the path stands in a table; what is not in it goes straight on.
 */
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_clock.h"
#include "agents/fiu/preload_next.h"

#include <stdarg.h>
#include <sys/syscall.h>

enum { NONE = -1 };

static const struct entry {
    short nr;
    signed char point, fd, path; /* fd with a path: the directory where it starts */
} entries[] = {
    {SYS_openat, FIU_OPEN, 0, 1},
    {SYS_openat2, FIU_OPEN, 0, 1},
    {SYS_read, FIU_READ, 0, NONE},
    {SYS_pread64, FIU_READ, 0, NONE},
    {SYS_readv, FIU_READ, 0, NONE},
    {SYS_preadv, FIU_READ, 0, NONE},
    {SYS_preadv2, FIU_READ, 0, NONE},
    {SYS_write, FIU_WRITE, 0, NONE},
    {SYS_pwrite64, FIU_WRITE, 0, NONE},
    {SYS_writev, FIU_WRITE, 0, NONE},
    {SYS_pwritev, FIU_WRITE, 0, NONE},
    {SYS_pwritev2, FIU_WRITE, 0, NONE},
    {SYS_fsync, FIU_FSYNC, 0, NONE},
    {SYS_fdatasync, FIU_FDATASYNC, 0, NONE},
    {SYS_sync_file_range, FIU_SYNC_RANGE, 0, NONE},
    {SYS_ftruncate, FIU_TRUNCATE, 0, NONE},
    {SYS_fallocate, FIU_ALLOCATE, 0, NONE},
    {SYS_unlinkat, FIU_UNLINK, 0, 1},
    {SYS_mkdirat, FIU_MKDIR, 0, 1},
    {SYS_socket, FIU_SOCKET, NONE, NONE},
    {SYS_bind, FIU_BIND, 0, NONE},
    {SYS_listen, FIU_LISTEN, 0, NONE},
    {SYS_accept4, FIU_ACCEPT, 0, NONE},
    {SYS_sendmsg, FIU_SEND, 0, NONE},
    {SYS_sendmmsg, FIU_SEND, 0, NONE},
    {SYS_recvfrom, FIU_RECV, 0, NONE},
    {SYS_recvmsg, FIU_RECV, 0, NONE},
};

static bool known_fails(const struct entry *e, const long *a)
{
    const struct preload_subject subject = {.fd = e->fd == NONE ? -1 : (int)a[e->fd],
                                            .path =
                                                e->path == NONE ? NULL : (const char *)a[e->path],
                                            .follow = e->point == FIU_OPEN};
    return preload_is_armed((enum fiu_point)e->point) &&
           preload_fails((enum fiu_point)e->point, &subject);
}

static bool call_fails(long nr, const long *a)
{
    if (nr == SYS_renameat2)
        return preload_is_armed(FIU_RENAME) &&
               preload_fails(FIU_RENAME, &(struct preload_subject){.fd = (int)a[0],
                                                                   .path = (const char *)a[1],
                                                                   .fd2 = (int)a[2],
                                                                   .path2 = (const char *)a[3]});
    if (nr == SYS_connect)
        return preload_is_armed(FIU_CONNECT) &&
               preload_fails(FIU_CONNECT, &(struct preload_subject){.fd = (int)a[0],
                                                                    .to = (const void *)a[1],
                                                                    .to_len = (uint32_t)a[2]});
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        if (entries[i].nr == nr)
            return known_fails(&entries[i], a);
    return false;
}

/* Whatever it did to descriptors and names: what is kept is asked anew. Clocks are shifted. */
static void call_done(long nr, const long *a)
{
    static const short moving[] = {SYS_openat,    SYS_openat2, SYS_close,      SYS_dup3,
                                   SYS_renameat2, SYS_connect, SYS_close_range};
    for (size_t i = 0; i < sizeof(moving) / sizeof(moving[0]); i++)
        if (moving[i] == nr)
            preload_cache_forget_all();
    if (nr == SYS_clock_gettime)
        preload_clock_add(a[0], (struct timespec *)a[1]);
    else if (nr == SYS_gettimeofday)
        preload_clock_add_val((struct timeval *)a[0]);
}

long syscall(long nr, ...)
{
    long a[6];
    va_list list;
    va_start(list, nr);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (!preload_any_armed())
        return NEXT(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (call_fails(nr, a))
        return -1;
    long rc = NEXT(syscall)(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (rc >= 0)
        call_done(nr, a);
    return rc;
}
