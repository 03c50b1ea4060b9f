/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct linux_dirent64 {
    uint64_t ino;
    int64_t off;
    unsigned short reclen;
    unsigned char type;
    char name[];
};

/* What the kernel answers of a process that has ended. Any other error says nothing of it. */
static bool is_gone(int number)
{
    return number == ENOENT || number == ESRCH;
}

int proc_walk_open(struct proc_walk *walk, int proc, const char *dir, struct err *err)
{
    walk->at = walk->len = 0;
    walk->error = 0;
    walk->fd = openat(proc, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (walk->fd < 0)
        return make_error(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, errno, "open /proc/%s",
                          dir);
    return 0;
}

void proc_walk_close(struct proc_walk *walk)
{
    if (walk->fd >= 0)
        (void)close(walk->fd);
    walk->fd = -1;
}

static int32_t name_number(const char *name)
{
    int64_t value = 0;
    for (const char *p = name; *p != '\0'; p++) {
        if (*p < '0' || *p > '9' || value > INT32_MAX / 10)
            return -1;
        value = value * 10 + (*p - '0');
    }
    return value > 0 && value <= INT32_MAX ? (int32_t)value : -1;
}

bool proc_walk_next(struct proc_walk *walk, int32_t *ret)
{
    for (;;) {
        if (walk->at >= walk->len) {
            long n = syscall(SYS_getdents64, walk->fd, walk->entries, sizeof(walk->entries));
            if (n < 0 && !is_gone(errno))
                walk->error = errno;
            if (n <= 0)
                return false;
            walk->at = 0;
            walk->len = (size_t)n;
        }
        const struct linux_dirent64 *entry = (const void *)(walk->entries + walk->at);
        walk->at += entry->reclen;
        int32_t number = name_number(entry->name);
        if (number > 0) {
            *ret = number;
            return true;
        }
    }
}

int proc_walk_end(const struct proc_walk *walk, struct err *err)
{
    if (walk->error == 0)
        return 0;
    return make_error(err, ERR_SYSTEM, walk->error, "read a directory of /proc");
}

/* Reads a small file of /proc whole; the text is NUL-terminated. */
static ssize_t read_text(int proc, int32_t pid, const char *file, char *text, size_t size)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "%d/%s", pid, file);
    CLEANUP_FD int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    while (len < size - 1) {
        ssize_t n = read(fd, text + len, size - 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return (ssize_t)len;
}

enum sight { GONE, SEEN, UNSEEN }; /* UNSEEN: it could not be looked at, errno says why */

static enum sight read_stat(int proc, int32_t pid, struct proc_stat *ret)
{
    char text[1024];
    ssize_t n = read_text(proc, pid, "stat", text, sizeof(text));
    if (n < 0)
        return is_gone(errno) ? GONE : UNSEEN;
    if (n == 0)
        return GONE;
    if (proc_parse_stat(text, (size_t)n, ret, NULL) == 0)
        return SEEN;
    errno = EBADMSG;
    return UNSEEN;
}

static int make_unseen(int32_t pid, struct err *err)
{
    return make_error(err, ERR_SYSTEM, errno, "process %d cannot be looked at in /proc", pid);
}

/* The last number of that line. */
static enum sight read_status(int proc, int32_t pid, const char *field, int32_t *ret)
{
    char text[4096];
    ssize_t n = read_text(proc, pid, "status", text, sizeof(text));
    if (n < 0)
        return is_gone(errno) ? GONE : UNSEEN;
    return n > 0 && proc_parse_status(text, field, ret) ? SEEN : GONE;
}

int proc_identify(int proc, int32_t pid, struct proc_id *ret, struct err *err)
{
    struct proc_stat stat;
    enum sight sight = read_stat(proc, pid, &stat);
    if (sight == UNSEEN)
        return make_unseen(pid, err);
    if (sight == GONE)
        return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended", pid);
    *ret = (struct proc_id){.pid = pid, .start = stat.start};
    return 0;
}

/* Those of others are not shown to whom may not trace them: they are not the host's. */
static enum sight see_host(const struct fault_host *host, int32_t pid)
{
    char path[48];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%d/ns/pid", pid);
    if (fstatat(host->proc, path, &st, 0) == 0)
        return st.st_ino == host->pid_ns ? SEEN : GONE;
    return is_gone(errno) || errno == EACCES || errno == EPERM ? GONE : UNSEEN;
}

static bool is_protected(const struct proc_id *id)
{
    return id->host_pid <= 1 || id->pid == getpid() || id->pid == getppid();
}

static int add_process(struct proc_set *set, const struct proc_id *id, struct err *err)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (set->v[i].pid == id->pid)
            return 0;
    if (is_protected(id))
        return make_error(
            err, ERR_REFUSED, 0,
            "process %d is the host's init or the agent itself, which no fault may touch",
            id->host_pid);
    if (set->n >= PROC_SET_MAX)
        return make_error(err, ERR_LIMIT, 0, "more than %d processes match", PROC_SET_MAX);
    set->v[set->n++] = *id;
    return 0;
}

