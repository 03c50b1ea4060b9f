/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/lab.h"
#include "lab/place.h"

#include "agents/fiu/page.h"
#include "base/cleanup.h"
#include "lab/cgroup.h"
#include "lab/fabric.h"
#include "lab/idmap.h"
#include "lab/lab_internal.h"
#include "lab/layer.h"
#include "lab/registry.h"
#include "lab/state.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define CLIENT_HOST "client"

void lab_say(const struct lab *lab, const char *fmt, ...)
{
    char text[256];
    va_list args;
    if (lab == NULL || lab->progress == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    lab->progress(lab->progress_ctx, text);
}

static int add_host(struct lab_context *c, const struct lab_host_spec *spec, struct err *err)
{
    if (c->n_hosts == LAB_HOSTS_MAX)
        return make_error(err, ERR_LIMIT, 0, "a lab has at most %d hosts", LAB_HOSTS_MAX - 1);
    size_t len = strlen(spec->name);
    if (len == 0 || len > NAME_MAX_LEN || strchr(spec->name, '/') != NULL || spec->name[0] == '.')
        return make_error(err, ERR_INPUT, 0, "\"%s\" cannot be a host's name", spec->name);
    struct context_host *h = &c->hosts[c->n_hosts++];
    h->spec = spec;
    (void)snprintf(h->ip, sizeof(h->ip), "10.77.0.%zu", c->n_hosts);
    (void)snprintf(h->ip6, sizeof(h->ip6), "fd77::%zx", c->n_hosts);
    return 0;
}

static int add_hosts(struct lab_context *c, const struct lab_spec *spec, struct err *err)
{
    bool has_client = false;
    for (size_t i = 0; i < spec->n_hosts; i++) {
        has_client = has_client || strcmp(spec->hosts[i].name, CLIENT_HOST) == 0;
        if (add_host(c, &spec->hosts[i], err) != 0)
            return -1;
    }
    if (has_client)
        return 0;
    c->client.name = CLIENT_HOST;
    return add_host(c, &c->client, err);
}

/* Overlay's options are one text: these characters would end a path in it. */
static int take_path(char *out, size_t size, const char *path, struct err *err)
{
    if (path[0] != '/' || strpbrk(path, ":,\\") != NULL)
        return make_error(err, ERR_INPUT, 0,
                          "%s: a lab's directory must be an absolute path without : , \\", path);
    int n = snprintf(out, size, "%s", path);
    if (n < 0 || (size_t)n >= size)
        return make_error(err, ERR_LIMIT, 0, "%s is too long a path", path);
    return 0;
}

static void find_preload(struct lab_context *c, const char *given)
{
    char exe[PATH_MAX - 64];
    struct err ignored;
    if (place_programs(exe, sizeof(exe), &ignored) != 0)
        exe[0] = '\0';
    if (given != NULL)
        (void)snprintf(c->preload, sizeof(c->preload), "%s", given);
    else
        (void)snprintf(c->preload, sizeof(c->preload), "%s/" FIU_LIBRARY, exe);
}

static int fill_context(struct lab *lab, const struct lab_spec *spec,
                        const struct lab_options *options, struct err *err)
{
    struct lab_context *c = &lab->context;
    c->spec = spec;
    c->lock_fd = c->preload_fd = -1;
    memset(c->group_fds, -1, sizeof(c->group_fds));
    c->uid = geteuid();
    c->rootless = c->uid != 0;
    c->ipv6 = access("/proc/sys/net/ipv6", F_OK) == 0;
    if (options->id == NULL || strlen(options->id) >= sizeof(c->id) ||
        strchr(options->id, '/') != NULL)
        return make_error(err, ERR_INPUT, 0, "a lab's id is a short word");
    (void)snprintf(c->id, sizeof(c->id), "%s", options->id);
    find_preload(c, options->preload);
    if (take_path(c->state_dir, sizeof(c->state_dir), options->state_dir, err) != 0 ||
        add_hosts(c, spec, err) != 0)
        return -1;
    return users_load(&c->users, "/etc/passwd", "/etc/group", spec, err);
}

static int receive(struct lab *lab, struct fabric_reply *reply, int *ret_fd, struct err *err)
{
    struct iovec part = {.iov_base = reply, .iov_len = sizeof(*reply)};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } beside;
    struct msghdr msg = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = beside.room,
                         .msg_controllen = sizeof(beside.room)};
    ssize_t n;
    do
        n = recvmsg(lab->control_fd, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(*reply))
        return make_error(err, ERR_SYSTEM, 0, "the lab's process has ended");
    const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    if (c != NULL && c->cmsg_type == SCM_RIGHTS && ret_fd != NULL)
        memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    if (reply->err.code == ERR_NONE)
        return 0;
    if (err != NULL)
        *err = reply->err;
    return -1;
}

