/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/file_damage.h"
#include "agents/host/hostfs.h"
#include "base/cleanup.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { FORMAT = 1, SECTOR = 512, DIGEST_SIZE_MAX = 16 * 1024 * 1024 };

struct args {
    struct path path;
    int how;
    int64_t bits, seed;
    struct bytes from, length, tail;
};

static const char *const hows[] = {"flip", "cut", "zero", NULL};

static const struct param params[] = {
    P(struct args, PARAM_PATH, path, .required = true, .doc = "The file in the host."),
    P(struct args, PARAM_ENUM, how, .choices = hows, .def = "flip",
      .doc = "flip: single bits, as a bad disk does. cut, zero: the tail of a torn write, missing "
             "or never written."),
    P(struct args, PARAM_INT, bits, .def = "8", .min = 1, .max = DAMAGE_BITS_MAX,
      .doc = "flip: how many bits; of a shorter range, all."),
    P(struct args, PARAM_INT, seed, .def = "1", .min = 1, .max = INT32_MAX,
      .doc = "flip: which bits; the same seed draws the same ones."),
    P(struct args, PARAM_BYTES, from, .doc = "flip: the first byte of the range; not given: 0B."),
    P(struct args, PARAM_BYTES, length,
      .doc = "flip: how long the range is; not given: to the end of the file."),
    P(struct args, PARAM_BYTES, tail, .min = 1, .max = DAMAGE_TAIL_MAX,
      .doc = "cut, zero: how many of the last bytes; not given: 512B, a sector."),
};

struct corrupt_undo {
    uint32_t version;
    uint32_t has_digest;
    uint64_t digest; /* of the whole file, when it is not too large */
    struct hostfs_meta original;
    struct hostfs_meta after; /* noted by apply; dev 0: not noted */
    struct path path;
    struct damage damage;
};
_Static_assert(sizeof(struct corrupt_undo) <= UNDO_DATA_MAX, "fits the undo record");

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    if (a->how == DAMAGE_FLIP && a->tail.n != 0)
        return make_error(err, ERR_INPUT, 0, "tail goes with how: cut or how: zero");
    if (a->how != DAMAGE_FLIP && (a->from.n != 0 || a->length.n != 0))
        return make_error(err, ERR_INPUT, 0, "from and length go with how: flip");
    return 0;
}

