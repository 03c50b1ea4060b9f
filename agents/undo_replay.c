/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/undo_format.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { LOCK_POLL_MS = 5 };

struct replay {
    int dir;
    int64_t deadline; /* CLOCK_MONOTONIC, until which locks are waited for */
    const struct undo_owner *owner;
    undo_replay_fn *fn;
    void *ctx;
    struct undo_tally tally;
};

static struct undo_copy scratch;

static bool ends_with(const char *s, const char *end)
{
    size_t a = strlen(s), b = strlen(end);
    return a >= b && strcmp(s + a - b, end) == 0;
}

static bool is_ours(const struct undo_file_head *head, const struct undo_owner *owner)
{
    if (strncmp(head->owner.host, owner->host, sizeof(owner->host)) != 0)
        return false;
    /* The number of a namespace says nothing after a reboot; then the name must do, and each
     * fault's own record of what it touched. */
    if (strncmp(head->owner.boot_id, owner->boot_id, sizeof(owner->boot_id)) != 0)
        return true;
    return head->owner.net_ns == owner->net_ns;
}

static bool head_is_sound(const struct undo_file_head *head)
{
    return head->magic == UNDO_FILE_MAGIC && head->format == UNDO_FORMAT &&
           head->slots == UNDO_SLOTS && head->check == undo_file_digest(head);
}

/* The lock belongs to the open file, which agent and guardian share: a lock that is held may be
 * that of a guardian which is putting the host back just now, and soon be free. */
static bool take_lock(const struct replay *r, int fd)
{
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (clock_system(CLOCK_MONOTONIC) >= r->deadline)
            return false;
        struct timespec nap = clock_timespec(LOCK_POLL_MS * NS_PER_MS);
        (void)nanosleep(&nap, NULL);
    }
    return true;
}

static void replay_slots(struct replay *r, struct undo_log *log)
{
    for (unsigned slot = 0; slot < UNDO_SLOTS; slot++) {
        enum undo_state state = undo_slot_read(log->fd, slot, &scratch);
        if (state == UNDO_UNKNOWN)
            r->tally.unknown++;
        if (state != UNDO_LIVE)
            continue;
        struct err ignored; /* not marked: replayed once more, which changes nothing */
        if (r->fn(r->ctx, &scratch.undo) == 0 && undo_done(log, slot, &ignored) == 0)
            r->tally.replayed++;
        else
            r->tally.kept++;
    }
}

static void replay_file(struct replay *r, const char *name)
{
    CLEANUP_FD int fd = openat(r->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct undo_file_head head;
    if (fd < 0)
        return; /* its owner has just removed it */
    if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || !head_is_sound(&head)) {
        r->tally.unknown++;
        return;
    }
    if (!is_ours(&head, r->owner))
        return;
    if (!take_lock(r, fd)) {
        r->tally.busy++;
        return;
    }
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_nlink == 0)
        return; /* replayed and removed by another while we waited */
    struct undo_log log = {.dir = r->dir, .fd = steal_fd(&fd), .durable = true};
    (void)strncpy(log.file, name, sizeof(log.file) - 1);
    replay_slots(r, &log);
    undo_close(&log);
}

static void sweep_draft(const struct replay *r, const char *name)
{
    CLEANUP_FD int fd = openat(r->dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(r->dir, name, 0);
}

/* Gives the name of each log and of each draft in r's directory but `own`, which may be NULL. */
static int walk(struct replay *r, const struct undo_log *own,
                void (*log)(struct replay *r, const char *name),
                void (*draft)(const struct replay *r, const char *name), struct err *err)
{
    int again = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (again < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the state directory");
    CLEANUP_DIR DIR *entries = fdopendir(again);
    if (entries == NULL) {
        int saved = errno;
        (void)close(again);
        return make_error(err, ERR_SYSTEM, saved, "read the state directory");
    }
    for (const struct dirent *e; (e = readdir(entries)) != NULL;) {
        if (strncmp(e->d_name, UNDO_PREFIX, strlen(UNDO_PREFIX)) != 0 ||
            strlen(e->d_name) >= UNDO_FILE_MAX ||
            (own != NULL && strcmp(e->d_name, own->file) == 0))
            continue;
        if (ends_with(e->d_name, UNDO_SUFFIX))
            log(r, e->d_name);
        else if (ends_with(e->d_name, UNDO_DRAFT))
            draft(r, e->d_name);
    }
    return 0;
}

int undo_replay(int dir, const struct undo_owner *owner, const struct undo_log *own, int wait_ms,
                undo_replay_fn *fn, void *ctx, struct undo_tally *ret, struct err *err)
{
    struct replay r = {.dir = dir, .owner = owner, .fn = fn, .ctx = ctx};
    r.deadline = clock_system(CLOCK_MONOTONIC) + wait_ms * NS_PER_MS;
    if (walk(&r, own, replay_file, sweep_draft, err) != 0)
        return -1;
    *ret = r.tally;
    return 0;
}

static void look_at(struct replay *r, const char *name)
{
    CLEANUP_FD int fd = openat(r->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct undo_file_head head;
    if (fd < 0 || pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
        !head_is_sound(&head) || !is_ours(&head, r->owner))
        return;
    for (unsigned slot = 0; slot < UNDO_SLOTS; slot++)
        if (undo_slot_read(fd, slot, &scratch) == UNDO_LIVE)
            (void)r->fn(r->ctx, &scratch.undo);
}

static void leave_draft(const struct replay *r, const char *name)
{
    (void)r, (void)name;
}

int undo_look(const struct undo_log *own, undo_replay_fn *fn, void *ctx, struct err *err)
{
    struct undo_file_head head;
    struct replay r = {.dir = own->dir, .owner = &head.owner, .fn = fn, .ctx = ctx};
    if (pread(own->fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
        return make_error(err, ERR_SYSTEM, errno, "read the undo log");
    return walk(&r, own, look_at, leave_draft, err);
}
