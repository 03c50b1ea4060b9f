/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "cmd/doctor.h"
#include "lab/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

/* Runs a trial in a child; its result is an errno, 0 when it went well. */
static int try_in_child(int (*trial)(void))
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(trial());
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

static int own_network(void)
{
    int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);
    return unshare(flags) == 0 ? 0 : errno;
}

static int own_users(void)
{
    return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

/* Sends one rtnetlink request and returns the kernel's answer. */
static int ask_kernel(struct nl_msg *msg)
{
    CLEANUP_FD int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct nlmsghdr *h = nlmsg_hdr(msg);
    char answer[8192];
    h->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    if (fd < 0 || send(fd, h, h->nlmsg_len, 0) < 0)
        return errno;
    ssize_t n = recv(fd, answer, sizeof(answer), 0);
    struct nlmsghdr head;
    struct nlmsgerr error;
    if (n < (ssize_t)(NLMSG_HDRLEN + sizeof(error)))
        return EPROTO;
    memcpy(&head, answer, sizeof(head));
    memcpy(&error, answer + NLMSG_HDRLEN, sizeof(error));
    return head.nlmsg_type == NLMSG_ERROR ? -error.error : EPROTO;
}

static int try_netem(void)
{
    int failed = own_network();
    if (failed != 0)
        return failed;
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL);
    struct tcmsg tc = {.tcm_ifindex = 1, .tcm_parent = TC_H_ROOT};
    struct tc_netem_qopt options = {.limit = 1000};
    if (msg == NULL || nlmsg_append(msg, &tc, sizeof(tc), NLMSG_ALIGNTO) != 0 ||
        nla_put_string(msg, TCA_KIND, "netem") != 0 ||
        nla_put(msg, TCA_OPTIONS, sizeof(options), &options) != 0)
        return ENOMEM;
    return ask_kernel(msg);
}

static int try_ifb(void)
{
    int failed = own_network();
    if (failed != 0)
        return failed;
    struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    struct ifinfomsg info = {.ifi_flags = 0};
    if (msg == NULL || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) != 0 ||
        nla_put_string(msg, IFLA_IFNAME, "blackstart9") != 0)
        return ENOMEM;
    struct nlattr *kind = nla_nest_start(msg, IFLA_LINKINFO);
    if (kind == NULL || nla_put_string(msg, IFLA_INFO_KIND, "ifb") != 0)
        return ENOMEM;
    nla_nest_end(msg, kind);
    return ask_kernel(msg);
}

static int try_ptrace(void)
{
    pid_t pid = fork();
    if (pid == 0)
        for (;;)
            (void)pause();
    int status, failed = 0;
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || waitpid(pid, &status, 0) != pid ||
        !WIFSTOPPED(status))
        failed = errno != 0 ? errno : EPROTO;
    (void)kill(pid, SIGKILL);
    return failed;
}

static void add_rights(struct doctor *d)
{
    struct utsname u;
    (void)uname(&u);
    doctor_add(d, "machine", "kernel", DOCTOR_YES, false, "Linux %s, %s", u.release, u.machine);
    if (geteuid() == 0) {
        doctor_add(d, "machine", "rights", DOCTOR_YES, true, "root");
        return;
    }
    int failed = try_in_child(own_users);
    if (failed == 0)
        doctor_add(d, "machine", "rights", DOCTOR_LIMITED, true,
                   "an ordinary user, with user namespaces: labs work; without cgroups, and "
                   "services share one id");
    else
        doctor_add(d, "machine", "rights", DOCTOR_NO, true,
                   "an ordinary user, and no user namespaces (%s): run as root, or let root set "
                   "user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
                   "kernel.apparmor_restrict_unprivileged_userns=0",
                   strerror(failed));
}

static void add_trial(struct doctor *d, const char *name, int (*trial)(void), bool needed,
                      const char *good, const char *bad)
{
    int failed = try_in_child(trial);
    if (failed == 0)
        doctor_add(d, "kernel", name, DOCTOR_YES, needed, "%s", good);
    else
        doctor_add(d, "kernel", name, DOCTOR_NO, needed, "%s (%s)", bad, strerror(failed));
}

