/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostinit.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hostctl.h"
#include "lab/hostclient.h"
#include "lab/hostnet.h"
#include "lab/hostroot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { POLL_MAX = 3 + 2 * HOSTCLIENT_MAX + LAB_SERVICES_MAX };

struct init {
    struct hostclient_table table;
    int listen_fd, signal_fd, fabric_fd;
};

static int open_listener(int *ret, struct err *err)
{
    CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path + 1, HOSTCTL_SOCKET, sizeof(HOSTCTL_SOCKET) - 1);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + sizeof(HOSTCTL_SOCKET);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, len) != 0 || listen(fd, 16) != 0)
        return make_error(err, ERR_SYSTEM, errno, "open the init's socket");
    *ret = steal_fd(&fd);
    return 0;
}

static int open_signals(int *ret, struct err *err)
{
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    *ret = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*ret < 0)
        return make_error(err, ERR_SYSTEM, errno, "watch for ended processes");
    return 0;
}

static int make_services(struct init *init, const struct lab_context *lab, size_t host, int logs_fd,
                         struct err *err)
{
    const char *name = lab->hosts[host].spec->name;
    for (size_t i = 0; i < lab->spec->n_services; i++) {
        const struct lab_service_spec *spec = &lab->spec->services[i];
        for (size_t k = 0; k < spec->n_hosts; k++) {
            if (strcmp(spec->hosts[k], name) != 0)
                continue;
            if (init->table.n_services == LAB_SERVICES_MAX)
                return make_error(err, ERR_LIMIT, 0, "a host has at most %d services",
                                  LAB_SERVICES_MAX);
            if (service_init(&init->table.services[init->table.n_services++], lab, host, spec,
                             logs_fd, err) != 0)
                return -1;
            break;
        }
    }
    return 0;
}

/* Says that the namespaces are there and waits for the link; between the two the root is made,
 * while the fabric makes the other hosts. */
static int enter_host(struct init *init, const struct lab_context *lab, size_t host,
                      struct err *err)
{
    if (unshare(CLONE_NEWNET) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a network namespace");
    bool ipv6 = hostnet_prepare_ipv6(lab->ipv6) && lab->ipv6;
    if (send(init->fabric_fd, "n", 1, MSG_NOSIGNAL) != 1)
        return make_error(err, ERR_SYSTEM, errno, "tell the fabric");
    if (hostroot_enter(lab, host, err) != 0)
        return -1;
    const char *name = lab->hosts[host].spec->name;
    if (sethostname(name, strlen(name)) != 0)
        return make_error(err, ERR_SYSTEM, errno, "set the host's name");
    char go;
    if (recv(init->fabric_fd, &go, 1, 0) != 1)
        return make_error(err, ERR_SYSTEM, 0, "the fabric went away");
    return hostnet_configure(lab->hosts[host].ip, ipv6 ? lab->hosts[host].ip6 : NULL, err);
}

static int open_logs(const struct lab_context *lab, size_t host, int *ret, struct err *err)
{
    char path[PATH_MAX];
    if (context_host_path(lab, host, "logs", path, sizeof(path), err) != 0)
        return -1;
    *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    return 0;
}

static int begin(struct init *init, const struct lab_context *lab, size_t host, struct err *err)
{
    int logs_fd = -1;
    init->table.lab = lab;
    (void)prctl(PR_SET_NAME, "blackstart-init");
    if (hostroot_make_dirs(lab, host, err) != 0 || open_logs(lab, host, &logs_fd, err) != 0 ||
        open_signals(&init->signal_fd, err) != 0 || enter_host(init, lab, host, err) != 0 ||
        open_listener(&init->listen_fd, err) != 0 ||
        make_services(init, lab, host, logs_fd, err) != 0)
        return wrap_error(err, "host %s", lab->hosts[host].spec->name);
    return 0;
}

static void reap(struct init *init)
{
    struct signalfd_siginfo info;
    while (read(init->signal_fd, &info, sizeof(info)) > 0)
        continue;
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0)
            return;
        hostclient_exited(&init->table, pid, status);
    }
}

/* Only a peer outside this pid namespace has no number in it. */
static void accept_client(struct init *init)
{
    CLEANUP_FD int fd = accept4(init->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.pid != 0)
        return;
    if (hostclient_add(&init->table, fd))
        (void)steal_fd(&fd);
}

static size_t fill_poll(struct init *init, struct pollfd *p)
{
    struct hostclient_table *t = &init->table;
    size_t n = 0;
    p[n++] = (struct pollfd){.fd = init->fabric_fd, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = init->signal_fd, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = init->listen_fd, .events = POLLIN};
    for (size_t i = 0; i < t->n_services; i++)
        p[n++] = (struct pollfd){.fd = t->services[i].log.pipe_fd, .events = POLLIN};
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++) {
        /* While a request is under way the next one waits in the socket. */
        int fd = t->clients[i].busy ? -1 : t->clients[i].fd;
        p[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
        p[n++] = (struct pollfd){.fd = t->clients[i].out_fd, .events = POLLIN};
    }
    return n;
}

static void serve(struct init *init, const struct pollfd *p)
{
    struct hostclient_table *t = &init->table;
    if (p[0].revents != 0)
        _exit(0); /* the fabric is gone, and the lab with it */
    reap(init);   /* first: whoever asks may have seen a process end that still counts as running */
    size_t n = 3;
    for (size_t i = 0; i < t->n_services; i++)
        if (p[n++].revents != 0)
            (void)hostlog_read(&t->services[i].log);
    for (size_t i = 0; i < HOSTCLIENT_MAX; i++) {
        if (p[n++].revents != 0)
            hostclient_request(t, &t->clients[i]);
        if (p[n++].revents != 0)
            hostclient_output(&t->clients[i]);
    }
    if (p[2].revents != 0)
        accept_client(init);
}

static _Noreturn void loop(struct init *init)
{
    struct pollfd p[POLL_MAX];
    for (;;) {
        int64_t now = clock_system(CLOCK_MONOTONIC);
        int64_t next = hostclient_tick(&init->table, now);
        size_t n = fill_poll(init, p);
        int timeout = next == INT64_MAX ? -1 : clock_poll_ms(now, next, 60000);
        int ready = poll(p, n, timeout);
        if (ready > 0)
            serve(init, p);
    }
}

void hostinit_run(const struct lab_context *lab, size_t host, int fabric_fd)
{
    static struct init init;
    struct err err = {.code = ERR_NONE};
    init.fabric_fd = fabric_fd;
    hostclient_init(&init.table);
    if (begin(&init, lab, host, &err) != 0) {
        (void)send(fabric_fd, &err, sizeof(err), MSG_NOSIGNAL);
        _exit(1);
    }
    (void)send(fabric_fd, "r", 1, MSG_NOSIGNAL);
    loop(&init);
}
