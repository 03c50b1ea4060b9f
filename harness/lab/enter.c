/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/enter.h"

#include "base/cleanup.h"
#include "lab/hostexec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A lab without root has a user namespace of its own, which comes first. */
static int user_flag(pid_t init)
{
    char path[64];
    struct stat theirs, ours;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)init);
    if (stat(path, &theirs) != 0 || stat("/proc/self/ns/user", &ours) != 0)
        return 0;
    return theirs.st_ino != ours.st_ino ? CLONE_NEWUSER : 0;
}

static int join(const struct registry_process *init, int flags, struct err *err)
{
    CLEANUP_FD int pidfd = -1;
    if (registry_open(init, &pidfd, err) != 0)
        return -1;
    if (setns(pidfd, flags | user_flag(init->pid)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter the host's namespaces");
    return 0;
}

int enter_network(const struct registry_process *init, struct err *err)
{
    return join(init, CLONE_NEWNET, err);
}

static int join_all(const struct registry_process *init, struct err *err)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/root", (int)init->pid);
    CLEANUP_FD int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the host's root");
    if (join(init, CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC, err) !=
        0)
        return -1;
    /* Where the init moved its root instead of pivoting, the namespace's own root is another. */
    if (fchdir(root) != 0 || chroot(".") != 0 || chdir("/") != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter the host's root");
    return 0;
}

static _Noreturn void run_inside(const struct enter_how *how, struct lab_context *lab)
{
    static const struct lab_spec nothing;
    struct err err;
    lab->rootless = how->one_id;
    const struct user *user = NULL;
    /* After a fault deleted /etc there is still root. */
    if (users_load(&lab->users, "/etc/passwd", "/etc/group", &nothing, &err) == 0)
        user = users_find(&lab->users, how->user);
    if (user == NULL && how->user != NULL) {
        (void)fprintf(stderr, "blackstart: the host has no user %s\n", how->user);
        _exit(126);
    }
    static const struct user root = {.name = "root", .home = "/root"};
    const struct hostexec command = {.argv = (char *const *)(uintptr_t)how->words,
                                     .user = user != NULL ? user : &root};
    hostexec_replace(lab, &command);
}

int enter_run(const struct registry_process *init, const struct enter_how *how, int *ret_status,
              struct err *err)
{
    if (join_all(init, err) != 0)
        return -1;
    struct lab_context *lab = calloc(1, sizeof(*lab));
    CLEANUP_FREE void *held = lab;
    if (lab == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    /* A pid namespace is entered by children only. */
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "start the command in the host");
    if (pid == 0)
        run_inside(how, lab);
    /* Ctrl-C and Ctrl-\ are the command's to act on. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return make_error(err, ERR_SYSTEM, errno, "wait for the command");
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return 0;
}
