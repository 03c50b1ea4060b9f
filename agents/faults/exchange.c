/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/exchange.h"
#include "agents/host/service.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const exchange_applies[] = {"none", "reload", "restart", NULL};

int exchange_check(int apply, const struct name *service, struct err *err)
{
    if ((apply != EXCHANGE_NONE) != (service->s[0] != '\0'))
        return make_error(err, ERR_INPUT, 0,
                          "apply: reload or restart, and service, are given together");
    return 0;
}

/* The place, opened: what apply, verify and revert start from. */
struct place {
    int dir;
    const char *leaf;
    char file[HOSTFS_NAME_MAX], todo[HOSTFS_NAME_MAX];
};

static void place_close(struct place *place)
{
    if (place->dir >= 0)
        (void)close(place->dir);
}
#define CLEANUP_PLACE __attribute__((cleanup(place_close)))

static int place_open(const struct fault_host *host, const char *path, const struct undo *undo,
                      struct place *ret, struct err *err)
{
    ret->dir = -1;
    (void)hostfs_own_name(undo, "file", ret->file);
    (void)hostfs_own_name(undo, "todo", ret->todo);
    return hostfs_open_parent(host->root, path, &ret->dir, &ret->leaf, err);
}

static int read_original(const struct place *place, struct exchange *x, struct err *err)
{
    int rc = hostfs_stat(place->dir, place->leaf, &x->original, err);
    if (rc != 0)
        return rc < 0 ? -1 : make_error(err, ERR_NOT_FOUND, 0, "%s is not there", x->path.s);
    if (S_ISLNK(x->original.mode))
        return make_error(err, ERR_REFUSED, 0, "%s is a symbolic link: name what it points to",
                          x->path.s);
    if (!S_ISREG(x->original.mode) || x->original.size > EXCHANGE_MAX)
        return make_error(err, ERR_REFUSED, 0, "%s is not a regular file of at most %d bytes",
                          x->path.s, EXCHANGE_MAX);
    if (hostfs_stat(place->dir, "", &x->parent, err) != 0)
        return -1;
    return hostfs_digest(place->dir, place->leaf, &x->original_digest, err);
}

static int check_service(const struct fault_host *host, const struct exchange *x, struct err *err)
{
    int32_t pid = 0, state = 0;
    if (x->apply == EXCHANGE_NONE)
        return 0;
    if (!host->lab)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "only a lab's init reloads and restarts services; use apply: none");
    if (hostctl_service(HOSTCTL_STATUS, x->service.s, 0, NS_PER_SEC, &pid, &state, err) != 0)
        return wrap_error(err, "service %s", x->service.s);
    if (!service_is_up(state))
        return make_error(err, ERR_NOT_FOUND, 0, "service %s is not running", x->service.s);
    return 0;
}

