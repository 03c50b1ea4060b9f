/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/access_list.h"
#include "agents/host/account.h"
#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FORMAT = 1, LOOKED_AT_MAX = 32 };

struct args {
    struct path path;
    struct name mode, owner, group, user;
    bool recursive;
};

static const struct param params[] = {
    P(struct args, PARAM_PATH, path, .required = true, .doc = "A file or directory of the host."),
    P(struct args, PARAM_NAME, mode, .doc = "The mode that it gets, in octal: 0000, 0640."),
    P(struct args, PARAM_NAME, owner, .doc = "The user (name or number) that it is given to."),
    P(struct args, PARAM_NAME, group, .doc = "The group (name or number) that it is given to."),
    P(struct args, PARAM_NAME, user,
      .doc = "The user (name or number) who is denied all of it by an entry in its access control "
             "list; everyone else may what they might."),
    P(struct args, PARAM_BOOL, recursive, .def = "false",
      .doc = "All files and directories in it too."),
};

struct deny_undo {
    uint32_t version;
    uint32_t recursive;
    struct access_want want;
    struct access_state was; /* of the path itself */
    struct hostfs_meta parent;
    struct hostfs_meta parent_after; /* recursive: noted by apply; dev 0: not noted */
    struct path path;
};
_Static_assert(sizeof(struct deny_undo) <= UNDO_DATA_MAX, "fits the undo record");

/* The path, opened: its directory and itself. */
struct place {
    int dir, top;
    const char *leaf;
    char list[HOSTFS_NAME_MAX];
};

static void place_close(struct place *p)
{
    if (p->dir >= 0)
        (void)close(p->dir);
    if (p->top >= 0)
        (void)close(p->top);
}
#define CLEANUP_PLACE __attribute__((cleanup(place_close)))

static bool parse_mode(const char *text, uint32_t *ret)
{
    size_t n = strspn(text, "01234567");
    if (n == 0 || n > 4 || text[n] != '\0')
        return false;
    *ret = (uint32_t)strtoul(text, NULL, 8);
    return true;
}

static int check(const void *args, struct err *err)
{
    const struct args *a = args;
    uint32_t mode;
    if (a->mode.s[0] == '\0' && a->owner.s[0] == '\0' && a->group.s[0] == '\0' &&
        a->user.s[0] == '\0')
        return make_error(err, ERR_INPUT, 0, "what is denied? mode, owner, group or user says it");
    if (a->mode.s[0] != '\0' && !parse_mode(a->mode.s, &mode))
        return make_error(err, ERR_INPUT, 0, "mode: %s is not octal, such as 0640", a->mode.s);
    if (strcmp(a->path.s, "/") == 0)
        return make_error(err, ERR_INPUT, 0, "name a path below /");
    return 0;
}