/* SEEN and *ret when pid is a live process of the host, of which stat has been read. */
static enum sight see_in_host(const struct fault_host *host, int32_t pid,
                              const struct proc_stat *stat, struct proc_id *ret)
{
    enum sight sight = see_host(host, pid);
    if (sight != SEEN || stat->state == 'Z' || stat->state == 'X')
        return sight == UNSEEN ? UNSEEN : GONE;
    *ret = (struct proc_id){.pid = pid, .start = stat->start};
    sight = read_status(host->proc, pid, "NSpid:", &ret->host_pid);
    return sight == SEEN && ret->host_pid <= 0 ? GONE : sight;
}

static bool has_name(const struct fault_host *host, const struct proc_stat *stat, const char *name)
{
    if (strcmp(stat->comm, name) == 0)
        return true;
    char path[48], target[512];
    (void)snprintf(path, sizeof(path), "%d/exe", stat->pid);
    ssize_t n = readlinkat(host->proc, path, target, sizeof(target) - 1);
    if (n <= 0)
        return false;
    target[n] = '\0';
    char *gone = strstr(target, " (deleted)");
    if (gone != NULL && gone[strlen(" (deleted)")] == '\0')
        *gone = '\0';
    const char *slash = strrchr(target, '/');
    return strcmp(slash != NULL ? slash + 1 : target, name) == 0;
}

static bool is_in_cgroup(const struct fault_host *host, int32_t pid, const char *cgroup)
{
    char text[4096];
    return read_text(host->proc, pid, "cgroup", text, sizeof(text)) > 0 &&
           proc_parse_cgroup(text, cgroup);
}

/* One of the three is given. */
struct wanted {
    const char *name, *cgroup;
    int32_t host_pid;
};

static bool is_wanted(const struct fault_host *host, const struct wanted *wanted,
                      const struct proc_stat *stat, const struct proc_id *id)
{
    if (wanted->name != NULL)
        return has_name(host, stat, wanted->name);
    if (wanted->cgroup != NULL)
        return is_in_cgroup(host, id->pid, wanted->cgroup);
    return id->host_pid == wanted->host_pid;
}

static int add_wanted(const struct fault_host *host, const struct wanted *wanted,
                      struct proc_set *set, struct err *err)
{
    CLEANUP_WALK struct proc_walk walk;
    if (proc_walk_open(&walk, host->proc, ".", err) != 0)
        return -1;
    for (int32_t pid; proc_walk_next(&walk, &pid);) {
        struct proc_stat stat;
        struct proc_id id;
        enum sight sight = read_stat(host->proc, pid, &stat);
        if (sight == SEEN)
            sight = see_in_host(host, pid, &stat, &id);
        if (sight == UNSEEN)
            return make_unseen(pid, err);
        if (sight == SEEN && is_wanted(host, wanted, &stat, &id) && add_process(set, &id, err) != 0)
            return -1;
    }
    return proc_walk_end(&walk, err);
}

int proc_find_by(const struct fault_host *host, const char *name, int32_t host_pid,
                 struct proc_set *set, struct err *err)
{
    const struct wanted wanted = {.name = name, .host_pid = host_pid};
    return add_wanted(host, &wanted, set, err);
}

