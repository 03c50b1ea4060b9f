/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server of the benches that ask over HTTP: one process on the loopback that does nothing but
 * answer. Each read is one request, since nobody there sends the next before the answer. It closes
 * behind its client, with a reset, so that no port waits.
 */
#ifndef BLACKSTART_TESTS_ANSWER_SERVER_H
#define BLACKSTART_TESTS_ANSWER_SERVER_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What it has done, in memory that it shares with whoever asks. */
struct answer_counts {
    uint64_t answered, accepted;
};

static inline void answer_one(int fd, struct answer_counts *counts)
{
    static const char kept[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
                      ends[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                               "Connection: close\r\n\r\nok\n";
    static const char word[] = "Connection: close";
    char request[4096];
    ssize_t n = recv(fd, request, sizeof(request), 0);
    bool end = n > 0 && memmem(request, (size_t)n, word, sizeof(word) - 1) != NULL;
    if (n > 0 &&
        send(fd, end ? ends : kept, (end ? sizeof(ends) : sizeof(kept)) - 1, MSG_NOSIGNAL) > 0)
        (void)__atomic_fetch_add(&counts->answered, 1, __ATOMIC_RELAXED);
    else
        (void)close(fd); /* which takes it out of the epoll set, too */
}

static inline void answer_all(int listener, struct answer_counts *counts)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.fd = listener}, ready[64];
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, ready, 64, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd != listener) {
                answer_one(ready[i].data.fd, counts);
                continue;
            }
            e.data.fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
            if (e.data.fd < 0)
                continue;
            (void)__atomic_fetch_add(&counts->accepted, 1, __ATOMIC_RELAXED);
            (void)setsockopt(e.data.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
            (void)epoll_ctl(epoll, EPOLL_CTL_ADD, e.data.fd, &e);
        }
    }
}

/* Its process, the caller's to kill and wait for; it dies with the caller. -1, errno: failed. */
static inline pid_t answer_server_start(struct answer_counts *counts, uint16_t *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        return -1;
    *ret_port = ntohs(at.sin_port);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        answer_all(fd, counts);
    }
    (void)close(fd);
    return pid;
}

#endif
