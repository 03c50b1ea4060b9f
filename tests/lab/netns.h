/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three hosts for tests with real packets: network namespaces A, B and C of this process, A joined
 * to B and to C by a veth pair each, IPv4 and IPv6. Sockets stay in the namespace in which they
 * were opened, so one process can talk to itself across them. All of it ends with the process.
 */
#ifndef BLACKSTART_TESTS_NETNS_H
#define BLACKSTART_TESTS_NETNS_H

#include "base/param.h"
#include "check.h"
#include "shell.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum netns_host { NETNS_A, NETNS_B, NETNS_C, NETNS_HOSTS };

static int netns_fd[NETNS_HOSTS];

/* As B and C are seen from A, and A from each of them; the name of a host's address. */
#define NETNS_A_FOR_B  "10.9.1.1"
#define NETNS_B_IP     "10.9.1.2"
#define NETNS_A6_FOR_B "fd09:1::1"
#define NETNS_B6       "fd09:1::2"
#define NETNS_A_FOR_C  "10.9.2.1"
#define NETNS_C_IP     "10.9.2.3"
#define NETNS_A6_FOR_C "fd09:2::1"
#define NETNS_C6       "fd09:2::3"

static inline int netns_enter(enum netns_host host)
{
    return setns(netns_fd[host], CLONE_NEWNET);
}

/* Runs a shell command in the namespace where we are; returns its exit status. */
static inline int netns_run(const char *command)
{
    int status = shell_run(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline int netns_new(enum netns_host host)
{
    char path[64];
    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "/proc/self/ns/net");
    netns_fd[host] = open(path, O_RDONLY | O_CLOEXEC);
    return netns_fd[host] < 0 ? -1 : netns_run("ip link set lo up");
}

static inline socklen_t netns_addr(struct sockaddr_storage *out, const char *ip, uint16_t port)
{
    memset(out, 0, sizeof(*out));
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    struct sockaddr_in *in4 = (struct sockaddr_in *)out;
    if (inet_pton(AF_INET6, ip, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        return sizeof(*in6);
    }
    (void)inet_pton(AF_INET, ip, &in4->sin_addr);
    in4->sin_family = AF_INET;
    in4->sin_port = htons(port);
    return sizeof(*in4);
}

/* A socket of `host` bound there (port 0: any). */
static inline int netns_socket(enum netns_host host, int type, const char *ip, uint16_t port)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, port);
    int one = 1;
    if (netns_enter(host) < 0)
        return -1;
    int fd = socket(addr.ss_family, type | SOCK_CLOEXEC, 0);
    if (netns_enter(NETNS_A) < 0 || fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, (struct sockaddr *)&addr, len) < 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static inline bool netns_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 1;
}

/* Sends one datagram from `from` (bound to from_ip) to ip:port, and says whether it arrived at the
 * socket bound there within `ms`; -1: sending failed, which a silent fault must never cause. */
static inline int netns_pass(enum netns_host from, const char *from_ip, uint16_t from_port,
                             enum netns_host to, const char *ip, uint16_t port, int ms)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, port);
    int rx = netns_socket(to, SOCK_DGRAM, ip, port);
    int tx = netns_socket(from, SOCK_DGRAM, from_ip, from_port);
    int result = -1;
    if (rx >= 0 && tx >= 0 && sendto(tx, "x", 1, 0, (struct sockaddr *)&addr, len) == 1)
        result = netns_readable(rx, ms) ? 1 : 0;
    (void)close(rx);
    (void)close(tx);
    return result;
}

static inline void netns_sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

/* The kernel lets a second go by between changes of carrier, and IPv6 waits for them. */
static inline int netns_wait_ready(void)
{
    for (int i = 0; i < 60; i++, netns_sleep_ms(50))
        if (netns_pass(NETNS_A, NETNS_A6_FOR_B, 0, NETNS_B, NETNS_B6, 9, 50) == 1 &&
            netns_pass(NETNS_A, NETNS_A6_FOR_C, 0, NETNS_C, NETNS_C6, 9, 50) == 1)
            return 0;
    return -1;
}

/* Leaves us in A. */
static inline int netns_make(void)
{
    char command[1024];
    for (int i = NETNS_HOSTS - 1; i >= 0; i--)
        if (netns_new((enum netns_host)i) != 0)
            return -1;
    static const struct {
        enum netns_host host;
        const char *dev;
        int net, last;
    } links[] = {{NETNS_B, "eth0", 1, 2}, {NETNS_C, "eth1", 2, 3}};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(command, sizeof(command),
                       "ip link add %s type veth peer name eth0 netns /proc/%d/fd/%d && "
                       "ip addr add 10.9.%d.1/24 dev %s && "
                       "ip addr add fd09:%d::1/64 dev %s nodad && ip link set %s up",
                       links[i].dev, (int)getpid(), netns_fd[links[i].host], links[i].net,
                       links[i].dev, links[i].net, links[i].dev, links[i].dev);
        if (netns_run(command) != 0 || netns_enter(links[i].host) < 0)
            return -1;
        (void)snprintf(command, sizeof(command),
                       "ip addr add 10.9.%d.%d/24 dev eth0 && "
                       "ip addr add fd09:%d::%d/64 dev eth0 nodad && ip link set eth0 up",
                       links[i].net, links[i].last, links[i].net, links[i].last);
        if (netns_run(command) != 0 || netns_enter(NETNS_A) < 0)
            return -1;
    }
    return netns_wait_ready();
}

static inline struct addr netns_peer(const char *ip)
{
    struct addr a = {.family = 4, .prefix = 32};
    if (inet_pton(AF_INET, ip, a.ip) == 1)
        return a;
    a = (struct addr){.family = 6, .prefix = 128};
    (void)inet_pton(AF_INET6, ip, a.ip);
    return a;
}

#endif
