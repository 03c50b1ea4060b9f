/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/hostfs.h"
#include "agents/host/mounts.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <time.h>

enum { FORMAT = 1, BUSY_TRIES = 30, BUSY_PAUSE_MS = 10 };

struct args {
    struct path path;
};

static const struct param params[] = {
    P(struct args, PARAM_PATH, path, .required = true,
      .doc = "The mount point of the file system in the host."),
};

struct read_only_undo {
    uint32_t version;
    uint32_t reserved;
    struct hostfs_meta top; /* its root directory */
    struct path path;
};
_Static_assert(sizeof(struct read_only_undo) <= UNDO_DATA_MAX, "fits the undo record");

static const struct read_only_undo *read_undo(const struct undo *undo, struct err *err)
{
    return undo_record(undo, FORMAT, sizeof(struct read_only_undo), err);
}

/* The file system as a whole is changed, by a descriptor of its root: the agent stands outside the
 * host's mount namespace, where a single mount cannot be changed. */
static int supported(struct fault_host *host, struct err *err)
{
    if (hostfs_supported(host, err) != 0)
        return -1;
    CLEANUP_FD int fd = fspick(-1, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
    if (fd < 0 && errno == ENOSYS)
        return make_error(err, ERR_UNSUPPORTED, 0, "this kernel is older than 5.2");
    if (fd < 0 && errno == EPERM)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "the agent may not change mounts (CAP_SYS_ADMIN)");
    return 0;
}

/* Returns errno. */
static int set_flag(int top, const char *flag)
{
    CLEANUP_FD int fs = fspick(top, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC | FSPICK_NO_AUTOMOUNT);
    if (fs < 0 || fsconfig(fs, FSCONFIG_SET_FLAG, flag, NULL, 0) != 0 ||
        fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) != 0)
        return errno;
    return 0;
}

static int read_flag(int top, const char *path, bool *ret, struct err *err)
{
    struct statvfs fs;
    if (fstatvfs(top, &fs) != 0)
        return make_error(err, ERR_SYSTEM, errno, "statvfs %s", path);
    *ret = (fs.f_flag & ST_RDONLY) != 0;
    return 0;
}

static int open_top(const struct fault_host *host, const char *path, int *ret_fd,
                    struct hostfs_meta *ret, struct err *err)
{
    CLEANUP_FD int fd = -1;
    if (hostfs_open(host->root, path, O_RDONLY | O_DIRECTORY, &fd, err) != 0 ||
        hostfs_stat(fd, "", ret, err) != 0)
        return -1;
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int refuse_busy(const struct fault_host *host, const char *path, uint64_t dev,
                       struct err *err)
{
    char writer[96];
    if (mounts_find_writer(host, dev, writer, sizeof(writer)))
        return make_error(err, ERR_REFUSED, 0,
                          "%s cannot become read-only: %s has a file on it open for writing", path,
                          writer);
    return make_error(err, ERR_REFUSED, 0,
                      "%s cannot become read-only: a file on it is open or mapped for writing",
                      path);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct read_only_undo *u = (void *)undo->data;
    struct mount_info mount;
    bool is_read_only = false;
    CLEANUP_FD int top = -1;
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->path = a->path;
    if (open_top(host, a->path.s, &top, &u->top, err) != 0 ||
        mounts_find(host, top, a->path.s, &mount, err) != 0 ||
        mounts_check_own(host, &mount, a->path.s, err) != 0)
        return -1;
    if (!mount.is_top)
        return make_error(err, ERR_INPUT, 0, "%s is not a mount point: it lies on %s", a->path.s,
                          mount.point);
    if (read_flag(top, a->path.s, &is_read_only, err) != 0)
        return -1;
    if (is_read_only)
        return make_error(err, ERR_REFUSED, 0, "%s is read-only already", a->path.s);
    return 0;
}

/* A file that is only just being written is waited for, for a moment. */
static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct read_only_undo *u = (const void *)undo->data;
    struct timespec pause = clock_timespec(BUSY_PAUSE_MS * NS_PER_MS);
    struct hostfs_meta now;
    CLEANUP_FD int top = -1;
    (void)args;
    if (open_top(host, u->path.s, &top, &now, err) != 0)
        return -1;
    if (!hostfs_is_same(&now, &u->top))
        return make_error(err, ERR_FOREIGN, 0, "another file system is mounted at %s now",
                          u->path.s);
    int why = set_flag(top, "ro");
    for (int i = 1; i < BUSY_TRIES && why == EBUSY; i++) {
        (void)nanosleep(&pause, NULL);
        why = set_flag(top, "ro");
    }
    if (why == EBUSY)
        return refuse_busy(host, u->path.s, u->top.dev, err);
    return why == 0 ? 0 : make_error(err, ERR_SYSTEM, why, "make %s read-only", u->path.s);
}