int proc_find_in(const struct fault_host *host, const char *cgroup, struct proc_set *set,
                 struct err *err)
{
    const struct wanted wanted = {.cgroup = cgroup};
    return add_wanted(host, &wanted, set, err);
}

static bool holds_pid(const struct proc_set *set, int32_t pid)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (set->v[i].pid == pid)
            return true;
    return false;
}

int proc_add_tree(const struct fault_host *host, struct proc_set *set, uint32_t *ret_added,
                  struct err *err)
{
    /* /proc lists by pid, and a child may have a lower pid than its parent: repeat until a pass
     * finds nothing. */
    uint32_t first = set->n, before;
    do {
        before = set->n;
        CLEANUP_WALK struct proc_walk walk;
        if (proc_walk_open(&walk, host->proc, ".", err) != 0)
            return -1;
        for (int32_t pid; proc_walk_next(&walk, &pid);) {
            struct proc_stat stat;
            struct proc_id id;
            enum sight sight = read_stat(host->proc, pid, &stat);
            if (sight == SEEN && holds_pid(set, stat.parent))
                sight = see_in_host(host, pid, &stat, &id);
            else if (sight == SEEN)
                continue;
            if (sight == UNSEEN)
                return make_unseen(pid, err);
            if (sight == SEEN && add_process(set, &id, err) != 0)
                return -1;
        }
        if (proc_walk_end(&walk, err) != 0)
            return -1;
    } while (set->n > before);
    *ret_added = set->n - first;
    return 0;
}

char proc_state(const struct fault_host *host, const struct proc_id *id)
{
    struct proc_stat stat;
    enum sight sight = read_stat(host->proc, id->pid, &stat);
    if (sight == UNSEEN)
        return '?';
    if (sight == GONE || stat.start != id->start)
        return '\0';
    return stat.state;
}

static bool has_ended(char state)
{
    return state == '\0' || state == 'Z' || state == 'X';
}

bool proc_has_ended(const struct fault_host *host, const struct proc_id *id)
{
    return has_ended(proc_state(host, id));
}

int proc_open(const struct fault_host *host, const struct proc_id *id, int *ret_fd, struct err *err)
{
    *ret_fd = -1;
    CLEANUP_FD int fd = (int)syscall(SYS_pidfd_open, id->pid, 0);
    if (fd < 0 && errno == ESRCH)
        return 0;
    if (fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "pidfd_open of process %d", id->host_pid);
    /* The descriptor holds the process; only now does a look at /proc say which one it is. */
    char state = proc_state(host, id);
    if (state == '?')
        return make_unseen(id->pid, err);
    if (has_ended(state))
        return 0;
    *ret_fd = steal_fd(&fd);
    return 0;
}

bool proc_wait_end(int pidfd, int64_t timeout_ns)
{
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + timeout_ns;
    for (;;) {
        struct pollfd p = {.fd = pidfd, .events = POLLIN};
        int64_t now = clock_system(CLOCK_MONOTONIC);
        int n = poll(&p, 1, clock_poll_ms(now, deadline, 60000));
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
        if (clock_system(CLOCK_MONOTONIC) >= deadline)
            return false;
    }
}

int proc_owner(const struct fault_host *host, const struct proc_id *id, uint32_t *ret_uid,
               uint32_t *ret_gid, struct err *err)
{
    int32_t uid, gid;
    enum sight sight = read_status(host->proc, id->pid, "Uid:", &uid);
    if (sight == SEEN)
        sight = read_status(host->proc, id->pid, "Gid:", &gid);
    if (sight == UNSEEN)
        return make_unseen(id->pid, err);
    if (sight == GONE || proc_state(host, id) == '\0')
        return make_error(err, ERR_NOT_FOUND, 0, "process %d has ended", id->pid);
    *ret_uid = (uint32_t)uid;
    *ret_gid = (uint32_t)gid;
    return 0;
}

int32_t proc_tracer(const struct fault_host *host, const struct proc_id *id)
{
    int32_t tracer = 0;
    if (proc_has_ended(host, id) || read_status(host->proc, id->pid, "TracerPid:", &tracer) != SEEN)
        return 0;
    return tracer;
}
