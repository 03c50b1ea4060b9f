/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/ready.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/hostexec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { FIRST_PAUSE_MS = 5, LAST_PAUSE_MS = 50, ATTEMPT_MS = 1000, LOG_SCAN_MAX = 1024 * 1024 };

static bool parse_port(const char *text, size_t len, uint16_t *ret)
{
    unsigned long v = 0;
    if (len == 0 || len > 5)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (unsigned long)(text[i] - '0');
    }
    *ret = (uint16_t)v;
    return v > 0 && v <= 65535;
}

static int parse_error(const char *what, bool http, struct err *err)
{
    return make_error(err, ERR_INPUT, 0, "ready: %s is not %s", what,
                      http ? "http://HOST[:PORT][/PATH]" : "PORT or HOST:PORT");
}

/* HOST, HOST:PORT, [IPv6]:PORT, or PORT alone. */
static bool parse_host_port(const char *text, size_t len, struct ready_address *a)
{
    if (parse_port(text, len, &a->port)) {
        (void)snprintf(a->host, sizeof(a->host), "127.0.0.1");
        return true;
    }
    size_t host_len = len, colon = len;
    for (size_t i = 0; i < len; i++)
        if (text[i] == ':')
            colon = i;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', len);
        if (close == NULL)
            return false;
        text++;
        host_len = (size_t)(close - text);
        colon = host_len + 1;
        len--;
    } else {
        host_len = colon;
    }
    if (host_len == 0 || host_len >= sizeof(a->host))
        return false;
    memcpy(a->host, text, host_len);
    a->host[host_len] = '\0';
    return colon >= len || parse_port(text + colon + 1, len - colon - 1, &a->port);
}

int ready_parse(const char *what, bool http, struct ready_address *ret, struct err *err)
{
    *ret = (struct ready_address){.port = http ? 80 : 0};
    const char *at = what;
    if (http) {
        static const char scheme[] = "http://";
        if (strncmp(at, scheme, sizeof(scheme) - 1) != 0)
            return parse_error(what, http, err);
        at += sizeof(scheme) - 1;
    }
    size_t len = strcspn(at, "/");
    if (len == 0 || !parse_host_port(at, len, ret) || ret->port == 0)
        return parse_error(what, http, err);
    if (http)
        (void)snprintf(ret->path, sizeof(ret->path), "%s", at[len] != '\0' ? at + len : "/");
    return 0;
}

static const char *find_address(const struct lab_context *lab, const char *host)
{
    if (strcmp(host, "localhost") == 0)
        return "127.0.0.1";
    for (size_t i = 0; i < lab->n_hosts; i++)
        if (strcmp(lab->hosts[i].spec->name, host) == 0)
            return lab->hosts[i].ip;
    return host;
}

static int open_connection(const struct lab_context *lab, const struct ready_address *a)
{
    const char *ip = find_address(lab, a->host);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
    bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
        return -1;
    CLEANUP_FD int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval limit = {.tv_sec = ATTEMPT_MS / 1000};
    const struct sockaddr *to = is_v4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
        connect(fd, to, is_v4 ? sizeof(v4) : sizeof(v6)) != 0)
        return -1;
    return steal_fd(&fd);
}

static bool ask_http(const struct lab_context *lab, const struct ready_address *a)
{
    CLEANUP_FD int fd = open_connection(lab, a);
    char text[1024];
    if (fd < 0)
        return false;
    int n = snprintf(text, sizeof(text),
                     "GET %s HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n"
                     "User-Agent: blackstart\r\n\r\n",
                     a->path, a->host, a->port);
    if (n < 0 || (size_t)n >= sizeof(text) || send(fd, text, (size_t)n, MSG_NOSIGNAL) != n)
        return false;
    ssize_t got = recv(fd, text, 12, MSG_WAITALL); /* "HTTP/1.1 200" */
    return got == 12 && memcmp(text, "HTTP/1.", 7) == 0 && (text[9] == '2' || text[9] == '3');
}

static bool ask_tcp(const struct lab_context *lab, const struct ready_address *a)
{
    CLEANUP_FD int fd = open_connection(lab, a);
    return fd >= 0;
}

static bool ask_exec(const struct service *s)
{
    CLEANUP_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const struct hostexec how = {.argv = s->ready_argv,
                                 .env = s->env,
                                 .user = s->user,
                                 .workdir = s->spec->workdir,
                                 .out_fd = null};
    pid_t pid;
    struct err err;
    int status;
    if (null < 0 || hostexec_start(s->lab, &how, &pid, &err) != 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Lines that were there before this start do not count. */
static bool ask_log(const struct service *s, int fd, off_t from)
{
    static char text[LOG_SCAN_MAX];
    ssize_t n = pread(fd, text, sizeof(text), from);
    return n > 0 && memmem(text, (size_t)n, s->ready_what, strlen(s->ready_what)) != NULL;
}

static int open_log(const struct service *s)
{
    char name[96];
    if (s->spec->log != NULL)
        return open(s->spec->log, O_RDONLY | O_CLOEXEC);
    (void)snprintf(name, sizeof(name), "%s.log", s->log.name);
    return openat(s->log.dir_fd, name, O_RDONLY | O_CLOEXEC);
}

static void pause_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static int next_pause(int ms)
{
    return ms * 2 < LAST_PAUSE_MS ? ms * 2 : LAST_PAUSE_MS;
}

static _Noreturn void check_log(const struct service *s, off_t from)
{
    int fd = -1;
    for (int ms = FIRST_PAUSE_MS;; ms = next_pause(ms)) {
        if (fd < 0)
            fd = open_log(s);
        if (fd >= 0 && ask_log(s, fd, from))
            _exit(0);
        pause_ms(ms);
    }
}

static _Noreturn void check(const struct service *s, off_t log_from)
{
    struct ready_address a;
    struct err err;
    (void)setsid();
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (s->spec->ready == READY_LOG)
        check_log(s, log_from);
    bool http = s->spec->ready == READY_HTTP;
    if (s->spec->ready != READY_EXEC && ready_parse(s->ready_what, http, &a, &err) != 0)
        _exit(2);
    for (int ms = FIRST_PAUSE_MS;; ms = next_pause(ms)) {
        if (s->spec->ready == READY_EXEC ? ask_exec(s)
            : http                       ? ask_http(s->lab, &a)
                                         : ask_tcp(s->lab, &a))
            _exit(0);
        pause_ms(ms);
    }
}

int ready_start(const struct service *s, pid_t *ret_checker, struct err *err)
{
    struct ready_address a;
    if ((s->spec->ready == READY_TCP || s->spec->ready == READY_HTTP) &&
        ready_parse(s->ready_what, s->spec->ready == READY_HTTP, &a, err) != 0)
        return -1;
    struct stat st;
    CLEANUP_FD int log = s->spec->ready == READY_LOG ? open_log(s) : -1;
    off_t from = log >= 0 && fstat(log, &st) == 0 ? st.st_size : 0;
    pid_t pid = fork();
    if (pid < 0)
        return make_error(err, ERR_SYSTEM, errno, "start the check of %s", s->spec->name);
    if (pid == 0)
        check(s, from);
    *ret_checker = pid;
    return 0;
}
