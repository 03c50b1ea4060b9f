/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crash/rig.h"
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "contract/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nothing here waits for traffic, which would take most of the processors' time. */
enum { REST_MS = 50, AWAIT_MS = 15000, NETSIDE_MS = 2000 };

static int open_host(struct rig *r, struct err *err)
{
    char path[128];
    const struct lab_host_info *host = lab_find(r->lab, "n1");
    r->init = host->init_pid;
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)r->init);
    r->net_fd = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "/proc/%d/root", (int)r->init);
    r->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "%s/hosts/n1/upper", r->lab_dir);
    r->upper_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r->machine_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (r->net_fd < 0 || r->root_fd < 0 || r->upper_fd < 0 || r->machine_fd < 0)
        return make_error(err, ERR_SYSTEM, errno, "open the lab's host");
    return 0;
}

int rig_up(struct rig *r, const char *name, const char *program, struct err *err)
{
    *r = (struct rig){
        .agent = program, .net_fd = -1, .root_fd = -1, .upper_fd = -1, .machine_fd = -1};
    (void)mkdir("/var/tmp/blackstart-test", 0700);
    (void)snprintf(r->id, sizeof(r->id), "c%d-%.12s", (int)getpid(), name);
    (void)snprintf(r->lab_dir, sizeof(r->lab_dir), "/var/tmp/blackstart-test/%s", r->id);
    (void)snprintf(r->agents_dir, sizeof(r->agents_dir), "%s-agents", r->lab_dir);
    (void)snprintf(r->log, sizeof(r->log), "%s.log", r->lab_dir);
    if (mkdir(r->agents_dir, 0700) != 0)
        return make_error(err, ERR_SYSTEM, errno, "mkdir %s", r->agents_dir);
    const struct lab_options options = {
        .id = r->id, .state_dir = r->lab_dir, .preload = BINARY_DIR "/libblackstart-fiu.so"};
    if (lab_up(host_spec(REST_MS), &options, &r->lab, err) != 0 ||
        lab_start_services(r->lab, err) != 0)
        return -1;
    return open_host(r, err);
}

void rig_peers(const struct rig *r, struct addrs *ret)
{
    host_peers(r->lab, ret);
}

/* What a host left behind that is no more. */
static void drop_logs(const char *agents_dir)
{
    CLEANUP_DIR DIR *dir = opendir(agents_dir);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(dir), e->d_name, 0);
}

void rig_down(struct rig *r)
{
    struct err err;
    CLEANUP_FD int net = steal_fd(&r->net_fd);
    CLEANUP_FD int root = steal_fd(&r->root_fd);
    CLEANUP_FD int machine = steal_fd(&r->machine_fd);
    CLEANUP_FD int upper = steal_fd(&r->upper_fd);
    if (upper >= 0)
        (void)close(steal_fd(&upper)); /* else the lab's mounts stay */
    if (root >= 0)
        (void)close(steal_fd(&root));
    if (r->lab != NULL && lab_down(r->lab, &err) != 0)
        (void)fprintf(stderr, "    lab down: %s\n", err.msg);
    lab_free(r->lab);
    r->lab = NULL;
    drop_logs(r->agents_dir);
    (void)rmdir(r->agents_dir);
    (void)unlink(r->log);
}

unsigned rig_logs(const struct rig *r)
{
    unsigned n = 0;
    CLEANUP_DIR DIR *dir = opendir(r->agents_dir);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    return n;
}

static bool say_hello(struct rig *r, struct rig_agent *a)
{
    static const char *const names[] = {"netside", "privside", "guardian"};
    char digest[DIGEST_TEXT];
    json_t *result = NULL;
    catalogue_digest(&fault_catalogue, digest);
    if (!rig_call(a, "hello",
                  json_pack("{s:i,s:s,s:s,s:s,s:i}", "protocol", 1, "run", r->id, "host", "n1",
                            "catalogue", digest, "lease_ms", 1000),
                  RIG_CALL_MS, &result))
        return false;
    for (size_t i = 0; i < 3; i++)
        a->pids[i] =
            (pid_t)json_integer_value(json_object_get(json_object_get(result, "pids"), names[i]));
    size_t i;
    json_t *one, *replayed = json_object_get(result, "replayed");
    json_array_foreach(replayed, i, one)
    {
        a->replayed++;
        a->replay_failed = a->replay_failed || !json_is_true(json_object_get(one, "reverted"));
    }
    json_decref(result);
    return true;
}

