/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/fabric.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/cgroup.h"
#include "lab/fabricspawn.h"
#include "lab/hostinit.h"
#include "lab/hostnet.h"
#include "lab/hostroot.h"
#include "lab/servicefiles.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const int64_t start_limit_ns = 30 * NS_PER_SEC;

struct fabric {
    struct lab_context *lab;
    int control_fd, signal_fd, home_fd, bridge;
    struct fabricspawn_host hosts[LAB_HOSTS_MAX];
    int host_fds[LAB_HOSTS_MAX]; /* sockets to the inits */
    bool ready[LAB_HOSTS_MAX];
};

static int open_signals(int *ret, struct err *err)
{
    sigset_t watched;
    sigfillset(&watched);
    (void)sigprocmask(SIG_SETMASK, &watched, NULL);
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, SIGTERM);
    *ret = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*ret < 0)
        return make_error(err, ERR_SYSTEM, errno, "watch for signals");
    return 0;
}

/* The caller writes the maps: only a process outside may. */
static int enter_user_namespace(int sync_fd, struct err *err)
{
    char byte = 'u';
    if (unshare(CLONE_NEWUSER) != 0)
        return make_error(err, ERR_UNSUPPORTED, errno,
                          "this kernel gives an ordinary user no user namespace");
    if (write(sync_fd, &byte, 1) != 1 || read(sync_fd, &byte, 1) != 1 || byte != 'm')
        return make_error(err, ERR_UNSUPPORTED, 0, "the user namespace got no id map");
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
        return make_error(err, ERR_SYSTEM, errno, "become root of the user namespace");
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* a change of ids takes it away */
    return 0;
}

static int enter_namespaces(struct fabric *f, int sync_fd, struct err *err)
{
    if (f->lab->rootless && enter_user_namespace(sync_fd, err) != 0)
        return -1;
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make the lab's namespaces");
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 && !f->lab->rootless)
        return make_error(err, ERR_SYSTEM, errno,
                          "make the lab's mounts private (is / a mount point here?)");
    (void)hostnet_prepare_ipv6(false);
    f->home_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (f->home_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the lab's network namespace");
    return hostnet_make_bridge(&f->bridge, err);
}

static int clone_host(struct fabric *f, size_t i, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a socket pair");
    CLEANUP_FD int inner = ends[1];
    f->host_fds[i] = ends[0];
    const unsigned long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | SIGCHLD;
    pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "make the namespaces of host %s",
                          f->lab->hosts[i].spec->name);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(f->control_fd);
        (void)close(f->signal_fd);
        (void)close(f->lab->lock_fd);
        for (size_t k = 0; k <= i; k++)
            (void)close(f->host_fds[k]);
        hostinit_run(f->lab, i, inner);
    }
    f->hosts[i].init = pid;
    return 0;
}

/* What an init sent: a letter, or its error. */
static int take_word(struct fabric *f, size_t i, char *ret, struct err *err)
{
    struct err theirs;
    ssize_t n = recv(f->host_fds[i], &theirs, sizeof(theirs), 0);
    if (n == (ssize_t)sizeof(theirs)) {
        *err = theirs;
        return -1;
    }
    if (n != 1)
        return make_error(err, ERR_SYSTEM, 0, "the init of host %s ended",
                          f->lab->hosts[i].spec->name);
    *ret = ((const char *)&theirs)[0];
    return 0;
}

static int open_in_proc(pid_t pid, const char *leaf, int flags, int *ret, struct err *err)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, leaf);
    *ret = open(path, flags | O_CLOEXEC);
    if (*ret < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    return 0;
}

static int host_spoke(struct fabric *f, size_t i, size_t *which, size_t *n_linkable,
                      size_t *n_ready, struct err *err)
{
    char word = 0;
    if (take_word(f, i, &word, err) != 0)
        return -1;
    if (word == 'n') {
        which[(*n_linkable)++] = i;
        if (open_in_proc(f->hosts[i].init, "ns/net", O_RDONLY, &f->hosts[i].net_fd, err) == 0)
            return 0;
        (void)take_word(f, i, &word, err); /* it has ended, and says why */
        return -1;
    }
    f->ready[i] = true;
    (*n_ready)++;
    return open_in_proc(f->hosts[i].init, "root", O_PATH | O_DIRECTORY, &f->hosts[i].root_fd, err);
}

