/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostexec.h"

#include "agents/fiu/supervisor.h"
#include "base/cleanup.h"
#include "lab/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* With these the root of a host could reach past its namespaces. */
static const int forbidden[] = {
    CAP_SYS_MODULE, CAP_SYS_RAWIO,     CAP_SYS_BOOT, CAP_SYS_TIME,  CAP_SYS_ADMIN,
    CAP_MKNOD,      CAP_AUDIT_CONTROL, CAP_SYSLOG,   CAP_MAC_ADMIN, CAP_MAC_OVERRIDE,
    CAP_WAKE_ALARM, CAP_BLOCK_SUSPEND, CAP_PERFMON,  CAP_BPF,       CAP_DAC_READ_SEARCH,
    CAP_AUDIT_READ, CAP_SYS_RESOURCE,
};

static int drop_capabilities(struct err *err)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if (prctl(PR_CAPBSET_DROP, forbidden[i], 0, 0, 0) != 0 && errno != EINVAL)
            return make_error(err, ERR_SYSTEM, errno, "give up a capability");
    return 0;
}

static int write_map(const char *path, const char *text)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

/*
 * With a single mapped id no other user exists. A user namespace inside, in which that id bears the
 * user's number, is as near as it gets: the program sees itself as that user, and so it sees its
 * files.
 */
static int become_in_namespace(const struct user *user, struct err *err)
{
    char uids[64], gids[64];
    (void)snprintf(uids, sizeof(uids), "%u 0 1", user->uid);
    (void)snprintf(gids, sizeof(gids), "%u 0 1", user->gid);
    if (unshare(CLONE_NEWUSER) != 0 || write_map("/proc/self/setgroups", "deny") != 0 ||
        write_map("/proc/self/uid_map", uids) != 0 || write_map("/proc/self/gid_map", gids) != 0)
        return make_error(err, ERR_SYSTEM, errno, "become user %s without root", user->name);
    return 0;
}

static int become(const struct lab_context *lab, const struct user *user, struct err *err)
{
    if (user == NULL)
        user = users_find(&lab->users, "root");
    if (user == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "the host has no root user");
    if (lab->rootless && !lab->id_range)
        return user->uid != 0 ? become_in_namespace(user, err) : 0;
    if (setgroups(user->n_groups, user->groups) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0)
        return make_error(err, ERR_SYSTEM, errno, "become user %s", user->name);
    return 0;
}

static void set_limit(int which, uint32_t value)
{
    if (value == 0)
        return;
    struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
    /* Above the hard limit without CAP_SYS_RESOURCE: as much as there is. */
    if (setrlimit((__rlimit_resource_t)which, &limit) != 0) {
        (void)getrlimit((__rlimit_resource_t)which, &limit);
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit((__rlimit_resource_t)which, &limit);
    }
}

static int set_environment(const struct hostexec *how)
{
    const char *name = how->user != NULL ? how->user->name : "root";
    const char *home = how->user != NULL ? how->user->home : "/root";
    const char *term = getenv("TERM");
    char kept[64];
    (void)snprintf(kept, sizeof(kept), "%s", term != NULL ? term : "dumb");
    if (clearenv() != 0 || setenv("PATH", HOSTEXEC_PATH, 1) != 0 || setenv("HOME", home, 1) != 0 ||
        setenv("USER", name, 1) != 0 || setenv("LOGNAME", name, 1) != 0 ||
        setenv("LANG", "C.UTF-8", 1) != 0 || setenv("TERM", kept, 1) != 0)
        return -1;
    for (size_t i = 0; how->env != NULL && how->env[i] != NULL; i++)
        if (putenv(how->env[i]) != 0)
            return -1;
    return 0;
}

static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    for (int s = 1; s < NSIG; s++)
        (void)sigaction(s, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_fail(const char *what, const char *which)
{
    char line[ERR_MSG_MAX + 64];
    int n = snprintf(line, sizeof(line), "blackstart: cannot run %s: %s\n", which, what);
    if (n > 0)
        (void)!write(STDERR_FILENO, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    _exit(127);
}

void hostexec_replace(const struct lab_context *lab, const struct hostexec *how)
{
    struct err err;
    reset_signals();
    set_limit(RLIMIT_NOFILE, how->open_files);
    set_limit(RLIMIT_NPROC, how->processes);
    /* While it still may: a user other than root can set a filter only by giving up set-user-id. */
    if (how->trap_points != 0 && supervisor_enter(how->trap_socket, how->trap_points, &err) != 0)
        child_fail(err.msg, how->argv[0]);
    if (drop_capabilities(&err) != 0 || become(lab, how->user, &err) != 0)
        child_fail(err.msg, how->argv[0]);
    if (chdir(how->workdir != NULL ? how->workdir : "/") != 0)
        child_fail("its working directory is not there", how->argv[0]);
    if (set_environment(how) != 0)
        child_fail("no memory", how->argv[0]);
    (void)execvp(how->argv[0], how->argv);
    child_fail(strerror(errno), how->argv[0]);
}

static _Noreturn void child_run(const struct lab_context *lab, const struct hostexec *how)
{
    (void)setsid();
    int null = open("/dev/null", O_RDONLY);
    if (null > 0 && null != how->out_fd)
        (void)dup2(null, STDIN_FILENO);
    if (dup2(how->out_fd, STDOUT_FILENO) < 0 || dup2(how->out_fd, STDERR_FILENO) < 0)
        _exit(127);
    if (how->group_fds != NULL)
        cgroup_enter(how->group_fds);
    struct hostexec kept = *how;
    if (how->trap_points != 0) {
        kept.trap_socket = 3;
        if (dup2(how->trap_socket, kept.trap_socket) < 0)
            _exit(127);
    }
    (void)syscall(SYS_close_range, how->trap_points != 0 ? 4U : 3U, ~0U, 0U);
    hostexec_replace(lab, &kept);
}

int hostexec_start(const struct lab_context *lab, const struct hostexec *how, pid_t *ret,
                   struct err *err)
{
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "start %s", how->argv[0]);
    if (pid == 0)
        child_run(lab, how);
    *ret = pid;
    return 0;
}
