/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal/journal_parts.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int journal_write(int fd, const void *data, size_t len, struct err *err)
{
    const char *p = data;
    while (len != 0) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "write to the journal");
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Until the last descriptor of this opening is closed: not when the process reads its own journal.
 * Where a file system has no locks, a run that goes on looks like one that died. */
static void mark_open(int fd)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int rc = fcntl(fd, F_OFD_SETLK, &lock);
    (void)rc;
}

bool journal_is_open(const char *dir)
{
    char path[PATH_MAX];
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    (void)snprintf(path, sizeof(path), "%s/" JOURNAL_FILE, dir);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* it may be a pipe */
    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

int journal_create(const char *dir, const struct clock *clock, struct journal **ret,
                   struct err *err)
{
    CLEANUP_JOURNAL struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal");
    j->clock = clock;
    j->fd = j->samples.fd = j->samples.tail_fd = -1;
    j->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->dir < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", dir);
    j->fd = openat(j->dir, JOURNAL_FILE, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
    if (j->fd < 0 && errno == EEXIST)
        return make_error(err, ERR_INPUT, 0, "%s holds a run already; choose another directory",
                          dir);
    if (j->fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create %s/%s", dir, JOURNAL_FILE);
    mark_open(j->fd);
    *ret = steal_ptr(&j);
    return 0;
}

static int append_line(struct journal *j, const json_t *line, struct err *err)
{
    CLEANUP_FREE char *text = json_dumps(line, JSON_COMPACT);
    if (text == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "journal line");
    size_t len = strlen(text);
    if (len >= JOURNAL_LINE_MAX || len >= JOURNAL_MAX - j->written)
        return make_error(err, ERR_LIMIT, 0, "the journal would pass its maximum");
    text[len] = '\n'; /* in the place of the NUL: one write for the whole line */
    if (journal_write(j->fd, text, len + 1, err) != 0) {
        j->broken = true;
        return -1;
    }
    j->written += len + 1;
    return 0;
}

int journal_append_at(struct journal *j, int64_t t_ns, const char *ev, json_t *members,
                      struct err *err)
{
    json_t *line = json_pack("{s:I, s:s}", "t", (json_int_t)t_ns, "ev", ev);
    int r = -1;
    if (members == NULL)
        (void)make_error(err, ERR_INPUT, 0, "the members of %s cannot be written as JSON", ev);
    else if (line == NULL || json_object_update_missing(line, members) != 0)
        (void)make_error(err, ERR_SYSTEM, ENOMEM, "journal line");
    else if (j->broken)
        (void)make_error(err, ERR_SYSTEM, 0, "an earlier write to the journal failed");
    else
        r = append_line(j, line, err);
    json_decref(line);
    json_decref(members);
    return r;
}

int journal_append(struct journal *j, const char *ev, json_t *members, struct err *err)
{
    return journal_append_at(j, clock_now(j->clock), ev, members, err);
}

int journal_sync(struct journal *j, struct err *err)
{
    const struct journal_samples *s = &j->samples;
    if (fdatasync(j->fd) != 0 || (s->fd >= 0 && fdatasync(s->fd) != 0) ||
        (s->tail_fd >= 0 && fdatasync(s->tail_fd) != 0))
        return make_error(err, ERR_SYSTEM, errno, "write the journal to the disk");
    return 0;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    journal_samples_free(j);
    cleanup_fd_at(&j->fd);
    cleanup_fd_at(&j->dir);
    free(j);
}

void journal_close_at(struct journal **j)
{
    journal_close(*j);
}
