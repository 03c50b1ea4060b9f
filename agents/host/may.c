/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/may.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTRIES_MAX = 500000, DEPTH_MAX = 128, WAIT_MS = 8000 };

/* The child's answer: one message, and all that comes from it. */
struct verdict {
    int32_t code; /* enum err_code */
    char text[ERR_MSG_MAX];
};

/* The child's own state. */
struct asking {
    const struct may_question *q;
    struct verdict *ret;
    uint32_t entries;
};

static bool deny(struct asking *a, const char *right, const char *path)
{
    a->ret->code = ERR_DENIED;
    (void)snprintf(a->ret->text, sizeof(a->ret->text), "%.60s may not %s %.300s: %s", a->q->name,
                   right, path, strerror(errno));
    return false;
}

static bool give_up(struct asking *a, const char *what, const char *path)
{
    a->ret->code = ERR_SYSTEM;
    (void)snprintf(a->ret->text, sizeof(a->ret->text), "what %.60s may is not known: %s %.300s: %s",
                   a->q->name, what, path, strerror(errno));
    return false;
}

static bool is_refusal(int error)
{
    return error == EACCES || error == EPERM || error == EROFS;
}

static int open_at(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}

/* By the effective identity, of the thing that the descriptor is. */
static bool may_fd(int fd, int mode)
{
    return syscall(SYS_faccessat2, fd, "", mode, AT_EACCESS | AT_EMPTY_PATH) == 0;
}

/* What keeps even an owner from removing it; errno is EPERM then. */
static bool is_fixed(const struct statx *x)
{
    errno = EPERM;
    return (x->stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0;
}

static bool look(int fd, struct statx *ret)
{
    return statx(fd, "", AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, ret) == 0;
}

/* Taking `what` out of `dir`: may_delete() of the kernel. */
static bool may_unlink(struct asking *a, int dir, int what, const char *path)
{
    struct statx d, x;
    if (!look(dir, &d) || !look(what, &x))
        return give_up(a, "look at", path);
    if (!may_fd(dir, W_OK | X_OK))
        return is_refusal(errno) ? deny(a, "write the directory of", path)
                                 : give_up(a, "ask for", path);
    if (is_fixed(&d) || is_fixed(&x))
        return deny(a, "remove (immutable or append-only)", path);
    if ((d.stx_mode & S_ISVTX) != 0 && d.stx_uid != a->q->who.uid && x.stx_uid != a->q->who.uid)
        return deny(a, "remove (the directory is sticky)", path);
    return true;
}

static bool may_empty(struct asking *a, int dir, const char *path, int depth);

static bool may_take_entry(struct asking *a, int dir, const char *name, const char *path, int depth)
{
    char full[PATH_MAX_LEN + 1];
    CLEANUP_FD int what = open_at(dir, name, O_PATH | O_NOFOLLOW, RESOLVE_NO_XDEV);
    (void)snprintf(full, sizeof(full), "%.*s/%s", (int)(sizeof(full) - 260), path, name);
    if (what < 0 && errno == ENOENT)
        return true;
    if (what < 0)
        return is_refusal(errno) ? deny(a, "search the directory of", full)
                                 : give_up(a, "open", full);
    struct statx x;
    if (!look(what, &x))
        return give_up(a, "look at", full);
    return may_unlink(a, dir, what, full) &&
           (!S_ISDIR(x.stx_mode) || may_empty(a, what, full, depth + 1));
}

struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* All that is in a tree. */
static bool may_empty(struct asking *a, int at, const char *path, int depth)
{
    _Alignas(8) char chunk[4096];
    CLEANUP_FD int dir = open_at(at, ".", O_RDONLY | O_DIRECTORY, 0);
    if (dir < 0)
        return is_refusal(errno) ? deny(a, "read", path) : give_up(a, "read", path);
    errno = ELOOP;
    if (depth > DEPTH_MAX)
        return give_up(a, "go down to", path);
    for (;;) {
        long n = syscall(SYS_getdents64, dir, chunk, sizeof(chunk));
        if (n < 0)
            return give_up(a, "read", path);
        if (n == 0)
            return true;
        for (long i = 0; i < n;) {
            const struct entry *e = (const struct entry *)(const void *)(chunk + i);
            i += e->len;
            if (strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0)
                continue;
            errno = EOVERFLOW;
            if (++a->entries > ENTRIES_MAX)
                return give_up(a, "look at all of", path);
            if (!may_take_entry(a, dir, e->name, path, depth))
                return false;
        }
    }
}

static bool may_replace(struct asking *a, int dir, int what, const char *path)
{
    struct verdict first = *a->ret;
    if (may_fd(what, W_OK))
        return true;
    if (!is_refusal(errno))
        return give_up(a, "ask for", path);
    if (may_unlink(a, dir, what, path))
        return true;
    if (a->ret->code != ERR_DENIED)
        return false;
    *a->ret = first;
    errno = EACCES;
    return deny(a, "write, nor replace,", path);
}

static bool may_one(struct asking *a, int dir, int what, const char *path)
{
    struct statx x;
    if (!look(what, &x))
        return give_up(a, "look at", path);
    switch (a->q->act) {
    case ACT_REMOVE:
        return may_unlink(a, dir, what, path) &&
               (!S_ISDIR(x.stx_mode) || may_empty(a, what, path, 0));
    case ACT_REPLACE:
        return may_replace(a, dir, what, path);
    case ACT_WRITE:
        return may_fd(what, W_OK) ||
               (is_refusal(errno) ? deny(a, "write", path) : give_up(a, "ask for", path));
    case ACT_MODE:
        if (is_fixed(&x) || x.stx_uid != a->q->who.uid)
            return deny(a, "change the mode of", path);
        return true;
    case ACT_NONE:
        break;
    }
    errno = EINVAL;
    return give_up(a, "ask for", path);
}

/* Each directory on the way must let the user through: openat2 asks for that. */
static bool may_path(struct asking *a, const struct path *path)
{
    char parent[PATH_MAX_LEN + 1];
    (void)snprintf(parent, sizeof(parent), "%s", path->s);
    for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/';)
        parent[--n] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash[1] == '\0')
        return true; /* the root itself, which rows refuse */
    slash[slash == parent ? 1 : 0] = '\0';
    const char *leaf = path->s + (slash - parent) + 1;
    CLEANUP_FD int dir = open_at(a->q->root, parent, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
    if (dir < 0 && errno == ENOENT)
        return true;
    if (dir < 0)
        return is_refusal(errno) ? deny(a, "search the way to", path->s)
                                 : give_up(a, "open", parent);
    char name[PATH_MAX_LEN + 1];
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(leaf, "/"), leaf);
    CLEANUP_FD int what = open_at(dir, name, O_PATH | O_NOFOLLOW, 0);
    if (what < 0 && errno == ENOENT)
        return true;
    if (what < 0)
        return is_refusal(errno) ? deny(a, "search the directory of", path->s)
                                 : give_up(a, "open", path->s);
    return may_one(a, dir, what, path->s);
}

