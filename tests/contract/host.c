/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "contract/host.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define VICTIM    "/usr/local/bin/victim"
#define STATE_TOP "/var/tmp/blackstart-test"

static char state_dir[128], upper[160], id[32];

static const char *const labels[] = {"member"};
static const struct lab_host_spec hosts[] = {{.name = "n1",
                                              .labels = labels,
                                              .n_labels = 1,
                                              .disk = {1024 * 1024},
                                              .disk_path = "/srv/disk"},
                                             {.name = "n2", .labels = labels, .n_labels = 1}};
static const char *const host_names[] = {"n1", "n2"};
static const char *const web_command[] = {VICTIM, "/var/lib/web/file", "n1", "n2"};
static const char *const redis_command[] = {VICTIM, "/var/lib/redis/file"};
static const char *const worker_command[] = {VICTIM, "/var/lib/web/worker"};
static const char *const web_data[] = {"/var/lib/web"}, *const redis_data[] = {"/var/lib/redis"};
/* Valid until 2126. */
static const char site_certificate[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBuDCCAV2gAwIBAgIUTWSTOHoDynbiYgH+J90/P7qLgj4wCgYIKoZIzj0EAwIw\n"
    "HDEaMBgGA1UEAwwRYmxhY2tzdGFydCBsYWIgQ0EwIBcNMjYxMTIyMDg1ODQyWhgP\n"
    "MjEyNjEwMjkwODU4NDJaMA8xDTALBgNVBAMMBHdlYjEwWTATBgcqhkjOPQIBBggq\n"
    "hkjOPQMBBwNCAARgCP+SwP3SyS6mkT6xm8H+PKCCfnQ2ZtXBsFM8VcYX4FtOGuxA\n"
    "6NknpsOE8S90EI5/cTx2atSGKexMQKB9pVEuo4GHMIGEMA8GA1UdEQQIMAaCBHdl\n"
    "YjEwDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYB\n"
    "BQUHAwEwHQYDVR0OBBYEFPIT+RJjjQw1EyyoRf4GA5EIXP2eMB8GA1UdIwQYMBaA\n"
    "FLKmNOVtfPxb0sPVizs1ncSprD3+MAoGCCqGSM49BAMCA0kAMEYCIQD+aalVZm+E\n"
    "i8RUDTN43eZ5Vv8uDbr0cBOToNGoFyIWIwIhAK3kLBE+/5GUM7LPxv+TnK/LhTNd\n"
    "VR2aYsrj9THpornG\n"
    "-----END CERTIFICATE-----\n";
static const struct lab_file_spec files[] = {
    {.path = VICTIM, .from = BINARY_DIR "/tests/contract_victim", .mode = 0755},
    {.path = "/etc/nginx/nginx.conf", .content = "listen 80;\n", .mode = 0640},
    {.path = "/etc/nginx/conf.d/more.conf", .content = "more\n", .mode = 0600},
    {.path = "/etc/ssl/site.crt", .content = site_certificate, .mode = 0644},
};

static char rest[32] = "VICTIM_REST_MS=4";
static const char *const environment[] = {rest};

#define SERVICE(label, ...)                                                                        \
    {                                                                                              \
        .name = label, .hosts = host_names, .n_hosts = 2, .files = files, .n_files = COUNT(files), \
        .ready = READY_NONE, .ready_timeout = {10 * NS_PER_SEC}, .stop_signal = SIGTERM,           \
        .stop_timeout = {NS_PER_SEC}, .reload_signal = SIGHUP, .start = true, .env = environment,  \
        .n_env = 1, __VA_ARGS__                                                                    \
    }
static const struct lab_service_spec services[] = {
    SERVICE("web", .command = web_command, .n_command = COUNT(web_command), .data = web_data,
            .n_data = 1, .restart = RESTART_NEVER),
    SERVICE("worker", .command = worker_command, .n_command = COUNT(worker_command),
            .data = web_data, .n_data = 1, .restart = RESTART_ALWAYS,
            .restart_delay = {20 * NS_PER_MS}),
    SERVICE("redis", .command = redis_command, .n_command = COUNT(redis_command),
            .data = redis_data, .n_data = 1, .preload = true, .restart = RESTART_NEVER),
};

static const struct lab_spec spec = {.name = "contract",
                                     .hosts = hosts,
                                     .n_hosts = COUNT(hosts),
                                     .services = services,
                                     .n_services = COUNT(services)};

const struct lab_spec *host_spec(int rest_ms)
{
    (void)snprintf(rest, sizeof(rest), "VICTIM_REST_MS=%d", rest_ms);
    return &spec;
}

void host_peers(const struct lab *lab, struct addrs *ret)
{
    const struct lab_host_info *peer = lab_find(lab, "n2");
    ret->n = COUNT(peer->addrs);
    memcpy(ret->a, peer->addrs, sizeof(peer->addrs));
}

static void say(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

int host_up(struct lab **ret, struct err *err)
{
    (void)snprintf(id, sizeof(id), "ct%d", (int)getpid());
    (void)snprintf(state_dir, sizeof(state_dir), STATE_TOP "/%s", id);
    (void)snprintf(upper, sizeof(upper), "%s/hosts/n1/upper", state_dir);
    const struct lab_options options = {.id = id,
                                        .state_dir = state_dir,
                                        .preload = BINARY_DIR "/libblackstart-fiu.so",
                                        .progress = say};
    if (lab_up(&spec, &options, ret, err) != 0)
        return -1;
    return lab_start_services(*ret, err);
}

const char *host_agent_state(void)
{
    static char path[160];
    (void)snprintf(path, sizeof(path), "%s/agent-n1", state_dir);
    return path;
}

const char *host_upper(void)
{
    return upper;
}

static int read_all(int fd, int64_t timeout_ns, struct buf *out, struct err *err)
{
    int64_t deadline = clock_system(CLOCK_MONOTONIC) + timeout_ns;
    for (;;) {
        char chunk[4096];
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t now = clock_system(CLOCK_MONOTONIC);
        if (now >= deadline)
            return make_error(err, ERR_TIMEOUT, 0, "it does not come to its end");
        if (poll(&p, 1, clock_poll_ms(now, deadline, 60000)) <= 0)
            continue;
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        buf_add(out, chunk, (size_t)n);
    }
}

int host_run(struct lab *lab, const char *const *argv, int64_t timeout_ns, struct buf *out,
             struct err *err)
{
    int pair[2];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return make_error(err, ERR_SYSTEM, errno, "socketpair");
    CLEANUP_FD int ours = pair[0];
    CLEANUP_FD int theirs = pair[1];
    if (lab_spawn(lab, "n1", argv, &theirs, 1, &pid, err) != 0)
        return -1;
    (void)close(steal_fd(&theirs));
    if (read_all(ours, timeout_ns, out, err) == 0)
        return 0;
    (void)kill(pid, SIGKILL);
    return -1;
}