static const struct deny_undo *read_undo(const struct undo *undo, struct err *err)
{
    const struct deny_undo *u = undo_record(undo, FORMAT, sizeof(*u), err);
    if (u == NULL || u->was.acl_len <= ACCESS_ACL_MAX)
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

/* 1: there is no such file or directory (any more). */
static int place_open(const struct fault_host *host, const char *path, const struct undo *undo,
                      struct place *ret, struct err *err)
{
    struct hostfs_meta meta;
    *ret = (struct place){.dir = -1, .top = -1};
    (void)hostfs_own_name(undo, "list", ret->list);
    if (hostfs_open_parent(host->root, path, &ret->dir, &ret->leaf, err) != 0)
        return err->code == ERR_NOT_FOUND ? 1 : -1;
    int rc = hostfs_stat(ret->dir, ret->leaf, &meta, err);
    if (rc != 0 || (!S_ISREG(meta.mode) && !S_ISDIR(meta.mode)))
        return rc < 0 ? -1 : 1;
    ret->top = openat(ret->dir, ret->leaf, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    return ret->top >= 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "open %s", path);
}

static int read_want(const struct fault_host *host, const struct args *a, struct access_want *ret,
                     struct err *err)
{
    *ret = (struct access_want){0};
    ret->what =
        (a->mode.s[0] != '\0' ? ACCESS_MODE : 0U) | (a->owner.s[0] != '\0' ? ACCESS_OWNER : 0U) |
        (a->group.s[0] != '\0' ? ACCESS_GROUP : 0U) | (a->user.s[0] != '\0' ? ACCESS_USER : 0U);
    if ((ret->what & ACCESS_MODE) != 0 && !parse_mode(a->mode.s, &ret->mode))
        return make_error(err, ERR_INPUT, 0, "mode: %s is not octal", a->mode.s);
    if (((ret->what & ACCESS_OWNER) != 0 &&
         account_user(host->root, a->owner.s, &ret->uid, err) != 0) ||
        ((ret->what & ACCESS_GROUP) != 0 &&
         account_group(host->root, a->group.s, &ret->gid, err) != 0) ||
        ((ret->what & ACCESS_USER) != 0 &&
         account_user(host->root, a->user.s, &ret->user, err) != 0))
        return -1;
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct args *a = args;
    struct deny_undo *u = (void *)undo->data;
    struct access_state ours;
    CLEANUP_PLACE struct place place = {.dir = -1, .top = -1};
    memset(u, 0, sizeof(*u));
    undo->size = sizeof(*u);
    u->version = FORMAT;
    u->path = a->path;
    int rc = place_open(host, a->path.s, undo, &place, err);
    if (rc != 0)
        return rc < 0 ? -1
                      : make_error(err, ERR_NOT_FOUND, 0, "%s is no file or directory", a->path.s);
    if (read_want(host, a, &u->want, err) != 0 || access_read(place.top, &u->was, err) != 0 ||
        access_make(&u->was, &u->want, &ours, err) != 0)
        return wrap_error(err, "%s", a->path.s);
    if (access_is(&u->was, &ours))
        return make_error(err, ERR_INPUT, 0, "the rights of %s would not change", a->path.s);
    u->recursive = a->recursive && S_ISDIR(u->was.mode);
    return hostfs_stat(place.dir, "", &u->parent, err) != 0 ? -1 : 0;
}

static int change_one(int fd, const struct access_state *was, const struct access_want *want,
                      struct err *err)
{
    struct access_state ours;
    if (access_make(was, want, &ours, err) != 0)
        return -1;
    return access_is(was, &ours) ? 0 : access_put(fd, &ours, err);
}

static int open_entry(int top, const char *path, int *ret_fd, struct err *err)
{
    if (strcmp(path, "/") != 0)
        return hostfs_open(top, path, O_RDONLY, ret_fd, err);
    *ret_fd = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd >= 0 ? 0 : make_error(err, ERR_SYSTEM, errno, "open the directory");
}

static int change_all(const struct place *place, const struct deny_undo *u, struct err *err)
{
    struct access_entry e;
    uint32_t n = 0;
    uint64_t at = 0;
    CLEANUP_FD int list = -1;
    CLEANUP_BUF struct buf entries = BUF_INIT(ACCESS_LIST_BYTES);
    if (access_list_make(place->top, &entries, err) != 0)
        return wrap_error(err, "%s", u->path.s);
    if (access_list_write(place->dir, place->list, &entries, err) != 0)
        return -1;
    if (access_list_open(place->dir, place->list, &list, &n, err) != 0)
        return make_error(err, ERR_SYSTEM, 0, "the list of rights cannot be read back");
    for (uint32_t i = 0; i < n; i++) {
        CLEANUP_FD int fd = -1;
        if (access_list_next(list, &at, &e, err) != 0)
            return -1;
        if (open_entry(place->top, e.path, &fd, err) != 0) {
            if (err->code == ERR_NOT_FOUND)
                continue;
            return -1;
        }
        if (change_one(fd, &e.was, &u->want, err) != 0)
            return wrap_error(err, "%s%s", u->path.s, e.path);
    }
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct deny_undo *u = (void *)undo->data;
    struct access_state now;
    CLEANUP_PLACE struct place place = {.dir = -1, .top = -1};
    (void)args;
    int rc = place_open(host, u->path.s, undo, &place, err);
    if (rc < 0 || (rc == 0 && access_read(place.top, &now, err) != 0))
        return -1;
    if (rc > 0 || now.dev != u->was.dev || now.ino != u->was.ino || !access_is(&now, &u->was))
        return make_error(err, ERR_FOREIGN, 0, "%s was changed by others meanwhile", u->path.s);
    if (u->recursive == 0)
        return change_one(place.top, &u->was, &u->want, err) != 0 ? wrap_error(err, "%s", u->path.s)
                                                                  : 0;
    if (change_all(&place, u, err) != 0)
        return -1;
    return hostfs_stat(place.dir, "", &u->parent_after, err) != 0 ? -1 : 0;
}

/* 1: something else is there now. */
static int open_ours(const struct fault_host *host, const struct deny_undo *u,
                     const struct undo *undo, struct place *ret, struct err *err)
{
    struct hostfs_meta now;
    int rc = place_open(host, u->path.s, undo, ret, err);
    if (rc != 0)
        return rc;
    if (hostfs_stat(ret->top, "", &now, err) != 0)
        return -1;
    return (now.mode & (uint32_t)S_IFMT) != (u->was.mode & (uint32_t)S_IFMT);
}

struct count {
    uint32_t entries, ours, foreign, gone;
};

/* Looks at one; with mend, ours becomes what it was. */
static int visit_one(int fd, const struct access_state *was, const struct access_want *want,
                     bool mend, struct count *count, struct err *err)
{
    struct access_state now, ours;
    if (access_read(fd, &now, err) != 0 || access_make(was, want, &ours, err) != 0)
        return -1;
    count->entries++;
    if (access_is(&now, was))
        return 0;
    /* A file that an overlay copies up may get another inode, then on another device. */
    bool is_another = now.dev == was->dev && now.ino != was->ino;
    if (is_another || !access_is_between(&now, was, &ours)) {
        count->foreign++;
        return 0;
    }
    count->ours++;
    if (!mend)
        return 0;
    if (access_put(fd, was, err) != 0 || access_read(fd, &now, err) != 0)
        return -1;
    return access_is(&now, was) ? 0
                                : make_error(err, ERR_DIRTY, 0, "it does not read back as it was");
}

static int visit_listed(const struct place *place, const struct deny_undo *u, int list, uint32_t n,
                        bool mend, struct count *count, struct err *err)
{
    struct access_entry e;
    uint64_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        CLEANUP_FD int fd = -1;
        if (access_list_next(list, &at, &e, err) != 0)
            return -1;
        if (open_entry(place->top, e.path, &fd, err) != 0) {
            if (err->code != ERR_NOT_FOUND && err->code != ERR_REFUSED)
                return -1;
            count->gone++;
            continue;
        }
        if (visit_one(fd, &e.was, &u->want, mend, count, err) != 0)
            return wrap_error(err, "%s%s", u->path.s, e.path);
    }
    return 0;
}

