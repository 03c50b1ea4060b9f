/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor of one start of a unit: waits for the program, and then answers its calls. */
#include "agents/fiu/install.h"
#include "agents/fiu/supervisor.h"
#include "agents/host/proc.h"
#include "agents/host/systemd_start.h"
#include "agents/host/unit_name.h"
#include "agents/unit.h"
#include "agents/unit_parts.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

/* The unit's own commands before its start lie in between. */
static const int64_t patience_ns = 600 * NS_PER_SEC;

/* Another start's socket, of a supervisor that still works, goes on being that one's. */
static int door_open(const char *unit, struct err *err)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char path[sizeof(at.sun_path)];
    (void)snprintf(path, sizeof(path), UNIT_SOCKET, unit);
    (void)snprintf(at.sun_path, sizeof(at.sun_path), UNIT_SOCKET "-new", unit);
    (void)unlink(at.sun_path);
    CLEANUP_FD int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (sock < 0 || bind(sock, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
        chmod(at.sun_path, 0666) != 0 || listen(sock, 1) != 0 || rename(at.sun_path, path) != 0)
        return make_error(err, ERR_SYSTEM, errno, "listen at %s", path);
    return steal_fd(&sock);
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

/* The socket is for every user, as whom the unit may run; who is not of the unit is sent away. */
static int guest_receive(int door, int proc, const char *group, pid_t *ret_pid, struct err *err)
{
    int64_t end = clock_system(CLOCK_MONOTONIC) + patience_ns;
    for (;;) {
        int64_t left = end - clock_system(CLOCK_MONOTONIC);
        struct pollfd p = {.fd = door, .events = POLLIN};
        if (left <= 0)
            return make_error(err, ERR_TIMEOUT, 0, "nobody has come to have its calls trapped");
        if (poll(&p, 1, (int)(left / NS_PER_MS) + 1) <= 0)
            continue;
        struct ucred who;
        socklen_t size = sizeof(who);
        CLEANUP_FD int sock = accept4(door, NULL, NULL, SOCK_CLOEXEC);
        if (sock < 0 || getsockopt(sock, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 ||
            !is_in_group(proc, who.pid, group))
            continue;
        *ret_pid = who.pid;
        return steal_fd(&sock);
    }
}

static int supervise(const char *unit, struct err *err)
{
    char group[512], page[128];
    bool kept;
    pid_t pid = 0;
    CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLEANUP_FD int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(page, sizeof(page), FIU_PAGE_DIR "/%s.page", unit);
    (void)prctl(PR_SET_NAME, "blackstart-fiu");
    if (install_service(root, unit, -1, &kept, err) != 0)
        return -1;
    group_find(unit, group, sizeof(group));
    CLEANUP_FD int door = door_open(unit, err);
    if (door < 0)
        return -1;
    (void)sd_notify(1, "READY=1");
    CLEANUP_FD int sock = guest_receive(door, proc, group, &pid, err);
    if (sock < 0)
        return -1;
    (void)close(steal_fd(&door));
    return supervisor_attend(sock, proc, pid, page, err);
}

int unit_supervise(int argc, char **argv, const struct command *self)
{
    struct err err = {0};
    int status = unit_arguments(argc, argv, 1, 1, self);
    if (status >= 0)
        return status;
    return supervise(argv[1], &err) == 0 ? 0 : command_report(3, &err);
}
