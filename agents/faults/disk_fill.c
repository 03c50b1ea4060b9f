/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/bearer.h"
#include "agents/host/hostfs.h"
#include "agents/host/mounts.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FORMAT = 1, LOOK_MS = 100, RATIO_ALL = 1000000 };
enum { COUNT_TAKEN, COUNT_INODES };
/* One mapping each, of which a process may have 65,530. */
enum { INODES_MAX = 60000 };

struct args {
    struct path path;
    struct bytes size, leave;
    struct ratio leave_share;
    bool inodes;
};

static const struct param params[] = {
    P(struct args, PARAM_PATH, path, .required = true,
      .doc = "A directory of the file system to fill."),
    P(struct args, PARAM_BYTES, size, .doc = "Take so much of what is free, and no more."),
    P(struct args, PARAM_BYTES, leave, .doc = "Leave so much free, and keep it so."),
    P(struct args, PARAM_RATIO, leave_share,
      .doc = "Leave this share of the file system free, and keep it so."),
    P(struct args, PARAM_BOOL, inodes, .def = "false",
      .doc = "Use up inodes instead of bytes: no more files can be made, however much is free. At "
             "most 60,000 free ones."),
};

struct fill_undo {
    uint32_t version;
    uint32_t inodes;
    uint64_t dev, size;    /* size: of the whole file system */
    struct proc_id filler; /* noted by apply */
    struct path path;
};
_Static_assert(sizeof(struct fill_undo) <= UNDO_DATA_MAX, "fits the undo record");

/* In the filler's own process. */
struct filler {
    uint64_t size;  /* 0: as much as is there */
    uint64_t leave; /* as `df` counts it */
    uint64_t block; /* the smallest step */
    uint64_t leave_inodes;
    bool inodes;
    bool to_the_end; /* also what only root may use */
    uint64_t taken;
};

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    if ((a->size.n != 0) + (a->leave.n != 0) + (a->leave_share.ppm != 0) > 1)
        return make_error(err, ERR_INPUT, 0,
                          "give one of size, leave and leave_share; none of them fills all of it");
    if (a->inodes && (a->size.n != 0 || a->leave.n != 0))
        return make_error(err, ERR_INPUT, 0, "inodes goes with leave_share, or alone");
    return 0;
}

static int open_dir(const struct fault_host *host, const char *path, int *ret_fd,
                    struct statvfs *ret, struct err *err)
{
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, path, O_RDONLY | O_DIRECTORY, &fd, err) != 0)
        return -1;
    if (fstatvfs(fd, ret) != 0)
        return make_error(err, ERR_SYSTEM, errno, "statvfs %s", path);
    *ret_fd = steal_fd(&fd);
    return 0;
}

static uint64_t share_of(uint64_t all, struct ratio share)
{
    return all / RATIO_ALL * share.ppm + all % RATIO_ALL * share.ppm / RATIO_ALL;
}

static struct filler make_filler(const struct args *a, const struct statvfs *fs)
{
    uint64_t all = (uint64_t)fs->f_blocks * fs->f_frsize;
    uint64_t leave = a->leave.n != 0 ? a->leave.n : share_of(all, a->leave_share);
    return (struct filler){
        .size = a->size.n,
        .leave = leave,
        .block = fs->f_frsize,
        .leave_inodes = share_of(fs->f_files, a->leave_share),
        .inodes = a->inodes,
        .to_the_end = a->size.n == 0 && leave == 0,
    };
}