static int ask(struct lab *lab, const struct fabric_request *q, const int *fds, size_t n_fds,
               struct err *err)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)q,
                         .iov_len = offsetof(struct fabric_request, argv) + q->argv_len};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(FABRIC_FDS_MAX * sizeof(int))];
    } beside = {.room = {0}};
    struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
    if (n_fds != 0) {
        msg.msg_control = beside.room;
        msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    if (sendmsg(lab->control_fd, &msg, MSG_NOSIGNAL) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask the lab's process");
    return 0;
}

static _Noreturn void fabric_child(struct lab *lab, int control, int sync)
{
    /* Every other descriptor is the caller's business: a lab must not keep its pipes open. */
    int keep[] = {control, sync, lab->context.lock_fd};
    for (int i = 0; i < 3; i++)
        keep[i] = keep[i] >= 0 ? fcntl(keep[i], F_DUPFD_CLOEXEC, 700 + i) : -1;
    int null = open("/dev/null", O_RDWR);
    (void)dup2(null, 0);
    (void)dup2(null, 1);
    for (int i = 0; i < 3; i++)
        if (keep[i] >= 0)
            keep[i] = dup3(keep[i], 3 + i, O_CLOEXEC);
    (void)syscall(SYS_close_range, 6U, ~0U, 0U);
    lab->context.lock_fd = keep[2];
    fabric_run(&lab->context, keep[0], keep[1]);
}

static int fork_fabric(struct lab *lab, struct err *err)
{
    int control[2], sync[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a socket pair");
    lab->control_fd = control[0];
    CLEANUP_FD int theirs = control[1];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sync) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make a socket pair");
    CLEANUP_FD int my_sync = sync[0];
    CLEANUP_FD int their_sync = sync[1];
    lab->fabric = fork();
    if (lab->fabric < 0)
        return make_error(err, ERR_SYSTEM, errno, "start the lab's process");
    if (lab->fabric == 0)
        fabric_child(lab, theirs, their_sync);
    (void)close(steal_fd(&their_sync));
    (void)close(steal_fd(&theirs));
    return lab->context.rootless ? idmap_write(&lab->context, lab->fabric, my_sync, err) : 0;
}

static void take_hosts(struct lab *lab, const struct fabric_reply *hello)
{
    for (size_t i = 0; i < lab->context.n_hosts; i++) {
        struct lab_host_info *h = &lab->hosts[i];
        const struct context_host *c = &lab->context.hosts[i];
        h->name = c->spec->name;
        h->init_pid = hello->pids[i];
        h->addrs[0] = (struct addr){.family = 4, .prefix = 32, .ip = {10, 77, 0, (uint8_t)(i + 1)}};
        h->addrs[1] = (struct addr){.family = 6, .prefix = 128, .ip = {0xfd, 0x77}};
        h->addrs[1].ip[15] = (uint8_t)(i + 1);
        (void)snprintf(lab->roots[i], sizeof(lab->roots[i]), "/proc/%d/root", (int)h->init_pid);
        h->root = lab->roots[i];
    }
}

static void forget_fabric(struct lab *lab)
{
    if (lab->control_fd >= 0)
        (void)close(lab->control_fd);
    lab->control_fd = -1;
    while (lab->fabric > 0 && waitpid(lab->fabric, NULL, 0) < 0 && errno == EINTR)
        continue;
    lab->fabric = 0;
}

/* What a fabric that was killed could not remove. */
static int clear_state(struct lab *lab, struct err *err)
{
    if (lab->context.lock_fd < 0)
        return 0;
    (void)close(steal_fd(&lab->context.lock_fd));
    bool groups_gone = cgroup_remove(lab->context.id);
    if (tree_remove(lab->context.state_dir, err) != 0)
        return -1;
    if (!groups_gone)
        return make_error(err, ERR_DIRTY, 0, "cgroups blackstart-%s are still in use",
                          lab->context.id);
    return 0;
}

const char *lab_packages(const struct lab *lab)
{
    const char *slash = strrchr(lab->context.layer, '/');
    return slash != NULL ? slash + 1 : lab->context.layer;
}

static int make_lab(struct lab *lab, const struct lab_options *options, struct err *err)
{
    struct fabric_reply hello;
    struct lab_context *c = &lab->context;
    if (layer_open(c->spec, options->cache_dir, lab, c->layer, sizeof(c->layer), err) != 0)
        return -1;
    if (state_make(c->state_dir, c->id, &c->lock_fd, err) != 0 || fork_fabric(lab, err) != 0 ||
        receive(lab, &hello, NULL, err) != 0)
        return -1;
    take_hosts(lab, &hello);
    if (registry_write(lab, err) != 0)
        return -1;
    lab_say(lab, "lab %s up: %zu hosts", c->id, c->n_hosts);
    return 0;
}

int lab_up(const struct lab_spec *spec, const struct lab_options *options, struct lab **ret,
           struct err *err)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    if (lab == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory for a lab");
    lab->control_fd = -1;
    lab->progress = options->progress;
    lab->progress_ctx = options->progress_ctx;
    if (geteuid() != 0 && spec->n_services != 0)
        lab_say(lab, "without root a lab has one id: a service that changes users while it runs "
                     "cannot (blackstart doctor)");
    if (fill_context(lab, spec, options, err) != 0 || make_lab(lab, options, err) != 0) {
        lab_free(lab);
        return -1;
    }
    *ret = lab;
    return 0;
}

size_t lab_n_hosts(const struct lab *lab)
{
    return lab->context.n_hosts;
}

const struct lab_host_info *lab_host(const struct lab *lab, size_t i)
{
    return i < lab->context.n_hosts ? &lab->hosts[i] : NULL;
}

const struct lab_host_info *lab_find(const struct lab *lab, const char *name)
{
    for (size_t i = 0; i < lab->context.n_hosts; i++)
        if (strcmp(lab->hosts[i].name, name) == 0)
            return &lab->hosts[i];
    return NULL;
}

int lab_host_index(const struct lab *lab, const char *name, size_t *ret, struct err *err)
{
    const struct lab_host_info *h = lab_find(lab, name);
    if (h == NULL)
        return make_error(err, ERR_NOT_FOUND, 0, "the lab has no host %s", name);
    *ret = (size_t)(h - lab->hosts);
    return 0;
}

int lab_spawn(struct lab *lab, const char *host, const char *const *argv, const int *fds,
              size_t n_fds, pid_t *ret_pid, struct err *err)
{
    static struct fabric_request q;
    static struct fabric_reply r;
    size_t index = 0;
    if (lab_host_index(lab, host, &index, err) != 0)
        return -1;
    if (n_fds > FABRIC_FDS_MAX)
        return make_error(err, ERR_LIMIT, 0, "at most %d descriptors", FABRIC_FDS_MAX);
    q.op = FABRIC_SPAWN;
    q.host = (uint32_t)index;
    q.n_fds = (uint32_t)n_fds;
    q.argv_len = 0;
    for (size_t i = 0; argv[i] != NULL; i++) {
        size_t len = strlen(argv[i]) + 1;
        if (len > sizeof(q.argv) - q.argv_len)
            return make_error(err, ERR_LIMIT, 0, "the command is too long");
        memcpy(q.argv + q.argv_len, argv[i], len);
        q.argv_len += (uint32_t)len;
    }
    if (ask(lab, &q, fds, n_fds, err) != 0 || receive(lab, &r, NULL, err) != 0)
        return wrap_error(err, "host %s", host);
    *ret_pid = r.pid;
    return 0;
}

int lab_watch(const struct lab *lab, const char *host, int *ret_fd, struct err *err)
{
    size_t index = 0;
    if (host != NULL && lab_host_index(lab, host, &index, err) != 0)
        return -1;
    pid_t pid = host != NULL ? lab->hosts[index].init_pid : lab->fabric;
    *ret_fd = (int)syscall(SYS_pidfd_open, pid, 0U);
    if (*ret_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "watch %s", host != NULL ? host : "the lab");
    return 0;
}

int lab_hostctl(struct lab *lab, const char *host, int *ret_fd, struct err *err)
{
    static struct fabric_request q;
    static struct fabric_reply r;
    size_t index = 0;
    int fd = -1;
    if (lab_host_index(lab, host, &index, err) != 0)
        return -1;
    q.op = FABRIC_HOSTCTL;
    q.host = (uint32_t)index;
    q.n_fds = q.argv_len = 0;
    if (ask(lab, &q, NULL, 0, err) != 0 || receive(lab, &r, &fd, err) != 0)
        return wrap_error(err, "host %s", host);
    if (fd < 0)
        return make_error(err, ERR_PROTOCOL, 0, "host %s: no connection came", host);
    *ret_fd = fd;
    return 0;
}

int lab_down(struct lab *lab, struct err *err)
{
    static struct fabric_request q;
    static struct fabric_reply r;
    int status = 0;
    if (lab->fabric > 0) {
        q.op = FABRIC_DOWN;
        q.host = q.n_fds = q.argv_len = 0;
        struct err lost;
        if (ask(lab, &q, NULL, 0, &lost) == 0)
            status = receive(lab, &r, NULL, err);
        forget_fabric(lab);
    }
    struct err cleared;
    if (clear_state(lab, &cleared) != 0) {
        if (err != NULL)
            *err = cleared;
        return -1;
    }
    return r.err.code == ERR_NONE ? 0 : status;
}

void lab_free(struct lab *lab)
{
    struct err ignored;
    if (lab == NULL)
        return;
    if (lab->fabric > 0 || lab->context.lock_fd >= 0)
        (void)!lab_down(lab, &ignored);
    users_free(&lab->context.users);
    free(lab);
}
