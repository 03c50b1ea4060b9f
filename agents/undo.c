/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/undo.h"
#include "agents/undo_format.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* One process writes at a time, and it has one thread: a record is too large for every stack. */
static struct undo_copy scratch;

static int write_at(int fd, const void *data, size_t size, off_t at, struct err *err)
{
    const unsigned char *bytes = data;
    while (size > 0) {
        ssize_t n = pwrite(fd, bytes, size, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return make_error(err, ERR_SYSTEM, n < 0 ? errno : EIO, "write the undo log");
        bytes += n;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

static int write_head(struct undo_log *log, unsigned slot, uint64_t live, uint64_t done,
                      struct err *err)
{
    struct undo_slot_head head = {.magic = UNDO_SLOT_MAGIC, .live_seq = live, .done_seq = done};
    head.check = undo_slot_digest(&head);
    return write_at(log->fd, &head, sizeof(head), undo_slot_at(slot), err);
}

static int sync_log(struct undo_log *log, struct err *err)
{
    if (fdatasync(log->fd) == 0)
        return 0;
    /* The kernel may have dropped the dirty pages with the error; a second fdatasync would say
     * that all is well. */
    log->failed = true;
    return make_error(err, ERR_SYSTEM, errno, "fdatasync the undo log");
}

static int write_header(struct undo_log *log, const struct undo_owner *owner, struct err *err)
{
    struct undo_file_head head = {
        .magic = UNDO_FILE_MAGIC, .format = UNDO_FORMAT, .slots = UNDO_SLOTS, .owner = *owner};
    head.check = undo_file_digest(&head);
    return write_at(log->fd, &head, sizeof(head), 0, err);
}

/* Made under another name, so that a replay never finds a log that is not locked yet. */
static int create_locked(struct undo_log *log, const struct undo_owner *owner, const char *draft,
                         struct err *err)
{
    CLEANUP_FD int fd =
        openat(log->dir, draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "create the undo log");
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return make_error(err, ERR_SYSTEM, errno, "lock the undo log");
    int rc = posix_fallocate(fd, 0, UNDO_FILE_SIZE);
    if (rc != 0)
        return make_error(err, ERR_SYSTEM, rc, "reserve %d KiB for the undo log",
                          (int)(UNDO_FILE_SIZE / 1024));
    log->fd = fd;
    if (write_header(log, owner, err) != 0 || (log->durable && sync_log(log, err) != 0))
        return -1;
    if (renameat(log->dir, draft, log->dir, log->file) != 0)
        return make_error(err, ERR_SYSTEM, errno, "name the undo log");
    if (log->durable && fsync(log->dir) != 0)
        return make_error(err, ERR_SYSTEM, errno, "fsync the directory of the undo log");
    (void)steal_fd(&fd);
    return 0;
}

int undo_open(struct undo_log *log, int dir, const struct undo_owner *owner, bool durable,
              struct err *err)
{
    *log = (struct undo_log){.dir = dir, .fd = -1, .durable = durable};
    char draft[UNDO_FILE_MAX + sizeof(UNDO_DRAFT)];
    int64_t now = clock_system(CLOCK_BOOTTIME);
    (void)snprintf(log->file, sizeof(log->file), UNDO_PREFIX "%s-%d-%" PRIx64 UNDO_SUFFIX,
                   owner->host, (int)getpid(), (uint64_t)now);
    (void)snprintf(draft, sizeof(draft), "%s" UNDO_DRAFT, log->file);
    int rc = create_locked(log, owner, draft, err);
    /* Another agent that starts beside this one may take a draft that is not locked yet for one
     * that was left behind. */
    for (int tries = 0; rc != 0 && tries < 8 && (err->sys == ENOENT || err->sys == EWOULDBLOCK);
         tries++) {
        log->fd = -1;
        (void)unlinkat(dir, draft, 0);
        rc = create_locked(log, owner, draft, err);
    }
    if (rc != 0) {
        (void)unlinkat(dir, draft, 0);
        (void)unlinkat(dir, log->file, 0);
        log->fd = -1;
        return -1;
    }
    return 0;
}

int undo_write(struct undo_log *log, unsigned slot, const struct undo *undo, bool sync,
               struct err *err)
{
    if (slot >= UNDO_SLOTS || undo->size > UNDO_DATA_MAX)
        return make_error(err, ERR_LIMIT, 0, "an undo record of %u bytes in slot %u", undo->size,
                          slot);
    if (log->failed)
        return make_error(err, ERR_REFUSED, 0, "the undo log could not be synced before");
    uint64_t seq = log->seq[slot] + 1;
    size_t used = undo_copy_fill(&scratch, undo, seq);
    if (write_at(log->fd, &scratch, used, undo_copy_at(slot, seq), err) != 0)
        return -1;
    /* Copy before head, also on disk: a head that names a torn copy would count as damage. */
    if (sync && log->durable && sync_log(log, err) != 0)
        return -1;
    if (write_head(log, slot, seq, 0, err) != 0)
        return -1;
    log->seq[slot] = seq;
    return sync && log->durable ? sync_log(log, err) : 0;
}

int undo_done(struct undo_log *log, unsigned slot, struct err *err)
{
    /* The file, not this process's memory: agent and guardian both may have written it. */
    struct undo_slot_head head;
    enum undo_state state = undo_head_read(log->fd, slot, &head);
    if (state == UNDO_EMPTY)
        return 0;
    if (state == UNDO_UNKNOWN)
        return make_error(err, ERR_DIRTY, 0, "the undo log's slot %u is damaged", slot);
    if (write_head(log, slot, head.live_seq, head.live_seq, err) != 0)
        return -1;
    return log->durable && !log->failed ? sync_log(log, err) : 0;
}

void undo_close(struct undo_log *log)
{
    if (log->fd < 0)
        return;
    struct undo_slot_head head;
    bool live = false;
    for (unsigned i = 0; i < UNDO_SLOTS; i++)
        live = live || undo_head_read(log->fd, i, &head) != UNDO_EMPTY;
    if (!live)
        (void)unlinkat(log->dir, log->file, 0);
    (void)close(log->fd);
    log->fd = -1;
}
