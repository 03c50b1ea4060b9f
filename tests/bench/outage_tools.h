/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tools that people measure outages with, beside Blackstart: started on a URL for one trial,
 * ended, and their output read as people read it. Where a tool cannot be had, the reason is printed
 * and the others go on. A tool is a process group of its own, that ends with the trial; the
 * exporter is started once.
 *
 * A length is what the tool says, in nanoseconds, of the longest outage that it saw; -1: none.
 */
#ifndef BLACKSTART_TESTS_OUTAGE_TOOLS_H
#define BLACKSTART_TESTS_OUTAGE_TOOLS_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/layer.h"
#include "lab/tree.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXPORTER_PORT = 9115, TOOL_OUTPUT_MAX = 1 << 20, WORDS_MAX = 16 };

enum method {
    CURL_AFTER,
    CURL_BEFORE,
    EXPORTER,
    EXPORTER_SECOND,
    HEY,
    METHODS,
};

static const char *const method_names[METHODS] = {
    "curl loop, time taken after", "curl loop, time before", "blackbox_exporter, 100 ms",
    "blackbox_exporter, 1 s", "hey"};

/* As people write it; both ways to note the time, in one loop. */
static const char curl_loop[] = "while :; do\n"
                                "    before=$(date +%s%N)\n"
                                "    if curl -s -o /dev/null -m 1 \"$0\"; then\n"
                                "        [ -z \"$b\" ] || echo $(($(date +%s%N) - a)) "
                                "$((before - b))\n"
                                "        a= b=\n"
                                "    else\n"
                                "        a=${a:-$(date +%s%N)} b=${b:-$before}\n"
                                "    fi\n"
                                "    sleep 0.1\n"
                                "done\n";

struct tool {
    pid_t pid; /* 0: not running */
    int out;
};

static struct {
    char hey[PATH_MAX], exporter[PATH_MAX]; /* "": cannot be had */
    bool curl;
    struct tool running; /* the exporter */
} tools;

static inline bool method_runs(enum method m)
{
    return m == HEY ? tools.hey[0] != '\0' : m < EXPORTER ? tools.curl : tools.exporter[0] != '\0';
}

static inline void tool_none(const char *name, const char *why)
{
    printf("%s is not measured: %s\n", name, why);
}

/* The package's program, in a layer as labs unpack it. In a child, since a network may make apt
 * wait for minutes. */
static inline void tool_fetch_here(const char *package, int out)
{
    char layer[PATH_MAX], path[2 * PATH_MAX];
    struct err err = {.msg = ""};
    const struct lab_spec spec = {.name = package, .packages = &package, .n_packages = 1};
    (void)setpgid(0, 0);
    int rc = layer_open(&spec, NULL, NULL, layer, sizeof(layer), &err);
    (void)snprintf(path, sizeof(path), "%s/usr/bin/%s", layer, package);
    if (rc == 0 && access(path, X_OK) != 0) /* of the machine's own */
        (void)snprintf(path, sizeof(path), "/usr/bin/%s", package);
    (void)dprintf(out, "%s", rc == 0 ? path : err.msg);
    _exit(rc != 0);
}

