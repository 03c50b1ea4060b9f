/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A supervisor and a program that do not descend from one process: what they say to each other. */
#include "agents/fiu/supervisor.h"
#include "agents/fiu/supervisor_parts.h"
#include "agents/fiu/trap.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_S = 10 };

static void set_patience(int sock)
{
    const struct timeval patience = {.tv_sec = ANSWER_S};
    (void)setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

int supervisor_ask(int sock, uint64_t points, struct err *err)
{
    char go = 0;
    set_patience(sock);
    ssize_t n = send(sock, &points, sizeof(points), MSG_NOSIGNAL);
    if (n == (ssize_t)sizeof(points))
        n = recv(sock, &go, 1, 0);
    if (n == 1)
        return 0;
    if (n < 0 && errno == EAGAIN)
        return make_error(err, ERR_TIMEOUT, 0, "its supervisor does not answer");
    return make_error(err, ERR_SYSTEM, n < 0 ? errno : 0, "its supervisor has ended");
}

/* Paths are then to the supervisor what they are to the program. */
static int mounts_enter(int proc, pid_t pid, struct err *err)
{
    char path[32];
    struct stat theirs, ours;
    (void)snprintf(path, sizeof(path), "%d/ns/mnt", (int)pid);
    CLEANUP_FD int ns = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || fstat(ns, &theirs) != 0 || stat("/proc/self/ns/mnt", &ours) != 0)
        return make_error(err, ERR_SYSTEM, errno, "find the mounts of process %d", (int)pid);
    if (theirs.st_ino == ours.st_ino && theirs.st_dev == ours.st_dev)
        return 0;
    if (setns(ns, CLONE_NEWNS) != 0)
        return make_error(err, ERR_SYSTEM, errno, "enter the mounts of process %d", (int)pid);
    return 0;
}

/* Whoever connects could hand us anything. */
static bool is_listener(int proc, int fd)
{
    static const char wanted[] = "anon_inode:seccomp notify";
    char path[32], link[sizeof(wanted)];
    (void)snprintf(path, sizeof(path), "self/fd/%d", fd);
    ssize_t n = readlinkat(proc, path, link, sizeof(link));
    return n == (ssize_t)sizeof(wanted) - 1 && memcmp(link, wanted, (size_t)n) == 0;
}

int supervisor_attend(int sock, int proc, pid_t pid, const char *page_path, struct err *err)
{
    uint64_t points = 0;
    set_patience(sock);
    if (recv(sock, &points, sizeof(points), 0) != (ssize_t)sizeof(points) || points == 0 ||
        (points & ~TRAP_ALL) != 0)
        return make_error(err, ERR_PROTOCOL, 0, "process %d did not say which calls", (int)pid);
    CLEANUP_FD int page_fd = supervisor_page_open(page_path, err);
    if (page_fd < 0)
        return -1;
    struct fiu_page *page =
        mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
    if (page == MAP_FAILED)
        return make_error(err, ERR_SYSTEM, errno, "map %s", page_path);
    int rc = mounts_enter(proc, pid, err);
    supervisor_keep_looking();
    CLEANUP_FD int listener =
        rc == 0 && send(sock, "g", 1, MSG_NOSIGNAL) == 1 ? supervisor_listener_receive(sock) : -1;
    if (rc == 0 && (listener < 0 || !is_listener(proc, listener)))
        rc = make_error(err, ERR_NOT_FOUND, 0, "process %d handed over no trapped calls", (int)pid);
    if (rc == 0) {
        atomic_store(&page->trapped, points);
        atomic_fetch_add(&page->attached, 1);
        supervisor_work(listener, proc, page);
    }
    (void)munmap(page, FIU_PAGE_SIZE);
    return rc;
}
