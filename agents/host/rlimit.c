/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/rlimit.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int gone(const struct proc_id *id, struct err *err)
{
    return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended", id->pid);
}

/* Of the calling thread alone, and only the real ids: effective ones, and with them capabilities
 * and the tie to whoever started us, stay. */
static bool take_ids(uint32_t uid, uint32_t gid)
{
    return syscall(SYS_setresgid, gid, -1, -1) == 0 && syscall(SYS_setresuid, uid, -1, -1) == 0;
}

/* prlimit as the process' own owner. */
static int limit_as_owner(const struct fault_host *host, const struct proc_id *id,
                          const struct rlimit64 *new, struct rlimit64 *old, struct err *err)
{
    uint32_t uid, gid, own_uid = getuid(), own_gid = getgid();
    if (proc_owner(host, id, &uid, &gid, err) != 0)
        return -1;
    bool taken = take_ids(uid, gid);
    long rc = taken ? syscall(SYS_prlimit64, id->pid, RLIMIT_NOFILE, new, old) : -1;
    int number = errno;
    if (!take_ids(own_uid, own_gid) && taken)
        return make_error(err, ERR_SYSTEM, errno, "take our own ids again");
    if (rc == 0)
        return 0;
    if (number == ESRCH)
        return gone(id, err);
    return make_error(err, ERR_SYSTEM, number, "the limit on descriptors of process %d", id->pid);
}

int rlimit_read(const struct fault_host *host, const struct proc_id *id, uint64_t *ret_soft,
                struct err *err)
{
    struct rlimit64 now = {0};
    if (limit_as_owner(host, id, NULL, &now, err) != 0)
        return -1;
    *ret_soft = now.rlim_cur;
    return 0;
}

int rlimit_put(const struct fault_host *host, const struct proc_id *id, uint64_t soft,
               struct err *err)
{
    struct rlimit64 now = {0};
    if (limit_as_owner(host, id, NULL, &now, err) != 0)
        return -1;
    if (soft > now.rlim_max)
        return make_error(err, ERR_LIMIT, 0,
                          "process %d has a hard limit of %llu descriptors, below %llu", id->pid,
                          (unsigned long long)now.rlim_max, (unsigned long long)soft);
    now.rlim_cur = soft;
    return limit_as_owner(host, id, &now, NULL, err);
}

static int open_fds(const struct fault_host *host, const struct proc_id *id, struct proc_walk *walk,
                    bool *ret_has_0, struct err *err)
{
    char path[48];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%d/fd/0", id->pid);
    *ret_has_0 = fstatat(host->proc, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
    (void)snprintf(path, sizeof(path), "%d/fd", id->pid);
    return proc_walk_open(walk, host->proc, path, err);
}

int rlimit_count_free(const struct fault_host *host, const struct proc_id *id, uint64_t limit,
                      uint64_t *ret, struct err *err)
{
    bool has_0;
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (open_fds(host, id, &walk, &has_0, err) != 0)
        return -1;
    uint64_t used = has_0 && limit > 0 ? 1 : 0;
    for (int32_t fd; proc_walk_next(&walk, &fd);)
        used += (uint64_t)fd < limit;
    *ret = limit - used;
    return 0;
}

/* The kernel lists a process' descriptors by number, the lowest first. */
int rlimit_leave_free(const struct fault_host *host, const struct proc_id *id, uint64_t n,
                      uint64_t *ret, struct err *err)
{
    bool has_0;
    CLEANUP_WALK struct proc_walk walk = {.fd = -1};
    if (open_fds(host, id, &walk, &has_0, err) != 0)
        return -1;
    uint64_t next = has_0 ? 1 : 0, left = n; /* next: the lowest that was not looked at */
    for (int32_t fd; proc_walk_next(&walk, &fd);) {
        uint64_t between = (uint64_t)fd - next;
        if (between > left)
            break;
        left -= between;
        next = (uint64_t)fd + 1;
    }
    *ret = next + left;
    return 0;
}