static inline void tool_fetch(const char *package, int64_t until, char *ret, size_t size)
{
    int ends[2], status = -1;
    char text[512] = "it could not be fetched in time";
    ret[0] = '\0';
    if (pipe2(ends, O_CLOEXEC) != 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        tool_fetch_here(package, ends[1]);
    (void)close(ends[1]);
    struct pollfd p = {.fd = ends[0], .events = POLLIN};
    if (poll(&p, 1, clock_poll_ms(clock_system(CLOCK_MONOTONIC), until, INT_MAX)) > 0) {
        ssize_t n = read(ends[0], text, sizeof(text) - 1);
        text[n > 0 ? n : 0] = '\0';
    } else {
        (void)kill(-pid, SIGKILL);
    }
    (void)close(ends[0]);
    if (waitpid(pid, &status, 0) == pid && status == 0)
        (void)snprintf(ret, size, "%s", text);
    else
        tool_none(package, text);
}

/* A child whose standard output is ours to read; argv[0] is looked up, or `run` is called. */
static inline struct tool tool_start(const char *const *argv, void (*run)(const void *arg),
                                     const void *arg)
{
    int ends[2];
    struct tool t = {.pid = 0, .out = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return t;
    t.pid = fork();
    if (t.pid == 0) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        (void)setpgid(0, 0);
        if (dup2(null, 0) != 0 || dup2(ends[1], 1) != 1 || dup2(null, 2) != 2)
            _exit(126);
        if (run != NULL)
            run(arg);
        else
            (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)setpgid(t.pid, t.pid); /* whichever of the two comes first */
    (void)close(ends[1]);
    t.out = ends[0];
    return t;
}

/* Waits up to patience_ms for its own end, ends it, and returns what it printed. */
static inline void tool_end(struct tool *t, int patience_ms, struct buf *ret)
{
    char part[4096];
    struct pollfd p = {.fd = t->out, .events = POLLIN};
    int64_t give_up = clock_system(CLOCK_MONOTONIC) + patience_ms * NS_PER_MS;
    if (t->pid <= 0)
        return;
    for (ssize_t n = 1; n > 0;) {
        int64_t left = (give_up - clock_system(CLOCK_MONOTONIC)) / NS_PER_MS;
        if (poll(&p, 1, left > 0 ? (int)left : 0) == 0 && kill(-t->pid, SIGKILL) != 0)
            break;
        n = read(t->out, part, sizeof(part));
        if (n > 0)
            buf_add(ret, part, (size_t)n);
    }
    (void)kill(-t->pid, SIGKILL);
    (void)waitpid(t->pid, NULL, 0);
    (void)close(t->out);
    t->pid = 0;
}

/* The exporter, asked as Prometheus asks it: on a schedule, one scrape at a time. */

struct scrape {
    int64_t every_ns;
    uint16_t port;
    bool as_prometheus; /* its scrape time-out is told, of which the exporter takes half a second */
};

/* 1: up, 0: down, -1: no answer of the exporter's. */
static inline int scrape_once(const struct scrape *s)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(EXPORTER_PORT)};
    const struct timeval patience = {.tv_sec = 3};
    char text[32768];
    size_t used = 0;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    int n = snprintf(text, sizeof(text),
                     "GET /probe?module=http_2xx&target=http%%3A%%2F%%2F127.0.0.1%%3A%u%%2F "
                     "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
                     s->port, s->as_prometheus ? "X-Prometheus-Scrape-Timeout-Seconds: 1\r\n" : "");
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        return -1;
    for (ssize_t got; used < sizeof(text) - 1; used += (size_t)got)
        if ((got = recv(fd, text + used, sizeof(text) - 1 - used, 0)) <= 0)
            break;
    text[used] = '\0';
    const char *at = strstr(text, "\nprobe_success ");
    return at == NULL ? -1 : at[sizeof("\nprobe_success ") - 1] == '1';
}

/* A sample's time is that at which its scrape began. A tick that is missed is made up for at once,
 * one of several. */
static inline void scrape_run(const void *arg)
{
    const struct scrape *s = arg;
    int64_t due = clock_system(CLOCK_MONOTONIC);
    for (;;) {
        int64_t now = clock_system(CLOCK_MONOTONIC);
        int up = scrape_once(s);
        if (up >= 0)
            (void)dprintf(1, "%lld %d\n", (long long)now, up);
        now = clock_system(CLOCK_MONOTONIC);
        int64_t missed = (now - due) / s->every_ns;
        due += (missed > 1 ? missed : 1) * s->every_ns;
        const struct timespec t = clock_timespec(due);
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
    }
}

/* Before a network namespace is entered that has no way out; waits no longer than that for packages
 * that are not in the cache. */
