/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/hostlog.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const int64_t mark_every_ns = NS_PER_MS;

void hostlog_init(struct hostlog *log, int dir_fd, const char *name)
{
    *log = (struct hostlog){.dir_fd = dir_fd, .pipe_fd = -1, .file_fd = -1, .times_fd = -1};
    (void)snprintf(log->name, sizeof(log->name), "%s", name);
}

static int open_file(const struct hostlog *log, const char *suffix)
{
    char name[96];
    (void)snprintf(name, sizeof(name), "%s%s", log->name, suffix);
    return openat(log->dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void put_aside(const struct hostlog *log, const char *suffix)
{
    char from[96], to[100];
    (void)snprintf(from, sizeof(from), "%s%s", log->name, suffix);
    (void)snprintf(to, sizeof(to), "%s.1", from);
    (void)renameat(log->dir_fd, from, log->dir_fd, to);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void rotate(struct hostlog *log)
{
    close_fd(&log->file_fd);
    close_fd(&log->times_fd);
    put_aside(log, ".log");
    put_aside(log, ".times");
    log->size = 0;
    log->marked_ns = 0;
}

static void add(struct hostlog *log, const char *data, size_t len)
{
    if (log->size + len > HOSTLOG_MAX)
        rotate(log);
    if (log->file_fd < 0) {
        log->file_fd = open_file(log, ".log");
        log->times_fd = open_file(log, ".times");
    }
    int64_t now = clock_system(CLOCK_MONOTONIC);
    if (now - log->marked_ns >= mark_every_ns) {
        char line[64];
        int n = snprintf(line, sizeof(line), "%lld %llu\n", (long long)now,
                         (unsigned long long)log->size);
        (void)!write(log->times_fd, line, (size_t)n);
        log->marked_ns = now;
    }
    /* A log that cannot be written (a full disk) must not stop the service. */
    ssize_t n = write(log->file_fd, data, len);
    if (n > 0)
        log->size += (uint64_t)n;
}

int hostlog_open(struct hostlog *log, uid_t uid, int *ret_fd, struct err *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe for a log");
    /* Programs open /dev/stderr again, as their own user; in a user namespace of one id this fails
     * and is not needed. */
    (void)!fchown(ends[1], uid, (gid_t)-1);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    if (log->pipe_fd >= 0)
        (void)hostlog_read(log);
    close_fd(&log->pipe_fd);
    log->pipe_fd = ends[0];
    *ret_fd = ends[1];
    return 0;
}

bool hostlog_read(struct hostlog *log)
{
    char data[16384];
    for (;;) {
        ssize_t n = read(log->pipe_fd, data, sizeof(data));
        if (n > 0) {
            add(log, data, (size_t)n);
            if ((size_t)n < sizeof(data))
                return true;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        close_fd(&log->pipe_fd);
        return false;
    }
}

void hostlog_note(struct hostlog *log, const char *text)
{
    char line[256];
    int n = snprintf(line, sizeof(line), "blackstart: %s\n", text);
    if (n > 0)
        add(log, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
}
