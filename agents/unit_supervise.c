/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor of one start of a unit: waits for the program, and then answers its calls. */
#include "agents/fiu/install.h"
#include "agents/fiu/supervisor.h"
#include "agents/host/proc.h"
#include "agents/host/systemd_start.h"
#include "agents/host/unit_name.h"
#include "agents/unit.h"
#include "agents/unit_page.h"
#include "agents/unit_parts.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* The unit's own commands before its start lie in between. */
enum { PATIENCE_S = 600, PATIENCE_MAX_S = 86400 };

/* A socket at which the program is waited for. */
struct door {
    int fd;
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    dev_t dev;
    ino_t ino;
};

/* One that still waits for an earlier start serves the next one: two would take turns at deafness.
 * What a dead one left is replaced. */
static int door_open(const char *unit, struct door *ret, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct stat st;
    CLEANUP_FD int lock = unit_page_lock(err);
    if (lock < 0)
        return -1;
    if (unit_is_awaited(unit))
        return make_error(err, ERR_REFUSED, 0,
                          "another supervisor waits at " UNIT_SOCKET
                          " already, and serves the unit's next start",
                          unit);
    (void)snprintf(ret->path, sizeof(ret->path), UNIT_SOCKET, unit);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), UNIT_SOCKET "-new", unit);
    (void)unlink(at.sun_path);
    CLEANUP_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0 || bind(sock, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        chmod(at.sun_path, 0666) != 0 || listen(sock, 1) != 0 || lstat(at.sun_path, &st) != 0 ||
        rename(at.sun_path, ret->path) != 0)
        return make_error(err, ERR_SYSTEM, errno, "listen at %s", ret->path);
    ret->dev = st.st_dev;
    ret->ino = st.st_ino;
    ret->fd = steal_fd(&sock);
    return 0;
}

/* The path may be another start's by now. For whom nobody came, the page goes too. */
static void door_close(struct door *door, const char *unit, bool in_vain)
{
    struct err ignored;
    struct stat st;
    CLEANUP_FD int lock = unit_page_lock(&ignored);
    if (lstat(door->path, &st) == 0 && st.st_dev == door->dev && st.st_ino == door->ino)
        (void)unlink(door->path);
    (void)close(door->fd);
    if (in_vain && lock >= 0)
        (void)unit_page_drop(unit);
}

/* Where systemd does not say which group is the unit's, any of its name will do. */
static void group_find(const char *unit, char *out, size_t size)
{
    struct err ignored;
    char full[UNIT_NAME_SIZE];
    if (unit_group_read(unit, out, size, &ignored) == 0 && out[0] != '\0')
        return;
    unit_name_full(full, unit);
    (void)snprintf(out, size, "%s", full);
}

static bool is_in_group(int proc, pid_t pid, const char *group)
{
    char path[32], text[4096];
    (void)snprintf(path, sizeof(path), "%d/cgroup", (int)pid);
    CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    return n > 0 && proc_parse_cgroup(text, group);
}

/* What ends us by hand waits until the socket is gone: readable when it came, and still pending. */
static int signals_hold(sigset_t *ret_before, struct err *err)
{
    static const int all[] = {SIGHUP, SIGINT, SIGTERM};
    sigset_t set;
    struct sigaction action;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (sigaction(all[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            (void)sigaddset(&set, all[i]);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0 || sigprocmask(SIG_BLOCK, &set, ret_before) != 0)
        return make_error(err, ERR_SYSTEM, errno, "wait for signals");
    return fd;
}

/* The socket is for every user, as whom the unit may run; who is not of the unit is sent away. */
static int guest_accept(int door, int proc, const char *group, pid_t *ret_pid)
{
    struct ucred who;
    socklen_t size = sizeof(who);
    CLEANUP_FD int sock = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
        !is_in_group(proc, who.pid, group))
        return -1;
    *ret_pid = who.pid;
    return steal_fd(&sock);
}

static int guest_receive(const struct door *door, int signals, int proc, const char *group,
                         int64_t wait_ns, pid_t *ret_pid, struct err *err)
{
    int64_t end = clock_system(CLOCK_MONOTONIC) + wait_ns;
    for (;;) {
        struct pollfd p[] = {{.fd = door->fd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        int64_t left = end - clock_system(CLOCK_MONOTONIC);
        if (left <= 0)
            return make_error(err, ERR_TIMEOUT, 0, "nobody has come to have its calls trapped");
        if (poll(p, 2, (int)(left / NS_PER_MS) + 1) <= 0)
            continue;
        if (p[1].revents != 0)
            return make_error(err, ERR_CANCELLED, 0, "was told to end");
        int sock = guest_accept(door->fd, proc, group, ret_pid);
        if (sock >= 0)
            return sock;
    }
}

/* The socket goes here, not at the end of the program: by then we stand in its mount namespace. It
 * stands before the page does, which is then known to be somebody's. */
static int guest_wait(const char *unit, int signals, int root, int proc, int64_t seconds,
                      pid_t *ret_pid, struct err *err)
{
    bool kept;
    char group[512], full[UNIT_NAME_SIZE];
    struct door door = {.fd = -1};
    unit_name_full(full, unit);
    group_find(unit, group, sizeof(group));
    if (door_open(unit, &door, err) != 0)
        return -1;
    if (install_service(root, unit, -1, &kept, err) != 0) {
        door_close(&door, unit, true);
        return -1;
    }
    (void)sd_notify(1, "READY=1");
    (void)fprintf(stderr,
                  "blackstart-agent: waits at %s for the program of %s, a process of the control "
                  "group %s, for %lld s at most\n",
                  door.path, full, group, (long long)seconds);
    int sock = guest_receive(&door, signals, proc, group, seconds * NS_PER_SEC, ret_pid, err);
    door_close(&door, unit, sock < 0);
    return sock;
}

static int supervise(const char *unit, int64_t seconds, struct err *err)
{
    char page[128];
    pid_t pid = 0;
    sigset_t before;
    CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(page, sizeof(page), FIU_PAGE_DIR "/%s.page", unit);
    (void)prctl(PR_SET_NAME, "blackstart-fiu");
    CLEANUP_FD int signals = signals_hold(&before, err);
    if (signals < 0)
        return -1;
    CLEANUP_FD int sock = guest_wait(unit, signals, root, proc, seconds, &pid, err);
    (void)sigprocmask(SIG_SETMASK, &before, NULL); /* which ends us if one of them came */
    return sock < 0 ? -1 : supervisor_attend(sock, proc, pid, page, err);
}

static bool parse_seconds(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtol(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *ret >= 1 && *ret <= PATIENCE_MAX_S;
}

int unit_supervise(int argc, char **argv, const struct command *self)
{
    struct err err = {0};
    int64_t seconds = PATIENCE_S;
    int status = unit_arguments(argc, argv, 1, 2, self);
    if (status >= 0)
        return status;
    if (argc == 3 && !parse_seconds(argv[2], &seconds))
        return command_complain(self, "SECONDS is a number from 1 to 86400");
    return supervise(argv[1], seconds, &err) == 0 ? 0 : command_report(3, &err);
}