/* One round: who has spoken, links for those whose namespace is there. */
static int advance_hosts(struct fabric *f, int64_t deadline, size_t *n_ready, struct err *err)
{
    struct pollfd p[LAB_HOSTS_MAX];
    int net_fds[LAB_HOSTS_MAX];
    size_t which[LAB_HOSTS_MAX], n_linkable = 0, n = f->lab->n_hosts;
    for (size_t i = 0; i < n; i++)
        p[i] = (struct pollfd){.fd = f->ready[i] ? -1 : f->host_fds[i], .events = POLLIN};
    int64_t now = clock_system(CLOCK_MONOTONIC);
    if (now >= deadline)
        return make_error(err, ERR_TIMEOUT, 0, "the hosts' namespaces were not there in time");
    if (poll(p, n, clock_poll_ms(now, deadline, 60000)) < 0 && errno != EINTR)
        return make_error(err, ERR_SYSTEM, errno, "wait for the hosts");
    for (size_t i = 0; i < n; i++)
        if (p[i].revents != 0 && host_spoke(f, i, which, &n_linkable, n_ready, err) != 0)
            return -1;
    if (n_linkable == 0)
        return 0;
    for (size_t k = 0; k < n_linkable; k++)
        net_fds[k] = f->hosts[which[k]].net_fd;
    if (hostnet_make_links(f->bridge, net_fds, which, n_linkable, err) != 0)
        return -1;
    /* One that has ended meanwhile says why in the next round. */
    for (size_t k = 0; k < n_linkable; k++)
        (void)!send(f->host_fds[which[k]], "g", 1, MSG_NOSIGNAL);
    return 0;
}

static int begin(struct fabric *f, int sync_fd, struct err *err)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, "blackstart-lab");
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (open_signals(&f->signal_fd, err) != 0 || servicefiles_open(f->lab, err) != 0)
        return -1;
    cgroup_open_lab(f->lab);
    if (enter_namespaces(f, sync_fd, err) != 0 || hostroot_mount_layer(f->lab, err) != 0)
        return -1;
    for (size_t i = 0; i < f->lab->n_hosts; i++)
        if (clone_host(f, i, err) != 0)
            return -1;
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + start_limit_ns;
    for (size_t n_ready = 0; n_ready < f->lab->n_hosts;)
        if (advance_hosts(f, deadline, &n_ready, err) != 0)
            return -1;
    return 0;
}

static void kill_children(void)
{
    char path[64], text[65536];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
    text[n > 0 ? n : 0] = '\0';
    for (char *at = text, *end; *at != '\0'; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        (void)kill((pid_t)pid, SIGKILL);
    }
}

/* Children of agents that ended become ours (we are their subreaper): again until none is left. */
static void end_all(struct fabric *f)
{
    for (size_t i = 0; i < f->lab->n_hosts; i++)
        if (f->hosts[i].init > 0)
            (void)kill(f->hosts[i].init, SIGKILL);
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + start_limit_ns;
    while (clock_system(CLOCK_MONOTONIC) < deadline) {
        kill_children();
        pid_t pid;
        while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
            continue;
        if (pid < 0 && errno == ECHILD)
            return;
        (void)poll(NULL, 0, 1);
    }
}

static void close_hosts(struct fabric *f)
{
    for (size_t i = 0; i < f->lab->n_hosts; i++) {
        const int fds[] = {f->hosts[i].net_fd, f->hosts[i].root_fd, f->host_fds[i]};
        for (size_t k = 0; k < 3; k++)
            if (fds[k] >= 0)
                (void)close(fds[k]);
    }
}

static int remove_state(struct fabric *f, struct err *err)
{
    struct err removed = {.code = ERR_NONE};
    bool groups_gone = false;
    hostroot_unmount_layer(f->lab);
    for (int i = 0; i < 50 && !groups_gone; i++) {
        groups_gone = cgroup_remove(f->lab->id);
        if (!groups_gone)
            (void)poll(NULL, 0, 5);
    }
    if (tree_remove(f->lab->state_dir, &removed) != 0) {
        *err = removed;
        return -1;
    }
    if (!groups_gone)
        return make_error(err, ERR_DIRTY, 0, "cgroups blackstart-%s are still in use", f->lab->id);
    return 0;
}