/* Of a list that is not whole nothing was changed yet. */
static int visit(const struct place *place, const struct deny_undo *u, bool mend,
                 struct count *count, struct err *err)
{
    CLEANUP_FD int list = -1;
    uint32_t n = 0;
    *count = (struct count){0};
    if (u->recursive == 0)
        return visit_one(place->top, &u->was, &u->want, mend, count, err);
    int rc = access_list_open(place->dir, place->list, &list, &n, err);
    if (rc != 0)
        return rc < 0 ? -1 : 0;
    if (!mend && n > LOOKED_AT_MAX)
        n = LOOKED_AT_MAX;
    return visit_listed(place, u, list, n, mend, count, err);
}

static int look(struct fault_host *host, const struct undo *undo, struct count *ret,
                struct err *err)
{
    const struct deny_undo *u = read_undo(undo, err);
    CLEANUP_PLACE struct place place = {.dir = -1, .top = -1};
    *ret = (struct count){0};
    int rc = u == NULL ? -1 : open_ours(host, u, undo, &place, err);
    return rc != 0 ? (rc < 0 ? -1 : 0) : visit(&place, u, false, ret, err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    struct count count;
    if (look(host, undo, &count, err) != 0)
        return -1;
    *ret_active = count.ours > 0;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct deny_undo *u = (const void *)undo->data;
    struct count count;
    if (look(host, undo, &count, err) != 0)
        return -1;
    memset(ret, 0, sizeof(*ret));
    ret->n = 2;
    ret->items[0] = (struct evidence_item){"looked_at", count.entries};
    ret->items[1] = (struct evidence_item){"denied", count.ours};
    ret->proven = count.ours > 0;
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u that were looked at at %.80s %s",
                   count.ours, count.entries, u->path.s, "have the wrong rights");
    return 0;
}