static bool is_writable(const char *path)
{
    return access(path, W_OK) == 0;
}

static void add_cgroups(struct doctor *d)
{
    bool pure = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
    bool hybrid = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0;
    const char *kind = pure ? "version 2" : hybrid ? "version 1 and 2 (hybrid)" : "version 1";
    bool groups =
        is_writable(pure ? "/sys/fs/cgroup/cgroup.procs" : "/sys/fs/cgroup/unified/cgroup.procs");
    bool memory = pure ? groups : is_writable("/sys/fs/cgroup/memory/cgroup.procs");
    if (groups && memory)
        doctor_add(d, "kernel", "cgroups", DOCTOR_YES, false, "%s, with memory limits", kind);
    else
        doctor_add(d, "kernel", "cgroups", DOCTOR_LIMITED, false,
                   "%s, %s: services run %s memory limits", kind,
                   groups ? "without a memory controller of ours" : "not ours to write",
                   memory ? "with" : "without");
}

/* A kernel that tells how large its notifications are has them: seccomp(2). */
static void add_trap(struct doctor *d)
{
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0)
        doctor_add(d, "kernel", "trap", DOCTOR_YES, false,
                   "seccomp notifications: file faults for Go and static programs, started with "
                   "`faults: seccomp`");
    else
        doctor_add(d, "kernel", "trap", DOCTOR_NO, false,
                   "no seccomp notifications (%s): file faults cannot reach Go and static programs",
                   strerror(errno));
}

static size_t count_layers(const char *cache)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s/layers", cache);
    CLEANUP_DIR DIR *dir = opendir(path);
    size_t n = 0;
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL)
        n += e->d_name[0] != '.';
    return n;
}

static bool has_program(const char *name)
{
    static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"};
    char path[64];
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static void add_packages(struct doctor *d)
{
    char cache[PATH_MAX];
    struct err err;
    if (layer_cache_dir(cache, sizeof(cache), &err) != 0) {
        doctor_add(d, "machine", "packages", DOCTOR_NO, true, "%s", err.msg);
        return;
    }
    size_t n = count_layers(cache);
    bool tools = has_program("apt-get") && has_program("dpkg-deb") && has_program("tar");
    enum doctor_state state = tools ? DOCTOR_YES : n != 0 ? DOCTOR_LIMITED : DOCTOR_NO;
    doctor_add(d, "machine", "packages", state, true, "%zu layer%s in %s%s", n, n == 1 ? "" : "s",
               cache,
               tools ? "; more are fetched with apt-get when a lab asks for them"
                     : "; no more can be made: apt-get, dpkg-deb and tar are needed");
}

static void add_id_range(struct doctor *d)
{
    if (geteuid() == 0)
        return;
    doctor_add(d, "machine", "id range", DOCTOR_LIMITED, false,
               "labs of an ordinary user have one id (a range in /etc/subuid is not used): each "
               "service sees itself as its own user, but one that changes users while it runs "
               "cannot; run as root for that");
}

void doctor_examine_machine(struct doctor *d)
{
    add_rights(d);
    add_id_range(d);
    add_packages(d);
    add_trial(d, "network namespaces", own_network, true, "can be made",
              "cannot be made: no labs here; look at the limit user.max_net_namespaces");
    add_trial(d, "netem", try_netem, false, "delay, reorder and corrupt use it",
              "the kernel has no netem: the faults below say what works without it; load sch_netem "
              "to have it");
    add_trial(d, "ifb", try_ifb, false, "shaping can use it",
              "the kernel has no ifb: no shaping; load ifb to have it");
    add_trial(d, "ptrace", try_ptrace, false, "pauses heal themselves when the agent dies",
              "not allowed: pauses cannot heal themselves");
    add_cgroups(d);
    add_trap(d);
}