static inline void tools_fetch(int seconds)
{
    static const char *const version[] = {"curl", "--version", NULL};
    CLEANUP_BUF struct buf said = BUF_INIT(TOOL_OUTPUT_MAX);
    struct tool curl = tool_start(version, NULL, NULL);
    tool_end(&curl, 10000, &said);
    tools.curl = strncmp(buf_text(&said), "curl ", 5) == 0;
    if (!tools.curl)
        tool_none("curl loop", "there is no curl on this machine");
    int64_t until = clock_system(CLOCK_MONOTONIC) + seconds * NS_PER_SEC;
    tool_fetch("hey", until, tools.hey, sizeof(tools.hey));
    tool_fetch("prometheus-blackbox-exporter", until, tools.exporter, sizeof(tools.exporter));
}

/* Its configuration goes into dir; port: of a server that is up. */
static inline void exporter_start(const char *dir, uint16_t port)
{
    static const char config[] = "modules:\n"
                                 "  http_2xx:\n"
                                 "    prober: http\n"
                                 "    timeout: 1s\n"
                                 "    http: {preferred_ip_protocol: ip4}\n";
    char path[PATH_MAX], option[PATH_MAX + 32];
    struct err err = {.msg = ""};
    const char *argv[] = {tools.exporter, option, "--web.listen-address=127.0.0.1:9115",
                          "--log.level=error", NULL};
    const struct scrape scrape = {.port = port};
    if (tools.exporter[0] == '\0')
        return;
    (void)snprintf(path, sizeof(path), "%s/exporter.yml", dir);
    (void)snprintf(option, sizeof(option), "--config.file=%s", path);
    if (tree_write(path, config, sizeof(config) - 1, 0644, &err) == 0) {
        tools.running = tool_start(argv, NULL, NULL);
        for (int i = 0; i < 100; i++, (void)usleep(50000))
            if (scrape_once(&scrape) == 1)
                return;
    }
    tool_none("blackbox_exporter", err.msg[0] != '\0' ? err.msg : "it did not start");
    tools.exporter[0] = '\0';
}

static inline void exporter_end(void)
{
    CLEANUP_BUF struct buf said = BUF_INIT(TOOL_OUTPUT_MAX);
    tool_end(&tools.running, 0, &said);
}

/* What their output says. */

static inline const char *line_next(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end + 1 : line + strlen(line);
}

static inline int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Lines of two lengths, of the loop. */
static inline void curl_read(const char *text, int64_t *lengths)
{
    for (const char *line = text; *line != '\0'; line = line_next(line)) {
        long long after, before;
        if (sscanf(line, "%lld %lld", &after, &before) != 2)
            continue;
        lengths[CURL_AFTER] = longer(after, lengths[CURL_AFTER]);
        lengths[CURL_BEFORE] = longer(before, lengths[CURL_BEFORE]);
    }
}

/* From the first sample that is 0 to the next that is 1. */
static inline int64_t scrape_read(const char *text)
{
    int64_t longest = -1, from = -1;
    for (const char *line = text; *line != '\0'; line = line_next(line)) {
        long long at;
        int up;
        if (sscanf(line, "%lld %d", &at, &up) != 2)
            continue;
        if (up != 0 && from >= 0)
            longest = longer(at - from, longest);
        from = up != 0 ? -1 : from >= 0 ? from : at;
    }
    return longest;
}

/* It lists the requests that succeeded, with the time at which each began in the last column: the
 * longest gap. A second is no gap of an outage of two, but of a request or two that were late. */
static inline int64_t hey_read(const char *text)
{
    double last = -1, longest = 0;
    for (const char *line = text; *line != '\0'; line = line_next(line)) {
        const char *comma = memrchr(line, ',', strcspn(line, "\n"));
        char *end = NULL;
        double at = comma != NULL ? strtod(comma + 1, &end) : 0;
        if (comma == NULL || end == comma + 1) /* the heading */
            continue;
        longest = last >= 0 && at - last > longest ? at - last : longest;
        last = at;
    }
    return longest > 1 ? (int64_t)(longest * 1e9) : -1;
}

#endif