/* 1: it is not the file system that it was. */
static int look(const struct fault_host *host, const struct read_only_undo *u, int *ret_top,
                bool *ret_read_only, struct err *err)
{
    struct hostfs_meta now;
    *ret_read_only = false;
    if (open_top(host, u->path.s, ret_top, &now, err) != 0)
        return err->code == ERR_NOT_FOUND ? 1 : -1;
    if (!hostfs_is_same(&now, &u->top))
        return 1;
    return read_flag(*ret_top, u->path.s, ret_read_only, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct read_only_undo *u = read_undo(undo, err);
    CLEANUP_FD int top = -1;
    return u == NULL || look(host, u, &top, ret_active, err) < 0 ? -1 : 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct read_only_undo *u = read_undo(undo, err);
    CLEANUP_FD int top = -1;
    bool is_read_only = false;
    if (u == NULL || look(host, u, &top, &is_read_only, err) < 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 1;
    ret->items[0] = (struct evidence_item){"read_only", is_read_only};
    ret->proven = is_read_only;
    (void)snprintf(ret->what, sizeof(ret->what), "%.100s is %s", u->path.s,
                   is_read_only ? "read-only" : "writable");
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct read_only_undo *u = read_undo(undo, err);
    CLEANUP_FD int top = -1;
    bool is_read_only = false;
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    int rc = look(host, u, &top, &is_read_only, err);
    if (rc > 0) {
        ret->foreign = true;
        (void)snprintf(ret->what, sizeof(ret->what),
                       "at %.80s another file system is mounted, or none", u->path.s);
        return 0;
    }
    int why = rc == 0 && is_read_only ? set_flag(top, "rw") : 0;
    if (rc == 0 && why != 0)
        rc = make_error(err, ERR_SYSTEM, why, "make %s writable", u->path.s);
    if (rc == 0)
        rc = read_flag(top, u->path.s, &is_read_only, err);
    if (rc == 0 && is_read_only)
        rc = make_error(err, ERR_DIRTY, 0, "%s is still read-only", u->path.s);
    if (rc != 0)
        (void)snprintf(ret->manual, sizeof(ret->manual), "mount -o remount,rw %s", u->path.s);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "%.100s is writable", u->path.s);
    return rc;
}

const struct fault fault_mount_read_only = {
    .name = "mount.read_only",
    .summary = "Makes a file system of the host's own read-only.",
    .doc = "As after an error on the disk beneath: writing and making files fails with EROFS, "
           "reading goes on. The kernel refuses it while any file on it is open or mapped for "
           "writing; who holds one is named. Only a file system of the host's own (a lab host's "
           "`disk`, a volume for data), wherever else it is mounted in the host, never the root or "
           "the machine's.",
    .example = "- fault: mount.read_only\n"
               "  hosts: n1\n"
               "  path: /srv/disk\n"
               "  for: 5s\n",
    .footprint = "whether the file system at `path` can be written to",
    .touches = TOUCHES_MOUNTS,
    .caps = (UINT64_C(1) << CAP_SYS_ADMIN) | (UINT64_C(1) << CAP_SYS_PTRACE),
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = 2000,
    FAULT_PARAMS(struct args, params),
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
