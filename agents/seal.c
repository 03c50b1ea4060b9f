/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/seal.h"

#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

static void free_caps(cap_t *caps)
{
    if (*caps != NULL)
        (void)cap_free(*caps);
}

static void free_filter(scmp_filter_ctx *filter)
{
    if (*filter != NULL)
        seccomp_release(*filter);
}

static int keep_caps(uint64_t keep, struct err *err)
{
    __attribute__((cleanup(free_caps))) cap_t have = cap_get_proc();
    if (have == NULL)
        return make_error(err, ERR_SYSTEM, errno, "read our capabilities");
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++) {
        cap_flag_value_t permitted = CAP_CLEAR;
        if (cap_get_flag(have, cap, CAP_PERMITTED, &permitted) != 0)
            continue; /* unknown to this kernel */
        bool stays = permitted == CAP_SET && (keep >> cap & 1) != 0;
        cap_flag_value_t value = stays ? CAP_SET : CAP_CLEAR;
        (void)cap_set_flag(have, CAP_PERMITTED, 1, &cap, value);
        (void)cap_set_flag(have, CAP_EFFECTIVE, 1, &cap, value);
        (void)cap_set_flag(have, CAP_INHERITABLE, 1, &cap, CAP_CLEAR);
    }
    if (cap_set_proc(have) != 0)
        return make_error(err, ERR_SYSTEM, errno, "give up capabilities");
    return 0;
}

static int load_filter(uint32_t otherwise, uint32_t listed, const int *calls, size_t n,
                       struct err *err)
{
    __attribute__((cleanup(free_filter))) scmp_filter_ctx filter = seccomp_init(otherwise);
    if (filter == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "seccomp");
    for (size_t i = 0; i < n; i++) {
        int rc = seccomp_rule_add(filter, listed, calls[i], 0);
        if (rc != 0)
            return make_error(err, ERR_SYSTEM, -rc, "seccomp rule");
    }
    int rc = seccomp_load(filter); /* sets no_new_privs */
    return rc == 0 ? 0 : make_error(err, ERR_SYSTEM, -rc, "load the seccomp filter");
}

int seal_privileged(uint64_t caps, struct err *err)
{
    static const int denied[] = {
        SCMP_SYS(execve),       SCMP_SYS(execveat),   SCMP_SYS(listen),  SCMP_SYS(accept),
        SCMP_SYS(accept4),      SCMP_SYS(setns),      SCMP_SYS(unshare), SCMP_SYS(init_module),
        SCMP_SYS(finit_module), SCMP_SYS(kexec_load), SCMP_SYS(reboot),  SCMP_SYS(swapon),
    };
    if (keep_caps(caps, err) != 0)
        return -1;
    return load_filter(SCMP_ACT_ALLOW, SCMP_ACT_ERRNO(EPERM), denied,
                       sizeof(denied) / sizeof(denied[0]), err);
}

/* Where only one uid is mapped (a rootless lab) the change is refused, and the filter below is what
 * keeps netside from the others. */
static bool take_own_uid(void)
{
    return setgroups(0, NULL) == 0 && setresgid(SEAL_UID, SEAL_UID, SEAL_UID) == 0 &&
           setresuid(SEAL_UID, SEAL_UID, SEAL_UID) == 0;
}

int seal_netside(bool *ret_own_uid, struct err *err)
{
    static const int allowed[] = {
        SCMP_SYS(read),         SCMP_SYS(write),
        SCMP_SYS(writev),       SCMP_SYS(recvmsg),
        SCMP_SYS(sendmsg),      SCMP_SYS(recvfrom),
        SCMP_SYS(sendto),       SCMP_SYS(poll),
        SCMP_SYS(ppoll),        SCMP_SYS(brk),
        SCMP_SYS(mmap),         SCMP_SYS(munmap),
        SCMP_SYS(mremap),       SCMP_SYS(madvise),
        SCMP_SYS(futex),        SCMP_SYS(close),
        SCMP_SYS(exit),         SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(clock_gettime),
        SCMP_SYS(getrandom),    SCMP_SYS(restart_syscall),
        SCMP_SYS(uname),
    };
    *ret_own_uid = take_own_uid();
    if (keep_caps(0, err) != 0)
        return -1;
    /* After the change of uid, which clears it: a stopped netside goes with privside. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return make_error(err, ERR_SYSTEM, errno, "prctl");
    return load_filter(SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW, allowed,
                       sizeof(allowed) / sizeof(allowed[0]), err);
}