static int read_content(const struct place *place, const char *path, struct buf *out,
                        struct err *err)
{
    CLEANUP_FD int fd = openat(place->dir, place->leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    return buf_read_fd(out, fd, err) != 0 ? wrap_error(err, "%s", path) : 0;
}

int exchange_prepare(const struct fault_host *host, const struct undo *undo, struct exchange *x,
                     struct buf *ret_now, struct err *err)
{
    CLEANUP_PLACE struct place place;
    if (place_open(host, x->path.s, undo, &place, err) != 0 || read_original(&place, x, err) != 0)
        return -1;
    return read_content(&place, x->path.s, ret_now, err);
}

int exchange_promise(const struct fault_host *host, struct exchange *x, const void *version,
                     size_t len, struct err *err)
{
    x->digest = DIGEST_START;
    digest_add(&x->digest, version, len);
    if (x->digest == x->original_digest)
        return make_error(err, ERR_INPUT, 0, "%s would not change", x->path.s);
    return check_service(host, x, err);
}

int exchange_read(const struct fault_host *host, const struct undo *undo, const struct exchange *x,
                  struct buf *ret_now, struct err *err)
{
    CLEANUP_PLACE struct place place;
    if (place_open(host, x->path.s, undo, &place, err) != 0)
        return -1;
    return read_content(&place, x->path.s, ret_now, err);
}

static int tell_service(const struct exchange *x, struct err *err)
{
    return service_tell(x->apply == EXCHANGE_RELOAD ? HOSTCTL_RELOAD : HOSTCTL_RESTART,
                        x->service.s, err);
}

/* Ours goes to the hidden name, and one exchange puts it in place: the path is never absent. */
static int put_in_place(const struct place *place, const struct exchange *x, const void *version,
                        size_t len, struct err *err)
{
    if (hostfs_write_like(place->dir, place->file, place->leaf, version, len, err) != 0)
        return -1;
    if (x->apply != EXCHANGE_NONE) {
        CLEANUP_FD int fd =
            openat(place->dir, place->todo, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return make_error(err, ERR_SYSTEM, errno, "create %s", place->todo);
    }
    if (renameat2(place->dir, place->file, place->dir, place->leaf, RENAME_EXCHANGE) != 0)
        return make_error(err, ERR_SYSTEM, errno, "put the new version of %s in place", x->path.s);
    if (fsync(place->dir) != 0)
        return make_error(err, ERR_SYSTEM, errno, "fsync the directory of %s", x->path.s);
    return 0;
}

int exchange_put(const struct fault_host *host, const struct undo *undo, struct exchange *x,
                 const void *version, size_t len, struct err *err)
{
    struct hostfs_meta now;
    struct err told;
    CLEANUP_PLACE struct place place;
    if (place_open(host, x->path.s, undo, &place, err) != 0)
        return -1;
    int rc = hostfs_stat(place.dir, place.leaf, &now, err);
    if (rc < 0)
        return -1;
    if (rc > 0 || !hostfs_is_same(&now, &x->original) || !hostfs_has_mtime(&now, &x->original))
        return make_error(err, ERR_FOREIGN, 0, "%s was changed by others meanwhile", x->path.s);
    if (put_in_place(&place, x, version, len, err) != 0 ||
        hostfs_stat(place.dir, "", &x->parent_after, err) != 0)
        return -1;
    /* That the service does not come up with the bad version is the harm, not a failure. */
    if (x->apply != EXCHANGE_NONE && tell_service(x, &told) != 0)
        x->told = (int32_t)told.code;
    return 0;
}

enum identity { IS_ABSENT, IS_ORIGINAL, IS_OURS, IS_OTHER };

/* Is it all that the original was, but its inode? An overlay gives a moved file a new one. */
static bool looks_original(const struct hostfs_meta *is, const struct exchange *x)
{
    return hostfs_has_mtime(is, &x->original) && is->size == x->original.size &&
           is->mode == x->original.mode && is->uid == x->original.uid && is->gid == x->original.gid;
}

/* A file that cannot be read is not taken for another one: what follows from that is deletion. */
static int identify(const struct place *place, const char *leaf, const struct exchange *x,
                    enum identity *ret, struct err *err)
{
    struct hostfs_meta is;
    uint64_t digest = 0;
    int rc = hostfs_stat(place->dir, leaf, &is, err);
    if (rc < 0)
        return -1;
    *ret = rc == 0 ? IS_OTHER : IS_ABSENT;
    if (rc == 0 && hostfs_is_same(&is, &x->original))
        *ret = IS_ORIGINAL;
    if (*ret != IS_OTHER || !S_ISREG(is.mode))
        return 0;
    if (hostfs_digest(place->dir, leaf, &digest, err) != 0)
        return -1;
    if (digest == x->digest)
        *ret = IS_OURS;
    else if (digest == x->original_digest && looks_original(&is, x))
        *ret = IS_ORIGINAL;
    return 0;
}

static int look(const struct fault_host *host, const struct undo *undo, const struct exchange *x,
                bool *ret_ours, bool *ret_kept, struct err *err)
{
    CLEANUP_PLACE struct place place = {.dir = -1};
    enum identity now, kept;
    if (place_open(host, x->path.s, undo, &place, err) != 0 ||
        identify(&place, place.leaf, x, &now, err) != 0 ||
        identify(&place, place.file, x, &kept, err) != 0)
        return -1;
    *ret_ours = now == IS_OURS || x->discards != 0;
    *ret_kept = kept == IS_ORIGINAL;
    return 0;
}

int exchange_verify(const struct fault_host *host, const struct undo *undo,
                    const struct exchange *x, bool *ret_active, struct err *err)
{
    bool ours, kept;
    if (look(host, undo, x, &ours, &kept, err) != 0)
        return -1;
    *ret_active = ours && kept;
    return 0;
}

int exchange_evidence(const struct fault_host *host, const struct undo *undo,
                      const struct exchange *x, struct evidence *ret, struct err *err)
{
    static const char *const did[] = {"", ", reload", ", restart"};
    bool ours, kept;
    if (look(host, undo, x, &ours, &kept, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"file_is_ours", ours};
    ret->items[1] = (struct evidence_item){"original_kept", kept};
    ret->proven = ours && kept;
    (void)snprintf(ret->what, sizeof(ret->what), "%.80s %s%s%s%s", x->path.s,
                   ours ? "reads back as pushed" : "is not as pushed",
                   did[x->apply >= 0 && x->apply <= EXCHANGE_RESTART ? x->apply : 0],
                   x->told != 0 ? ": " : "", x->told != 0 ? err_word((enum err_code)x->told) : "");
    return 0;
}

static int remove_own(const struct place *place, const char *leaf, struct err *err)
{
    if (unlinkat(place->dir, leaf, 0) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", leaf);
    return 0;
}

static int leave_foreign(const struct place *place, const struct exchange *x, enum identity kept,
                         struct revert_report *ret)
{
    ret->foreign = true;
    (void)unlinkat(place->dir, place->todo, 0); /* nobody will be told any more */
    (void)snprintf(ret->what, sizeof(ret->what), "%.60s was changed by others and left so",
                   x->path.s);
    if (kept != IS_ABSENT)
        (void)snprintf(ret->manual, sizeof(ret->manual),
                       "the original of %s lies beside it: mv %s onto it", x->path.s, place->file);
    return 0;
}

/* The service reads the restored file; one that died of the bad version is started. */
static int heal_service(const struct place *place, const struct exchange *x,
                        struct revert_report *ret, struct err *err)
{
    int32_t pid = 0, state = 0;
    struct hostfs_meta todo;
    int absent = x->apply == EXCHANGE_NONE ? 1 : hostfs_stat(place->dir, place->todo, &todo, err);
    if (absent != 0)
        return absent < 0 ? -1 : 0;
    if (hostctl_service(HOSTCTL_STATUS, x->service.s, 0, NS_PER_SEC, &pid, &state, err) != 0)
        return wrap_error(err, "service %s", x->service.s);
    int rc = x->apply == EXCHANGE_RELOAD && !service_is_up(state)
                 ? service_heal(x->service.s, false, ret, err)
                 : tell_service(x, err);
    if (rc != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "%s the service %s of this host",
                       exchange_applies[x->apply], x->service.s);
        return wrap_error(err, "%s of service %s with the restored file",
                          exchange_applies[x->apply], x->service.s);
    }
    return 0;
}

/* Takes our own names away, and with them the trace in the directory's time, unless others changed
 * the directory too. */
static int tidy(const struct place *place, const struct exchange *x, bool others, struct err *err)
{
    if (remove_own(place, place->todo, err) != 0)
        return -1;
    return others ? 0 : hostfs_put_mtime(place->dir, "", &x->parent, err);
}

static int restore(const struct place *place, const struct exchange *x, enum identity now,
                   struct revert_report *ret, struct err *err)
{
    struct hostfs_meta parent;
    if (now != IS_OURS && x->discards == 0)
        return leave_foreign(place, x, IS_ORIGINAL, ret);
    if (hostfs_stat(place->dir, "", &parent, err) != 0)
        return -1;
    bool others = x->parent_after.dev != 0 && !hostfs_has_mtime(&parent, &x->parent_after);
    if (renameat(place->dir, place->file, place->dir, place->leaf) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "put back %s", x->path.s);
    if (identify(place, place->leaf, x, &now, err) != 0)
        return -1;
    if (now != IS_ORIGINAL)
        return make_error(err, ERR_DIRTY, 0, "%s does not read back as it was", x->path.s);
    (void)fsync(place->dir);
    (void)snprintf(ret->what, sizeof(ret->what), "%.100s is as it was", x->path.s);
    return heal_service(place, x, ret, err) != 0 ? -1 : tidy(place, x, others, err);
}

static int put_back(const struct place *place, const struct exchange *x, enum identity kept,
                    enum identity now, struct revert_report *ret, struct err *err)
{
    if (kept == IS_ORIGINAL || (kept == IS_OTHER && now == IS_OURS))
        return restore(place, x, now, ret, err);
    if (kept == IS_OURS || (kept == IS_OTHER && now == IS_ORIGINAL)) {
        /* Not yet exchanged: the hidden file is our version, whole or half written. */
        if (remove_own(place, place->file, err) != 0)
            return -1;
        return tidy(place, x, false, err);
    }
    if (now != IS_ORIGINAL)
        return leave_foreign(place, x, kept, ret);
    return heal_service(place, x, ret, err) != 0 ? -1 : tidy(place, x, false, err);
}

int exchange_revert(const struct fault_host *host, const struct undo *undo,
                    const struct exchange *x, struct revert_report *ret, struct err *err)
{
    CLEANUP_PLACE struct place place = {.dir = -1};
    enum identity kept = IS_ABSENT, now = IS_ABSENT;
    if (place_open(host, x->path.s, undo, &place, err) != 0 ||
        identify(&place, place.file, x, &kept, err) != 0 ||
        identify(&place, place.leaf, x, &now, err) != 0)
        return -1;
    return put_back(&place, x, kept, now, ret, err);
}