/* Nothing of the agent's but the host's root and the pipe. */
static bool keep_two(int *root, int *out)
{
    int to = fcntl(*out, F_DUPFD, 10), from = fcntl(*root, F_DUPFD, 10);
    if (to < 0 || from < 0 || dup2(from, 0) != 0 || dup2(to, 1) != 1 ||
        syscall(SYS_close_range, 2U, ~0U, 0U) != 0)
        return false;
    *root = 0;
    *out = 1;
    return true;
}

static bool become(const struct identity *who)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}, {0}};
    gid_t groups[ACCOUNT_GROUPS_MAX];
    for (uint32_t i = 0; i < who->n_groups; i++)
        groups[i] = who->groups[i];
    return setgroups(who->n_groups, groups) == 0 && setresgid(who->gid, who->gid, who->gid) == 0 &&
           setresuid(who->uid, who->uid, who->uid) == 0 && syscall(SYS_capset, &head, none) == 0;
}

static _Noreturn void child(const struct may_question *asked, int out, pid_t parent)
{
    static struct verdict ret;
    struct may_question q = *asked;
    struct asking a = {.q = &q, .ret = &ret};
    if (!keep_two(&q.root, &out))
        _exit(1);
    if (!become(&q.who)) {
        ret.code = ERR_UNSUPPORTED;
        (void)snprintf(ret.text, sizeof(ret.text),
                       "nobody can be user %.60s here: %s (without root a lab has one user)",
                       q.name, strerror(errno));
    }
    /* The change of identity cleared it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(1);
    for (uint32_t i = 0; i < q.n && ret.code == ERR_NONE; i++)
        (void)may_path(&a, &q.paths[i]);
    _exit(write(out, &ret, sizeof(ret)) == (ssize_t)sizeof(ret) ? 0 : 1);
}

static bool read_verdict(int fd, struct verdict *ret)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, WAIT_MS);
    while (n < 0 && errno == EINTR);
    return n == 1 && read(fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret);
}

int may_act(const struct may_question *q, struct err *err)
{
    struct verdict ret = {.code = ERR_NONE};
    int ends[2];
    if (q->who.uid == 0)
        return 0; /* modes are nothing to root, and the agent's own act will tell the rest */
    if (pipe2(ends, O_CLOEXEC) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a pipe");
    CLEANUP_FD int in = ends[0];
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        child(q, ends[1], self);
    int failed = errno;
    (void)close(ends[1]);
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, failed, "start a child");
    bool told = read_verdict(in, &ret);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    ret.text[sizeof(ret.text) - 1] = '\0';
    if (!told)
        return make_error(err, ERR_TIMEOUT, 0, "what %s may is not known in time", q->name);
    if (ret.code != ERR_NONE)
        return make_error(err, (enum err_code)ret.code, 0, "%s", ret.text);
    return 0;
}