/* The list goes when all that it names has been seen to, and with it the trace in the directory's
 * time, unless others changed that too. */
static int tidy(const struct place *place, const struct deny_undo *u, struct err *err)
{
    struct hostfs_meta now;
    if (u->recursive == 0)
        return 0;
    if (hostfs_stat(place->dir, "", &now, err) != 0)
        return -1;
    bool is_there = faccessat(place->dir, place->list, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    bool others = is_there && u->parent_after.dev != 0 && !hostfs_has_mtime(&now, &u->parent_after);
    if (unlinkat(place->dir, place->list, 0) != 0 && errno != ENOENT)
        return make_error(err, ERR_SYSTEM, errno, "remove %s", place->list);
    return others ? 0 : hostfs_put_mtime(place->dir, "", &u->parent, err);
}

static int leave_foreign(const struct deny_undo *u, const char *what, struct revert_report *ret)
{
    ret->foreign = true;
    (void)snprintf(ret->what, sizeof(ret->what), "%.60s %s", u->path.s, what);
    (void)snprintf(ret->manual, sizeof(ret->manual), "give %s the mode %04o and the owner %u:%u",
                   u->path.s, u->was.mode & 07777, u->was.uid, u->was.gid);
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct deny_undo *u = read_undo(undo, err);
    struct count count;
    CLEANUP_PLACE struct place place = {.dir = -1, .top = -1};
    memset(ret, 0, sizeof(*ret));
    if (u == NULL)
        return -1;
    int rc = open_ours(host, u, undo, &place, err);
    if (rc > 0)
        return leave_foreign(u, "was replaced or removed by others and is left so", ret);
    if (rc < 0 || visit(&place, u, true, &count, err) != 0) {
        struct revert_report words;
        (void)leave_foreign(u, "", &words);
        memcpy(ret->manual, words.manual, sizeof(ret->manual));
        return wrap_error(err, "%s", u->path.s);
    }
    if (count.foreign > 0)
        (void)leave_foreign(u, "has got other rights from others, which stay", ret);
    else
        (void)snprintf(ret->what, sizeof(ret->what), "the rights of %u at %.80s are as they were%s",
                       count.ours, u->path.s, count.gone > 0 ? "; some are gone" : "");
    return tidy(&place, u, err);
}

const struct fault fault_access_deny = {
    .name = "access.deny",
    .summary = "Takes rights to a file or a tree away: the misconfigured permission.",
    .doc =
        "Changes mode, owner or group as a wrong chmod or chown would, or denies one user by an "
        "entry in the access control list; of a tree, with `recursive`, all files and directories "
        "(at most 20,000, no links, nothing mounted in it). What is open stays open. The end puts "
        "modes, owners and lists back exactly; times other than ctime never change. What others "
        "changed meanwhile is left as it is. Files with capabilities are refused.",
    .example = "- fault: access.deny\n"
               "  hosts: n1\n"
               "  path: /etc/nginx\n"
               "  mode: 0500\n"
               "  recursive: true\n"
               "  for: 5s\n",
    .footprint = "the rights of what `path` names; with `recursive` a hidden file beside it, its "
                 "directory's mtime",
    .touches = TOUCHES_FILES,
    .act = ACT_MODE,
    .caps = (UINT64_C(1) << CAP_DAC_OVERRIDE) | (UINT64_C(1) << CAP_CHOWN) |
            (UINT64_C(1) << CAP_FOWNER) | (UINT64_C(1) << CAP_FSETID),
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
    .revert = revert,
};
