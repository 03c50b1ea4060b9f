/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/change.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Calls that look, or whose effect dies with the process. A close is among them: death closes too.
 */
static const long looks[] = {
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fstatfs,
    SYS_lseek,
    SYS_getdents64,
    SYS_readlinkat,
    SYS_readlink,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_access,
    SYS_flistxattr,
    SYS_fgetxattr,
    SYS_getpid,
    SYS_gettid,
    SYS_getppid,
    SYS_getuid,
    SYS_geteuid,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_poll,
    SYS_ppoll,
    SYS_epoll_wait,
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_munmap,
    SYS_brk,
    SYS_mprotect,
    SYS_madvise,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_dup,
    SYS_dup3,
    SYS_fcntl,
    SYS_getrandom,
    SYS_sched_yield,
    SYS_uname,
    SYS_getsockname,
    SYS_getsockopt,
    SYS_socket,
    SYS_prlimit64,
    SYS_sysinfo,
    SYS_pidfd_open,
    SYS_futex,
    SYS_getcwd,
    SYS_arch_prctl,
    SYS_set_tid_address,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_getpriority,
    SYS_sched_getscheduler,
    SYS_sched_getparam,
    SYS_pread64,
};

static bool is_regular(pid_t victim, uint64_t fd)
{
    char path[64], to[PATH_MAX];
    (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)victim, (int)fd);
    ssize_t n = readlink(path, to, sizeof(to));
    return n > 0 && to[0] == '/';
}

static bool makes_file(uint64_t flags)
{
    return (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
}

static bool makes_file_as(pid_t victim, uint64_t at)
{
    struct open_how how;
    struct iovec here = {&how, sizeof(how)}, there = {(void *)(uintptr_t)at, sizeof(how)};
    return process_vm_readv(victim, &here, 1, &there, 1, 0) != (ssize_t)sizeof(how) ||
           makes_file(how.flags);
}

/* What is taken from a socket or a pipe is gone from there; a lock on a file is seen by others. */
bool change_is_made(pid_t victim, const struct __ptrace_syscall_info *info)
{
    const uint64_t *args = (const uint64_t *)info->entry.args;
    long number = (long)info->entry.nr;
    if (number == SYS_openat)
        return makes_file(args[2]);
    if (number == SYS_openat2)
        return makes_file_as(victim, args[2]);
    if (number == SYS_read)
        return !is_regular(victim, args[0]);
    if (number == SYS_mmap)
        return (args[3] & MAP_SHARED) != 0;
    if (number == SYS_fcntl)
        return args[1] == F_SETLK || args[1] == F_SETLKW || args[1] == F_OFD_SETLK;
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (looks[i] == number)
            return false;
    return true;
}