static int check_inodes(const struct filler *f, const struct statvfs *fs, const char *path,
                        struct err *err)
{
    if ((fs->f_flag & ST_RDONLY) != 0)
        return make_error(err, ERR_REFUSED, 0, "%s is mounted read-only", path);
    if (fs->f_files == 0)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "the file system at %s has no fixed number of inodes", path);
    if (fs->f_ffree <= f->leave_inodes || fs->f_ffree - f->leave_inodes > INODES_MAX)
        return make_error(err, ERR_REFUSED, 0,
                          "%s has %llu free inodes: between 1 and %d can be used up", path,
                          (unsigned long long)fs->f_ffree, INODES_MAX);
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct fill_undo *u = (void *)undo->data;
    struct statvfs fs;
    struct mount_info mount;
    CLEANUP_FD int fd = -1;
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->path = a->path;
    if (open_dir(host, a->path.s, &fd, &fs, err) != 0 ||
        mounts_find(host, fd, a->path.s, &mount, err) != 0 ||
        mounts_check_own(host, &mount, a->path.s, err) != 0)
        return -1;
    u->dev = mount.dev;
    u->size = (uint64_t)fs.f_blocks * fs.f_frsize;
    u->inodes = a->inodes;
    struct filler f = make_filler(a, &fs);
    if (a->inodes)
        return check_inodes(&f, &fs, a->path.s, err);
    uint64_t free = (uint64_t)(f.to_the_end ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    if ((fs.f_flag & ST_RDONLY) != 0)
        return make_error(err, ERR_REFUSED, 0, "%s is mounted read-only", a->path.s);
    if (free <= f.leave || free < f.size)
        return make_error(err, ERR_REFUSED, 0, "%s has only %llu bytes free", a->path.s,
                          (unsigned long long)free);
    return 0;
}

/* How much is to be taken now. */
static uint64_t find_missing(const struct filler *f)
{
    struct statvfs fs;
    if (f->size != 0)
        return f->size - f->taken;
    if (fstatvfs(BEARER_FD, &fs) != 0)
        return 0;
    uint64_t free = (uint64_t)(f->to_the_end ? fs.f_bfree : fs.f_bavail) * fs.f_frsize;
    return free > f->leave ? free - f->leave : 0;
}

/* What is refused whole is tried in smaller pieces: others take space too, and file systems need
 * some for themselves. */
static int take(struct bearer *self, struct filler *f, int file)
{
    uint64_t missing = find_missing(f), step = missing;
    while (f->block > 0 && missing >= f->block && step >= f->block) {
        step -= step % f->block;
        if (fallocate(file, 0, (off_t)f->taken, (off_t)step) == 0) {
            f->taken += step;
            missing -= step;
            bearer_set(self, COUNT_TAKEN, f->taken);
        } else if (errno != ENOSPC && errno != EINTR) {
            return -1;
        } else if (errno == ENOSPC) {
            step /= 2;
        }
        if (step > missing)
            step = missing;
    }
    return 0;
}