int rig_start(struct rig *r, struct rig_agent *a, const char *const *before, struct err *err)
{
    const char *argv[48];
    size_t n = 0;
    int pair[2];
    *a = (struct rig_agent){.fd = -1, .pidfd = -1};
    frame_reader_init(&a->in);
    for (size_t i = 0; before != NULL && before[i] != NULL; i++)
        argv[n++] = before[i];
    const char *const own[] = {
        r->agent,    "stdio", "--run",     r->id,   "--host",     "n1",    "--state", r->agents_dir,
        "--root-fd", "@ROOT", "--proc-fd", "@PROC", "--init-pid", "@INIT", "--lab",   NULL};
    memcpy(&argv[n], own, sizeof(own));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return make_error(err, ERR_SYSTEM, errno, "socketpair");
    a->fd = pair[0];
    CLEANUP_FD int theirs = pair[1];
    CLEANUP_FD int log = open(r->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int fds[] = {theirs, log, log};
    pid_t pid;
    if (lab_spawn(r->lab, "n1", argv, fds, 3, &pid, err) != 0)
        return -1;
    a->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    (void)close(steal_fd(&theirs));
    if (!say_hello(r, a))
        return make_error(err, ERR_PROTOCOL, 0, "the agent does not say hello: see %s", r->log);
    return 0;
}

/* As /proc/net/tcp has it: established, and not of the host with itself. */
static bool has_connection(const char *text)
{
    for (const char *line = text; line != NULL; line = strchr(line + 1, '\n')) {
        char local[9], remote[9], state[3];
        if (sscanf(line, " %*d: %8[0-9A-F]:%*4[0-9A-F] %8[0-9A-F]:%*4[0-9A-F] %2s", local, remote,
                   state) == 3 &&
            strcmp(state, "01") == 0 && strcmp(local, remote) != 0)
            return true;
    }
    return false;
}

void rig_await_connection(const struct rig *r)
{
    char path[48];
    (void)snprintf(path, sizeof(path), "/proc/%d/net/tcp", (int)r->init);
    for (int tries = 0; tries < AWAIT_MS / 10; tries++) {
        CLEANUP_BUF struct buf text = BUF_INIT(RIG_STATE_MAX);
        struct err ignored;
        CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || buf_read_fd(&text, fd, &ignored) != 0 || has_connection(buf_text(&text)))
            return;
        (void)usleep(10000);
    }
}

pid_t rig_bearer(const struct rig_agent *a)
{
    char path[64], text[256] = "", *save = NULL;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)a->pids[1],
                   (int)a->pids[1]);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    for (char *word = strtok_r(text, " \n", &save); word != NULL;
         word = strtok_r(NULL, " \n", &save)) {
        pid_t pid = (pid_t)strtol(word, NULL, 10);
        if (pid != a->pids[0] && pid != a->pids[2])
            return pid;
    }
    return 0;
}

/* The next frame, or NULL: nothing in time, or the link has ended. */
static json_t *next_frame(struct rig_agent *a, int64_t deadline)
{
    struct err err;
    json_t *frame = NULL;
    for (;;) {
        if (frame_next(&a->in, &frame, &err) != 0 || frame != NULL)
            return frame;
        char chunk[4096];
        struct pollfd p = {.fd = a->fd, .events = POLLIN};
        int left = clock_poll_ms(clock_system(CLOCK_MONOTONIC), deadline, 60000);
        ssize_t n = left == 0 || poll(&p, 1, left) <= 0 ? -1 : read(a->fd, chunk, sizeof(chunk));
        if (n <= 0 || frame_feed(&a->in, chunk, (size_t)n, &err) != 0)
            return NULL;
    }
}

bool rig_call(struct rig_agent *a, const char *method, json_t *params, int timeout_ms, json_t **ret)
{
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(FRAME_MAX);
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + timeout_ms * NS_PER_MS;
    json_t *request = frame_request(++a->last_id, method, params);
    int rc = frame_put(&out, request, &err);
    json_decref(request);
    *ret = NULL;
    (void)snprintf(a->why, sizeof(a->why), "no answer to %s", method);
    if (rc != 0 || send(a->fd, buf_text(&out), out.len, MSG_NOSIGNAL) != (ssize_t)out.len)
        return false;
    for (json_t *frame; (frame = next_frame(a, deadline)) != NULL; json_decref(frame)) {
        json_t *id = json_object_get(frame, "id");
        if (!json_is_integer(id) || json_integer_value(id) != a->last_id)
            continue;
        *ret = json_incref(json_object_get(frame, "result"));
        bool ok = *ret != NULL;
        if (!ok && frame_is_error(frame, &err))
            (void)snprintf(a->why, sizeof(a->why), "%.199s", err.msg);
        json_decref(frame);
        return ok;
    }
    return false;
}

static bool await_gone(pid_t pid, int timeout_ms)
{
    for (int i = 0; pid > 0 && kill(pid, 0) == 0; i++) {
        if (i >= timeout_ms / 5)
            return false;
        (void)usleep(5000);
    }
    return true;
}

bool rig_stop(struct rig_agent *a, int timeout_ms, int *ret_exit)
{
    struct pollfd p = {.fd = a->pidfd, .events = POLLIN};
    if (a->fd >= 0)
        (void)close(steal_fd(&a->fd));
    frame_reader_free(&a->in);
    *ret_exit = -1;
    bool ended = a->pidfd < 0 || poll(&p, 1, timeout_ms) > 0;
    /* The guardian goes last when privside was killed. */
    ended = ended && await_gone(a->pids[2], timeout_ms);
    /* Netside sees by itself that its link is closed; one that stays is found by rig_strays(). */
    (void)await_gone(a->pids[0], NETSIDE_MS);
    for (size_t i = 0; !ended && i < 3; i++)
        if (a->pids[i] > 0)
            (void)kill(a->pids[i], SIGKILL);
    if (a->pidfd >= 0)
        (void)close(steal_fd(&a->pidfd));
    return ended;
}
