/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/quarantine.h"
#include "agents/host/replica.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const TOP = "top", *const ENTRIES = "entries";

enum { ROOM_TRIES = 3000 }; /* a tenth of a millisecond each */

static const char *make_name(const struct undo *undo, uint32_t index, char out[HOSTFS_NAME_MAX])
{
    char number[12];
    (void)snprintf(number, sizeof(number), "%u", index);
    return hostfs_own_name(undo, number, out);
}

static int open_dir(int dir, const char *name)
{
    return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int quarantine_prepare(const struct fault_host *host, const struct path *path,
                       struct quarantine *ret, struct err *err)
{
    const char *leaf;
    CLEANUP_FD int parent = -1;
    memset(ret, 0, sizeof(*ret));
    ret->path = *path;
    if (hostfs_check_movable(host, path->s, err) != 0 ||
        hostfs_open_parent(host->root, path->s, &parent, &leaf, err) != 0 ||
        hostfs_stat(parent, "", &ret->parent, err) != 0)
        return -1;
    if (hostfs_stat(parent, leaf, &ret->top, err) != 0)
        return make_error(err, ERR_NOT_FOUND, 0, "%s is not there", path->s);
    return 0;
}

static int make_dir(int dir, const char *name, int *ret_fd, struct err *err)
{
    if (mkdirat(dir, name, 0700) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make the quarantine %s", name);
    *ret_fd = open_dir(dir, name);
    if (*ret_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the quarantine %s", name);
    return 0;
}

static int take_entries(int parent, const char *leaf, int keep, struct quarantine *q,
                        struct err *err)
{
    CLEANUP_FD int entries = -1;
    if (make_dir(keep, ENTRIES, &entries, err) != 0)
        return -1;
    CLEANUP_FD int top = open_dir(parent, leaf);
    if (top < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", q->path.s);
    if (hostfs_move_entries(top, entries, QUARANTINE_ENTRIES_MAX, &q->moved, err) != 0)
        return wrap_error(err, "empty %s", q->path.s);
    return 0;
}

int quarantine_take(const struct fault_host *host, const struct undo *undo, uint32_t index,
                    struct quarantine *q, struct err *err)
{
    char name[HOSTFS_NAME_MAX];
    const char *leaf;
    struct hostfs_meta now;
    CLEANUP_FD int parent = -1;
    CLEANUP_FD int keep = -1;
    if (hostfs_open_parent(host->root, q->path.s, &parent, &leaf, err) != 0)
        return -1;
    int rc = hostfs_stat(parent, leaf, &now, err);
    if (rc < 0)
        return -1;
    if (rc > 0 || !hostfs_is_same(&now, &q->top))
        return make_error(err, ERR_FOREIGN, 0, "%s was changed by others meanwhile", q->path.s);
    if (make_dir(parent, make_name(undo, index, name), &keep, err) != 0)
        return -1;
    if (S_ISDIR(now.mode) && take_entries(parent, leaf, keep, q, err) != 0)
        return -1;
    rc = hostfs_move(parent, leaf, keep, TOP, err);
    if (rc != 0)
        return rc < 0 ? -1 : make_error(err, ERR_FOREIGN, 0, "%s went away meanwhile", q->path.s);
    return hostfs_stat(parent, "", &q->parent_after, err) != 0 ? -1 : 0;
}

int quarantine_recreate(const struct fault_host *host, const struct undo *undo, uint32_t index,
                        struct quarantine *q, const char *template, struct err *err)
{
    char name[HOSTFS_NAME_MAX], from[2 * PATH_MAX_LEN + 1];
    const char *leaf;
    CLEANUP_FD int parent = -1;
    CLEANUP_FD int model = -1;
    if (hostfs_open_parent(host->root, q->path.s, &parent, &leaf, err) != 0)
        return -1;
    CLEANUP_FD int keep = open_dir(parent, make_name(undo, index, name));
    if (keep < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the quarantine of %s", q->path.s);
    (void)snprintf(from, sizeof(from), "%s%s", template != NULL ? template : "", q->path.s);
    int flags = O_RDONLY | (S_ISDIR(q->top.mode) ? O_DIRECTORY : 0);
    if (template != NULL && hostfs_open(host->root, from, flags, &model, err) != 0 &&
        err->code != ERR_NOT_FOUND)
        return -1;
    q->parent_after.dev = 0;          /* not known until it has been made */
    bool expected = q->discards != 0; /* automation may have been quicker: its own stands then */
    if (replica_make(keep, parent, leaf, &q->top, model, err) != 0 &&
        !(expected && err->code == ERR_FOREIGN))
        return wrap_error(err, "make %s again", q->path.s);
    return hostfs_stat(parent, "", &q->parent_after, err) != 0 ? -1 : 0;
}

bool quarantine_holds(const struct fault_host *host, const struct undo *undo, uint32_t index,
                      const struct quarantine *q)
{
    char name[HOSTFS_NAME_MAX];
    const char *leaf;
    struct hostfs_meta meta;
    CLEANUP_FD int parent = -1;
    if (hostfs_open_parent(host->root, q->path.s, &parent, &leaf, NULL) != 0)
        return false;
    CLEANUP_FD int keep = open_dir(parent, make_name(undo, index, name));
    if (keep < 0 || hostfs_stat(keep, TOP, &meta, NULL) != 0)
        return false;
    return hostfs_stat(parent, leaf, &meta, NULL) == 1 || q->discards != 0 ||
           replica_is_ours(keep, parent, leaf, NULL) == 1;
}

static int leave_foreign(const struct quarantine *q, const char *name, const char *why,
                         struct revert_report *ret)
{
    size_t used = strlen(ret->manual);
    ret->foreign = true;
    (void)snprintf(ret->what, sizeof(ret->what), "%.80s %s", q->path.s, why);
    (void)snprintf(ret->manual + used, sizeof(ret->manual) - used,
                   "what was %.100s lies beside it in %s (top: the directory, entries: what was in "
                   "it)\n",
                   q->path.s, name);
    return 0;
}

/* The emptied directory, be it still (or again) in its place or in our keeping. 1: foreign. What
 * cannot be opened is not taken for what is gone. */
static int open_emptied(int parent, const char *leaf, int keep, const struct quarantine *q,
                        int *ret_fd, struct err *err)
{
    struct hostfs_meta now;
    CLEANUP_FD int top = open_dir(keep, TOP);
    bool kept = top >= 0 || errno != ENOENT;
    if (!kept)
        top = open_dir(parent, leaf);
    if (top < 0 && !kept && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
        return 1;
    if (top < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the directory that was emptied");
    if (!kept && hostfs_stat(top, "", &now, err) != 0)
        return -1;
    if (!kept && !hostfs_is_same(&now, &q->top))
        return 1;
    *ret_fd = steal_fd(&top);
    return 0;
}

static int restore_entries(int parent, const char *leaf, int keep, const struct quarantine *q,
                           struct err *err)
{
    uint32_t moved;
    CLEANUP_FD int top = -1;
    CLEANUP_FD int entries = open_dir(keep, ENTRIES);
    if (entries < 0)
        return errno == ENOENT ? 0 : make_error(err, ERR_SYSTEM, errno, "open the quarantine");
    int rc = open_emptied(parent, leaf, keep, q, &top, err);
    if (rc != 0)
        return rc;
    if (hostfs_move_entries(entries, top, UINT32_MAX, &moved, err) != 0)
        return err->code == ERR_FOREIGN ? 1 : -1;
    if (unlinkat(keep, ENTRIES, AT_REMOVEDIR) != 0)
        return make_error(err, ERR_SYSTEM, errno, "remove the emptied quarantine");
    return 0;
}

static bool is_untouched(const struct hostfs_meta *now, const struct quarantine *q)
{
    return q->parent_after.dev == 0 || hostfs_has_mtime(now, &q->parent_after) ||
           hostfs_has_mtime(now, &q->parent);
}

/* Times last: each of our own steps has moved them. */
static int restore_times(int parent, const char *leaf, const struct quarantine *q, bool untouched,
                         struct err *err)
{
    struct hostfs_meta now;
    int rc = hostfs_stat(parent, leaf, &now, err);
    if (rc < 0)
        return -1;
    if (rc > 0 || !hostfs_is_same(&now, &q->top))
        return 0;
    if (S_ISDIR(now.mode) && hostfs_put_mtime(parent, leaf, &q->top, err) != 0)
        return -1;
    return untouched ? hostfs_put_mtime(parent, "", &q->parent, err) : 0;
}

/* What stands in the path's place and may be taken away; only once the original is in our keeping
 * can that not be the original itself. */
static int make_room(int parent, const char *leaf, int keep, const struct quarantine *q,
                     struct err *err)
{
    struct hostfs_meta top;
    int absent = hostfs_stat(keep, TOP, &top, err);
    if (absent != 0)
        return absent < 0 ? -1 : 0;
    return replica_set_aside(keep, parent, leaf, q->discards != 0, err) < 0 ? -1 : 0;
}

static int remove_replica(int keep, const struct quarantine *q, struct revert_report *ret,
                          struct err *err)
{
    struct replica_written written;
    int left = replica_is_left(keep, err);
    if (left <= 0)
        return left;
    if (replica_remove(keep, &written, err) != 0)
        return -1;
    if (written.n > 0 && !ret->foreign)
        (void)snprintf(ret->what, sizeof(ret->what),
                       "%.40s is back; written meanwhile and gone: %u entries (%.60s)", q->path.s,
                       written.n, written.names);
    return 0;
}

/* The original stands in its place again; what is left in our keeping goes. */
static int finish(int parent, const char *leaf, int keep, const char *name,
                  const struct quarantine *q, struct revert_report *ret, struct err *err)
{
    struct hostfs_meta now;
    if (!ret->foreign)
        (void)snprintf(ret->what, sizeof(ret->what), "%.80s is back", q->path.s);
    if (remove_replica(keep, q, ret, err) != 0)
        return -1;
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0)
        return make_error(err, ERR_SYSTEM, errno, "remove the quarantine %s", name);
    int rc = hostfs_stat(parent, leaf, &now, err);
    if (rc < 0)
        return -1;
    if (rc > 0 || !hostfs_is_same(&now, &q->top))
        return make_error(err, ERR_DIRTY, 0, "%s does not read back as it was", q->path.s);
    return 0;
}

/* The last step: until then what stands in the path's place serves. Automation may be quicker than
 * this, and again: where that is expected, what it makes is taken away each time. */
static int put_top(int parent, const char *leaf, int keep, const struct quarantine *q,
                   struct err *err)
{
    struct replica_written ignored;
    for (unsigned tries = 1;; tries++) {
        if (make_room(parent, leaf, keep, q, err) != 0)
            return -1;
        int rc = hostfs_move(keep, TOP, parent, leaf, err);
        if (rc >= 0 || err->code != ERR_FOREIGN || q->discards == 0 || tries == ROOM_TRIES)
            return rc;
        if (replica_remove(keep, &ignored, err) != 0)
            return -1;
    }
}

static int restore_from(int parent, const char *leaf, int keep, const char *name,
                        const struct quarantine *q, struct revert_report *ret, struct err *err)
{
    struct hostfs_meta top, now;
    int absent = hostfs_stat(keep, TOP, &top, err);
    if (absent < 0 || hostfs_stat(parent, "", &now, err) != 0)
        return -1;
    int moved = replica_was_moved(keep, parent, leaf, err);
    if (moved < 0)
        return -1;
    /* While the top is not in our keeping, the last change of the directory above was our own: a
     * deletion or a restore that was cut short. */
    bool untouched = absent == 1 || is_untouched(&now, q) || moved == 1;
    int rc = restore_entries(parent, leaf, keep, q, err);
    if (rc < 0)
        return wrap_error(err, "%s", q->path.s);
    if (rc > 0)
        return leave_foreign(q, name, "was changed by others: not all of it could go back", ret);
    if (put_top(parent, leaf, keep, q, err) < 0)
        return err->code == ERR_FOREIGN
                   ? leave_foreign(q, name, "was made again by others and left so", ret)
                   : wrap_error(err, "%s", q->path.s);
    if (finish(parent, leaf, keep, name, q, ret, err) != 0)
        return -1;
    return restore_times(parent, leaf, q, untouched, err);
}

int quarantine_restore(const struct fault_host *host, const struct undo *undo, uint32_t index,
                       const struct quarantine *q, struct revert_report *ret, struct err *err)
{
    char name[HOSTFS_NAME_MAX];
    const char *leaf;
    CLEANUP_FD int parent = -1;
    if (hostfs_open_parent(host->root, q->path.s, &parent, &leaf, err) != 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        return leave_foreign(q, "", "cannot go back: the directory above it is gone", ret);
    }
    CLEANUP_FD int keep = open_dir(parent, make_name(undo, index, name));
    if (keep < 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "open the quarantine of %s", q->path.s);
    if (keep < 0)
        return restore_times(parent, leaf, q, true, err);
    return restore_from(parent, leaf, keep, name, q, ret, err);
}
