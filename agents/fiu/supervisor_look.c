/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/supervisor_look.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CHUNK = 4096 }; /* no read crosses into a page that may not be there */

static bool text_read(pid_t pid, uint64_t at, char out[PATH_MAX])
{
    for (size_t len = 0; len < PATH_MAX;) {
        size_t want = CHUNK - (at + len) % CHUNK;
        want = want < PATH_MAX - len ? want : PATH_MAX - len;
        struct iovec here = {.iov_base = out + len, .iov_len = want};
        struct iovec there = {.iov_base = (void *)(uintptr_t)(at + len), .iov_len = want};
        ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);
        if (n <= 0)
            return false;
        if (memchr(out + len, '\0', (size_t)n) != NULL)
            return true;
        len += (size_t)n;
    }
    return false;
}

static bool link_read(int proc, const char *link, char out[LOOK_PATH_MAX])
{
    ssize_t n = readlinkat(proc, link, out, LOOK_PATH_MAX - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    return true;
}

static bool own_path(int proc, int fd, char out[LOOK_PATH_MAX])
{
    char link[32];
    (void)snprintf(link, sizeof(link), "self/fd/%d", fd);
    return fd >= 0 && link_read(proc, link, out);
}

/* Where a relative path starts: a descriptor of the process, or its working directory. */
static int start_open(int proc, pid_t pid, int dir)
{
    char link[48];
    (void)snprintf(link, sizeof(link), dir == AT_FDCWD ? "%d/cwd" : "%d/fd/%d", (int)pid, dir);
    return openat(proc, link, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* A name that is not there yet: its directory's path, and the name behind it. */
static bool new_path(int proc, int start, char *path, char out[LOOK_PATH_MAX])
{
    char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *parent = slash == NULL ? "." : slash == path ? "/" : path;
    char above[LOOK_PATH_MAX];
    if (slash != NULL && slash != path)
        *slash = '\0';
    CLEANUP_FD int fd = openat(start, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!own_path(proc, fd, above))
        return false;
    /* Cut to fit: prefixes are shorter. */
    return snprintf(out, LOOK_PATH_MAX, "%s/%s", strcmp(above, "/") == 0 ? "" : above, name) > 0;
}

static bool name_look(int proc, pid_t pid, int dir, uint64_t at, bool follow,
                      char out[LOOK_PATH_MAX])
{
    char path[PATH_MAX];
    CLEANUP_FD int start = -1;
    if (!text_read(pid, at, path))
        return false;
    if (path[0] != '/' && (start = start_open(proc, pid, dir)) < 0)
        return false;
    CLEANUP_FD int fd = openat(start, path, O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
    return own_path(proc, fd, out) || new_path(proc, start, path, out);
}

static int dir_of(const struct seccomp_notif *notif, int at)
{
    return at == TRAP_NO ? AT_FDCWD : (int)notif->data.args[at];
}

void look_at(int proc, const struct seccomp_notif *notif, const struct trap_call *call,
             struct look *ret)
{
    const unsigned long long *args = notif->data.args;
    pid_t pid = (pid_t)notif->pid;
    ret->n = 0;
    if (call->path == TRAP_NO) {
        char link[48];
        (void)snprintf(link, sizeof(link), "%d/fd/%d", (int)pid, (int)args[call->fd]);
        ret->n = link_read(proc, link, ret->paths[0]) ? 1 : 0;
        return;
    }
    bool follow = call->follow && (call->flags == TRAP_NO || (args[call->flags] & O_NOFOLLOW) == 0);
    if (name_look(proc, pid, dir_of(notif, call->fd), args[call->path], follow, ret->paths[0]))
        ret->n++;
    if (call->path2 != TRAP_NO && name_look(proc, pid, dir_of(notif, call->fd2), args[call->path2],
                                            false, ret->paths[ret->n]))
        ret->n++;
}
