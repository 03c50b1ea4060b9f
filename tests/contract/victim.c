/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The service that contract tests harm: two threads, one child; every few milliseconds it sends to
 * its peers, takes what they send, keeps connections with them, answers
 * them as a name server, reads the clock, and writes to its
 * file. Errors are what it is
 * there for. VICTIM_REST_MS=n: every n milliseconds. usage: victim FILE PEER...
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PORT = 4000, PEERS_MAX = 8, REST_MAX_US = 40000, IDLE_SHARE = 8 };

static int64_t least_us = 4000;

static void set_rest(const char *ms)
{
    if (ms != NULL)
        least_us = strtol(ms, NULL, 10) * 1000;
}

/* By raw call: it is no reading of the clock that a fault should see. */
static int64_t now_us(void)
{
    struct timespec t = {0};
    (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Longer where what it does in between takes long: an emulated machine is not filled by it. */
static void rest(void)
{
    static _Thread_local int64_t woke;
    int64_t us = woke != 0 ? (now_us() - woke) * IDLE_SHARE : 0;
    us = us > REST_MAX_US ? REST_MAX_US : us;
    us = us < least_us ? least_us : us;
    const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    (void)nanosleep(&t, NULL);
    woke = now_us();
}

static void *write_file(void *path)
{
    for (;; rest()) {
        (void)time(NULL);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        if (fd < 0)
            continue;
        (void)!write(fd, "victim\n", 7);
        (void)close(fd);
    }
    return NULL;
}

/* Connections with its peers, that are opened again when they have ended. */
struct connections {
    int listener, next;
    int out[PEERS_MAX], in[4 * PEERS_MAX]; /* -1: none */
};

static bool has_ended(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN);
}

static void close_ended(int *fds, int n)
{
    for (int i = 0; i < n; i++)
        if (fds[i] >= 0 && has_ended(fds[i])) {
            (void)close(fds[i]);
            fds[i] = -1;
        }
}

static void connections_open(struct connections *c, const struct sockaddr_in *at)
{
    int on = 1;
    for (size_t i = 0; i < sizeof(c->out) / sizeof(c->out[0]); i++)
        c->out[i] = -1;
    for (size_t i = 0; i < sizeof(c->in) / sizeof(c->in[0]); i++)
        c->in[i] = -1;
    c->next = 0;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    (void)setsockopt(c->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(c->listener, (const struct sockaddr *)at, sizeof(*at)) != 0 ||
        listen(c->listener, PEERS_MAX) != 0)
        exit(1);
}

static void connections_keep(struct connections *c, const struct sockaddr_in *to, int n)
{
    enum { IN = sizeof(c->in) / sizeof(c->in[0]) };
    close_ended(c->in, IN);
    close_ended(c->out, n);
    for (int fd; (fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0; c->next++) {
        int *at = &c->in[c->next % IN];
        if (*at >= 0)
            (void)close(*at);
        *at = fd;
    }
    for (int i = 0; i < n; i++) {
        if (c->out[i] >= 0)
            continue;
        c->out[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(c->out[i], (const struct sockaddr *)&to[i], sizeof(to[i]));
    }
}

/* As a name server answers: www.example.com has the address 10.1.2.3. */
static const char answer[] = "\0\1\x81\x80\0\1\0\1\0\0\0\0\3www\7example\3com\0\0\1\0\1"
                             "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3";

static int name_server(void)
{
    const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        exit(1);
    return fd;
}

/* Enough for a slow line to be felt where rests are long. */
static const char hello[256] = "hello";

static void serve(int fd, const struct sockaddr_in *at, const struct sockaddr_in *to, int n)
{
    struct connections connections;
    char in[64];
    int names = n > 0 ? name_server() : -1;
    if (n > 0)
        connections_open(&connections, at);
    for (;; rest()) {
        if (n > 0)
            connections_keep(&connections, to, n);
        for (int i = 0; i < n; i++) {
            const struct sockaddr *peer = (const struct sockaddr *)&to[i];
            (void)sendto(fd, hello, sizeof(hello), MSG_DONTWAIT, peer, sizeof(to[i]));
            (void)sendto(names, answer, sizeof(answer) - 1, MSG_DONTWAIT, peer, sizeof(to[i]));
        }
        while (recv(fd, in, sizeof(in), MSG_DONTWAIT) > 0)
            ;
    }
}

static int find_peers(struct sockaddr_in *to, int argc, char **argv)
{
    int n = 0;
    for (int i = 2; i < argc && n < PEERS_MAX; i++) {
        const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
        struct addrinfo *found = NULL;
        if (getaddrinfo(argv[i], NULL, &hints, &found) != 0)
            continue;
        memcpy(&to[n], found->ai_addr, sizeof(to[n]));
        to[n++].sin_port = htons(PORT);
        freeaddrinfo(found);
    }
    return n;
}

int main(int argc, char **argv)
{
    pthread_t writer;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    struct sockaddr_in to[PEERS_MAX], at = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    if (argc < 2 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
        return 1;
    (void)signal(SIGHUP, SIG_IGN);
    set_rest(getenv("VICTIM_REST_MS"));
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (getppid() == parent)
            rest();
        return 0;
    }
    if (pthread_create(&writer, NULL, write_file, argv[1]) != 0)
        return 1;
    serve(fd, &at, to, find_peers(to, argc, argv));
}