static void send_reply(struct fabric *f, const struct fabric_reply *reply, int fd)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)reply, .iov_len = sizeof(*reply)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } beside = {.room = {0}};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    if (fd >= 0) {
        msg.msg_control = beside.room;
        msg.msg_controllen = sizeof(beside.room);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    }
    (void)sendmsg(f->control_fd, &msg, MSG_NOSIGNAL);
}

static size_t take_fds(struct msghdr *msg, int *fds)
{
    size_t n = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here && n < FABRIC_FDS_MAX; i++, n++)
            memcpy(&fds[n], CMSG_DATA(c) + i * sizeof(int), sizeof(int));
    }
    return n;
}

static void answer(struct fabric *f, const struct fabric_request *q, const int *fds, size_t n_fds)
{
    struct fabric_reply r = {.err = {.code = ERR_NONE}};
    CLEANUP_FD int fd = -1;
    pid_t pid = 0;
    int status = -1;
    if (q->host >= f->lab->n_hosts || q->n_fds != n_fds)
        (void)make_error(&r.err, ERR_PROTOCOL, 0, "the request names what is not there");
    else if (q->op == FABRIC_SPAWN)
        status = fabricspawn_start(&f->hosts[q->host], q, fds, &pid, &r.err);
    else
        status = fabricspawn_connect(&f->hosts[q->host], f->home_fd, &fd, &r.err);
    if (status == 0)
        r.err.code = ERR_NONE;
    r.pid = (int32_t)pid;
    send_reply(f, &r, fd);
}

/* False when the lab is to end. */
static bool serve_control(struct fabric *f)
{
    static struct fabric_request q;
    int fds[FABRIC_FDS_MAX];
    struct iovec part = {.iov_base = &q, .iov_len = sizeof(q)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(FABRIC_FDS_MAX * sizeof(int))];
    } beside;
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = beside.room,
                         .msg_controllen = sizeof(beside.room)};
    ssize_t n = recvmsg(f->control_fd, &msg, MSG_CMSG_CLOEXEC);
    if (n < (ssize_t)offsetof(struct fabric_request, argv))
        return n < 0 && errno == EINTR;
    size_t n_fds = take_fds(&msg, fds);
    bool whole = (size_t)n == offsetof(struct fabric_request, argv) + q.argv_len;
    if (whole && q.op != FABRIC_DOWN)
        answer(f, &q, fds, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        (void)close(fds[i]);
    return whole && q.op != FABRIC_DOWN;
}

/* False on SIGTERM: the caller died, or somebody asked. */
static bool serve_signals(struct fabric *f)
{
    struct signalfd_siginfo info;
    bool goes_on = true;
    while (read(f->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        if (info.ssi_signo == SIGTERM)
            goes_on = false;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    return goes_on;
}

static void loop(struct fabric *f)
{
    for (bool goes_on = true; goes_on;) {
        struct pollfd p[] = {{.fd = f->control_fd, .events = POLLIN},
                             {.fd = f->signal_fd, .events = POLLIN}};
        if (poll(p, 2, -1) < 0)
            continue;
        if (p[1].revents != 0)
            goes_on = serve_signals(f);
        if (goes_on && p[0].revents != 0)
            goes_on = serve_control(f);
    }
}

void fabric_run(struct lab_context *lab, int control_fd, int sync_fd)
{
    static struct fabric f;
    static struct fabric_reply hello;
    f.lab = lab;
    f.control_fd = control_fd;
    for (size_t i = 0; i < LAB_HOSTS_MAX; i++)
        f.hosts[i].net_fd = f.hosts[i].root_fd = f.host_fds[i] = -1;
    hello.err.code = ERR_NONE;
    bool up = begin(&f, sync_fd, &hello.err) == 0;
    if (up) {
        hello.n_pids = (uint32_t)lab->n_hosts;
        for (size_t i = 0; i < lab->n_hosts; i++)
            hello.pids[i] = f.hosts[i].init;
        send_reply(&f, &hello, -1);
        loop(&f);
    }
    end_all(&f);
    close_hosts(&f);
    struct fabric_reply last = {.err = {.code = ERR_NONE}};
    int removed = remove_state(&f, &last.err);
    send_reply(&f, up ? &last : &hello, -1);
    _exit(up && removed == 0 ? 0 : 1);
}