static const struct corrupt_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct corrupt_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL || damage_is_sound(&u->damage))
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int open_file(int dir, const char *leaf, const char *path, int flags, int *ret_fd,
                     struct err *err)
{
    *ret_fd = openat(dir, leaf, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (*ret_fd < 0 && errno == ETXTBSY)
        return make_error(err, ERR_REFUSED, 0, "%s is a program that runs just now", path);
    if (*ret_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open %s", path);
    return 0;
}

static int read_original(int dir, const char *leaf, struct corrupt_undo *u, int *ret_fd,
                         struct err *err)
{
    int rc = hostfs_stat(dir, leaf, &u->original, err);
    if (rc != 0)
        return rc < 0 ? -1 : make_error(err, ERR_NOT_FOUND, 0, "%s is not there", u->path.s);
    if (S_ISLNK(u->original.mode))
        return make_error(err, ERR_REFUSED, 0, "%s is a symbolic link: name what it points to",
                          u->path.s);
    if (!S_ISREG(u->original.mode))
        return make_error(err, ERR_REFUSED, 0, "%s is not a regular file", u->path.s);
    if (open_file(dir, leaf, u->path.s, O_RDONLY, ret_fd, err) != 0)
        return -1;
    if (fgetxattr(*ret_fd, "security.capability", NULL, 0) > 0)
        return make_error(err, ERR_REFUSED, 0,
                          "%s has file capabilities, which any write to it takes away", u->path.s);
    u->has_digest = u->original.size <= DIGEST_SIZE_MAX;
    return u->has_digest ? hostfs_digest(dir, leaf, &u->digest, err) : 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct corrupt_undo *u = (void *)undo->data;
    const char *leaf;
    CLEANUP_FD int dir = -1;
    CLEANUP_FD int fd = -1;
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->path = a->path;
    if (hostfs_open_parent(host->root, u->path.s, &dir, &leaf, err) != 0 ||
        read_original(dir, leaf, u, &fd, err) != 0)
        return -1;
    int rc = a->how == DAMAGE_FLIP
                 ? damage_draw_flips(fd, a->from.n, a->length.n, (uint32_t)a->bits,
                                     (uint64_t)a->seed, &u->damage, err)
                 : damage_read_tail(fd, (enum damage_how)a->how,
                                    a->tail.n != 0 ? a->tail.n : SECTOR, &u->damage, err);
    return rc != 0 ? wrap_error(err, "%s", u->path.s) : 0;
}

/* Decay and torn writes leave no trace in a file's times, so neither do we. */
static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct corrupt_undo *u = (void *)undo->data;
    struct hostfs_meta now;
    const char *leaf;
    CLEANUP_FD int dir = -1;
    CLEANUP_FD int fd = -1;
    (void)args;
    if (hostfs_open_parent(host->root, u->path.s, &dir, &leaf, err) != 0)
        return -1;
    int rc = hostfs_stat(dir, leaf, &now, err);
    if (rc < 0)
        return -1;
    if (rc > 0 || !hostfs_is_same(&now, &u->original) || !hostfs_has_mtime(&now, &u->original))
        return make_error(err, ERR_FOREIGN, 0, "%s was changed by others meanwhile", u->path.s);
    if (open_file(dir, leaf, u->path.s, O_RDWR, &fd, err) != 0)
        return -1;
    if (damage_do(fd, &u->damage, err) != 0)
        return wrap_error(err, "%s", u->path.s);
    if (hostfs_put_mtime(fd, "", &u->original, err) != 0)
        return -1;
    return hostfs_stat(fd, "", &u->after, err) < 0 ? -1 : 0;
}

/* An overlay may give the file another inode when it is first written to: what apply noted counts
 * too; without that, the bytes have to tell. 1: it is another file, or none. */
static int open_ours(const struct fault_host *host, const struct corrupt_undo *u, int flags,
                     int *ret_fd, struct hostfs_meta *ret_now, struct err *err)
{
    const char *leaf;
    struct damage_count count;
    CLEANUP_FD int dir = -1;
    CLEANUP_FD int fd = -1;
    if (hostfs_open_parent(host->root, u->path.s, &dir, &leaf, err) != 0)
        return err->code == ERR_NOT_FOUND ? 1 : -1;
    int rc = hostfs_stat(dir, leaf, ret_now, err);
    if (rc != 0)
        return rc;
    if (!S_ISREG(ret_now->mode))
        return 1;
    if (open_file(dir, leaf, u->path.s, flags, &fd, err) != 0)
        return -1;
    bool same = hostfs_is_same(ret_now, &u->original) || hostfs_is_same(ret_now, &u->after);
    if (!same && u->after.dev != 0)
        return 1;
    if (!same) {
        if (damage_count(fd, &u->damage, &count, err) != 0)
            return -1;
        if (count.other > 0 || ret_now->size > u->damage.end)
            return 1;
    }
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int look(struct fault_host *host, const struct undo *undo, struct damage_count *ret,
                struct err *err)
{
    const struct corrupt_undo *u = read_undo(undo, err);
    struct hostfs_meta now;
    CLEANUP_FD int fd = -1;
    *ret = (struct damage_count){0};
    int rc = u == NULL ? -1 : open_ours(host, u, O_RDONLY, &fd, &now, err);
    return rc != 0 ? (rc < 0 ? -1 : 0) : damage_count(fd, &u->damage, ret, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    struct damage_count count;
    if (look(host, undo, &count, err) != 0)
        return -1;
    *ret_active = count.ours > 0;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct corrupt_undo *u = (const void *)undo->data;
    struct damage_count count;
    if (look(host, undo, &count, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"bytes_wrong", count.ours};
    ret->items[1] = (struct evidence_item){"bytes_others_wrote", count.other};
    ret->proven = count.ours > 0;
    (void)snprintf(ret->what, sizeof(ret->what), "%u bytes of %.80s %s", count.ours, u->path.s,
                   u->damage.how == DAMAGE_CUT ? "are missing" : "read back wrong");
    return 0;
}

static int leave_foreign(const struct corrupt_undo *u, const char *what, struct revert_report *ret)
{
    ret->foreign = true;
    (void)snprintf(ret->what, sizeof(ret->what), "%.60s %s", u->path.s, what);
    (void)snprintf(ret->manual, sizeof(ret->manual),
                   "restore %s from a copy of your own if it has to be as it was", u->path.s);
    return 0;
}

/* Is the file's time one that we gave it? */
static bool has_our_time(const struct corrupt_undo *u, const struct hostfs_meta *now)
{
    return u->after.dev == 0 || hostfs_has_mtime(now, &u->after) ||
           hostfs_has_mtime(now, &u->original);
}

/* What a revert leaves that died before it set the time: some flips taken back, or all is. */
static bool is_begun(const struct corrupt_undo *u, const struct damage_count *count)
{
    return count->ours == 0 || (u->damage.how == DAMAGE_FLIP && count->original > 0);
}

/* Then only the whole content can tell that nobody else wrote. */
static int has_our_content(int fd, const struct corrupt_undo *u, bool *ret, struct err *err)
{
    uint64_t digest = 0;
    struct hostfs_meta now;
    if (hostfs_stat(fd, "", &now, err) < 0 ||
        (u->has_digest != 0 && hostfs_digest_fd(fd, &digest, err) != 0))
        return -1;
    *ret = now.size == u->original.size && (u->has_digest == 0 || digest == u->digest);
    return 0;
}

static int mend(int fd, const struct corrupt_undo *u, struct damage_count *count, struct err *err)
{
    if (count->ours == 0)
        return 0;
    return damage_undo(fd, &u->damage, err) != 0 ? -1 : damage_count(fd, &u->damage, count, err);
}

static int put_back(int fd, const struct corrupt_undo *u, const struct hostfs_meta *now,
                    struct revert_report *ret, struct err *err)
{
    struct damage_count count;
    if (damage_count(fd, &u->damage, &count, err) != 0)
        return -1;
    uint32_t to_mend = count.ours;
    bool our_time = has_our_time(u, now), begun = is_begun(u, &count);
    if (mend(fd, u, &count, err) != 0)
        return -1;
    if (count.other > 0)
        return leave_foreign(u, "was written to by others: their bytes stay", ret);
    if (count.ours > 0)
        return make_error(err, ERR_DIRTY, 0, "it does not read back as it was");
    if (!our_time && begun && has_our_content(fd, u, &our_time, err) != 0)
        return -1;
    (void)snprintf(ret->what, sizeof(ret->what), "%u bytes of %.80s are as they were%s", to_mend,
                   u->path.s, our_time ? "" : "; others wrote elsewhere in it");
    if (our_time)
        return hostfs_put_mtime(fd, "", &u->original, err);
    ret->foreign = true;
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct corrupt_undo *u = read_undo(undo, err);
    struct hostfs_meta now;
    CLEANUP_FD int fd = -1;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    int rc = open_ours(host, u, O_RDWR, &fd, &now, err);
    if (rc > 0)
        return leave_foreign(u, "was replaced or removed by others and is left so", ret);
    if (rc < 0 || put_back(fd, u, &now, ret, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "restore %s from a copy of your own",
                       u->path.s);
        return wrap_error(err, "%s", u->path.s);
    }
    return 0;
}

const struct fault fault_file_corrupt = {
    .name = "file.corrupt",
    .summary = "Damages a file's content: flipped bits, or the torn tail of a write.",
    .doc =
        "Works on the file itself, so that programs which have it open or mapped read the damage "
        "too; what they hold in memory of their own stays good. Size (but for a cut), owner, mode "
        "and times stay as they were. At the end only the bytes that are still as they were left "
        "are put back: what others wrote meanwhile stays, as does a file that they put in its "
        "place. Programs that run, and files with capabilities, are refused.",
    .example = "- fault: file.corrupt\n"
               "  hosts: n1\n"
               "  path: /etc/nginx/nginx.conf\n"
               "  bits: 12\n"
               "  for: 5s\n",
    .footprint = "the content of the file `path`",
    .touches = TOUCHES_FILES,
    .act = ACT_WRITE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_FOWNER) |
            (UINT64_C(1) << CAP_FSETID),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    FAULT_PARAMS(struct args, params),
    .supported = hostfs_supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