/* Files without a name, each held by a mapping: nothing but this process keeps them. */
static int take_inodes(struct bearer *self, const struct filler *f)
{
    struct statvfs fs;
    if (fstatvfs(BEARER_FD, &fs) != 0)
        return -1;
    for (uint64_t left = fs.f_ffree; left > f->leave_inodes; left--) {
        CLEANUP_FD int fd = openat(BEARER_FD, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
            return errno == ENOSPC ? 0 : -1;
        if (mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
            return errno == ENOMEM ? 0 : -1;
        bearer_count(self, COUNT_INODES, 1);
    }
    return 0;
}

static void fill_inodes(struct bearer *self, const struct filler *f)
{
    struct err err;
    if (take_inodes(self, f) != 0) {
        (void)make_error(&err, errno == EOPNOTSUPP ? ERR_UNSUPPORTED : ERR_SYSTEM, errno,
                         "use up the inodes");
        bearer_refuse(self, &err);
    }
    bearer_ready(self);
    while (bearer_wait(self, -1, 0, LOOK_MS * NS_PER_MS) >= 0)
        (void)take_inodes(self, f);
}

/* The file has no name: whatever ends this process gives the space back. */
static void fill(struct bearer *self, void *arg)
{
    struct filler *f = arg;
    struct err err;
    if (f->inodes) {
        fill_inodes(self, f);
        return;
    }
    CLEANUP_FD int file = openat(BEARER_FD, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0 || take(self, f, file) != 0) {
        (void)make_error(&err, errno == EOPNOTSUPP ? ERR_UNSUPPORTED : ERR_SYSTEM, errno,
                         "fill the file system");
        bearer_refuse(self, &err);
    }
    bearer_ready(self);
    while (bearer_wait(self, -1, 0, f->size != 0 ? -1 : LOOK_MS * NS_PER_MS) >= 0)
        (void)take(self, f, file);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct fill_undo *u = (void *)undo->data;
    struct statvfs fs;
    struct hostfs_meta now;
    CLEANUP_FD int fd = -1;
    if (open_dir(host, u->path.s, &fd, &fs, err) != 0 || hostfs_stat(fd, "", &now, err) != 0)
        return -1;
    if (now.dev != u->dev)
        return make_error(err, ERR_FOREIGN, 0, "another file system is mounted at %s now",
                          u->path.s);
    struct filler filler = make_filler(args, &fs);
    const struct bearer_spec spec = {
        .run = undo->run,
        .injection = undo->injection,
        .fds = &fd,
        .n_fds = 1,
        .caps = UINT64_C(1) << CAP_DAC_OVERRIDE,
        .lease_ns = undo->lease_ns,
        .start_ns = 4 * NS_PER_SEC,
        .body = fill,
        .arg = &filler,
    };
    return bearer_start(host, &spec, &u->filler, err);
}

static const struct fill_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct fill_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct fill_undo *u = read_undo(undo, err);
    if (u == NULL)
        return -1;
    *ret_active = bearer_lives(host, &u->filler);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct fill_undo *u = read_undo(undo, err);
    const struct bearer_counters *counters = bearer_read(undo);
    struct statvfs fs;
    CLEANUP_FD int fd = -1;
    char took[32], left[32];
    if (u == NULL || open_dir(host, u->path.s, &fd, &fs, err) != 0)
        return -1;
    uint64_t free = (uint64_t)fs.f_bavail * fs.f_frsize;
    uint64_t taken = counters != NULL ? bearer_value(counters, COUNT_TAKEN) : 0;
    memset(ret, 0, sizeof(*ret));
    if (u->inodes != 0) {
        uint64_t n = counters != NULL ? bearer_value(counters, COUNT_INODES) : 0;
        ret->n = 2;
        ret->items[0] = (struct evidence_item){"inodes_taken", n};
        ret->items[1] = (struct evidence_item){"inodes_free", fs.f_ffree};
        ret->proven = n > 0 && fs.f_ffree + n <= fs.f_files && bearer_lives(host, &u->filler);
        (void)snprintf(ret->what, sizeof(ret->what), "%llu inodes taken, %llu free on %.60s",
                       (unsigned long long)n, (unsigned long long)fs.f_ffree, u->path.s);
        return 0;
    }
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"bytes_taken", taken};
    ret->items[1] = (struct evidence_item){"bytes_free", free};
    ret->proven = taken > 0 && free + taken <= u->size && bearer_lives(host, &u->filler);
    (void)snprintf(ret->what, sizeof(ret->what), "%s taken, %s free on %.60s",
                   bytes_print((struct bytes){taken}, took, sizeof(took)),
                   bytes_print((struct bytes){free}, left, sizeof(left)), u->path.s);
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct fill_undo *u = read_undo(undo, err);
    return u == NULL ? -1 : bearer_renew(host, undo, &u->filler, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct fill_undo *u = read_undo(undo, err);
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    if (bearer_end(host, undo, &u->filler, 0, err) != 0) {
        (void)snprintf(ret->manual, sizeof(ret->manual), "kill -9 %d", u->filler.pid);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "the space on %.80s is free again", u->path.s);
    return 0;
}

const struct fault fault_disk_fill = {
    .name = "disk.fill",
    .summary = "Fills a file system of the host's own.",
    .doc =
        "A process of the agent's own holds a file without a name that takes the space, so that "
        "it is free again as soon as that process, or the agent, ends in any way, and at the end "
        "of its lease; or many such files without content, which take the inodes. Whatever becomes "
        "free meanwhile is taken too, unless a size was given. "
        "Filled to the end, also the reserve that only root may use is gone. Only a file system "
        "of a size of its own is filled (a lab host's `disk`, a volume for data), never the "
        "host's root, the machine's, or a tmpfs without a size.",
    .example = "- fault: disk.fill\n"
               "  hosts: n1\n"
               "  path: /srv/disk\n"
               "  leave: 64KiB\n"
               "  for: 5s\n",
    .footprint =
        "free space and inodes of the file system at `path`; one process of the agent's own",
    .touches = TOUCHES_SPACE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_KILL) |
            (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = 5000,
    FAULT_PARAMS(struct args, params),
    .supported = hostfs_supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
