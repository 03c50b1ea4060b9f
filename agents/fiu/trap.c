/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/trap.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE AUDIT_ARCH_AARCH64
#else
#error "which audit architecture is this?"
#endif

#define ON_FD(name, of)                                                                            \
    {                                                                                              \
        .number = SYS_##name, .point = FIU_##of, .fd = 0, .path = TRAP_NO, .fd2 = TRAP_NO,         \
        .path2 = TRAP_NO, .flags = TRAP_NO                                                         \
    }
#define ON_PATH(name, of, dir, at, opened, last)                                                   \
    {                                                                                              \
        .number = SYS_##name, .point = FIU_##of, .fd = (dir), .path = (at), .fd2 = TRAP_NO,        \
        .path2 = TRAP_NO, .flags = (opened), .follow = (last)                                      \
    }
#define ON_PATHS(name, dir, at, dir2, at2)                                                         \
    {                                                                                              \
        .number = SYS_##name, .point = FIU_RENAME, .fd = (dir), .path = (at), .fd2 = (dir2),       \
        .path2 = (at2), .flags = TRAP_NO                                                           \
    }

static const struct trap_call calls[] = {
    ON_PATH(openat, OPEN, 0, 1, 2, true),
    ON_PATH(openat2, OPEN, 0, 1, TRAP_NO, true),
    ON_FD(fsync, FSYNC),
    ON_FD(fdatasync, FDATASYNC),
    ON_FD(write, WRITE),
    ON_FD(pwrite64, WRITE),
    ON_FD(writev, WRITE),
    ON_FD(pwritev, WRITE),
    ON_FD(pwritev2, WRITE),
    ON_FD(read, READ),
    ON_FD(pread64, READ),
    ON_FD(readv, READ),
    ON_FD(preadv, READ),
    ON_FD(preadv2, READ),
    ON_FD(sync_file_range, SYNC_RANGE),
    ON_FD(ftruncate, TRUNCATE),
    ON_FD(fallocate, ALLOCATE),
    ON_PATH(truncate, TRUNCATE, TRAP_NO, 0, TRAP_NO, true),
    ON_PATH(unlinkat, UNLINK, 0, 1, TRAP_NO, false),
    ON_PATH(mkdirat, MKDIR, 0, 1, TRAP_NO, false),
    ON_PATHS(renameat2, 0, 1, 2, 3),
#ifdef SYS_renameat
    ON_PATHS(renameat, 0, 1, 2, 3),
#endif
#ifdef SYS_open /* the older calls, which newer machines do not have */
    ON_PATH(open, OPEN, TRAP_NO, 0, 1, true),
    ON_PATH(creat, OPEN, TRAP_NO, 0, TRAP_NO, true),
    ON_PATH(unlink, UNLINK, TRAP_NO, 0, TRAP_NO, false),
    ON_PATH(rmdir, UNLINK, TRAP_NO, 0, TRAP_NO, false),
    ON_PATH(mkdir, MKDIR, TRAP_NO, 0, TRAP_NO, false),
    ON_PATHS(rename, TRAP_NO, 0, TRAP_NO, 1),
#endif
};
enum { N_CALLS = sizeof(calls) / sizeof(calls[0]), FILTER_MAX = N_CALLS + 8 };

const struct trap_call *trap_find(int number)
{
    for (size_t i = 0; i < N_CALLS; i++)
        if (calls[i].number == number)
            return &calls[i];
    return NULL;
}

/* Calls of another architecture's table have other numbers, and pass. */
static unsigned short filter_make(uint64_t points, struct sock_filter *out)
{
    int wanted[N_CALLS];
    unsigned n = 0, at = 0;
    for (size_t i = 0; i < N_CALLS; i++)
        if ((points & FIU_BIT(calls[i].point)) != 0)
            wanted[n++] = calls[i].number;
    const struct sock_filter head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    for (; at < sizeof(head) / sizeof(head[0]); at++)
        out[at] = head[at];
    for (unsigned i = 0; i < n; i++)
        out[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)wanted[i],
                                                 (uint8_t)(n - i), 0);
    out[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    out[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    return (unsigned short)at;
}

/*
 * Once the supervisor has taken a call up, only death ends its wait (WAIT_KILLABLE_RECV): Go's
 * runtime signals its own threads all the time, and each signal would begin the wait again. Without
 * SPEC_ALLOW the program would pay for mitigations that it does not pay for otherwise.
 */
int trap_install(uint64_t points, int *ret_listener, struct err *err)
{
    static const unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV |
                                       SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    struct sock_filter filter[FILTER_MAX];
    struct sock_fprog program = {.len = filter_make(points, filter), .filter = filter};
    *ret_listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (*ret_listener >= 0)
        return 0;
    if (errno == EINVAL || errno == ENOSYS)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "this kernel cannot trap calls for a supervisor (it needs 5.19)");
    if (errno == EBUSY)
        return make_error(
            err, ERR_UNSUPPORTED, 0,
            "calls cannot be trapped: whatever started Blackstart traps them already, "
            "and the kernel allows one supervisor");
    return make_error(err, ERR_SYSTEM, errno, "trap the calls of a program");
}
