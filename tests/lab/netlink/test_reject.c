/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.reject: what programs at the other end are told, and when. */
#include "agents/faults/network_reject.h"
#include "lab/netfault.h"

extern const struct fault fault_network_reject;

enum { PORT = 5000, AT_ONCE_MS = 500, SENT_AGAIN_MS = 10000 };

/* Connects from B (or C) to A; 0, or the errno at which it fails; ETIMEDOUT: it hears nothing. */
static int try_connect_for(enum netns_host from, const char *from_ip, const char *ip, int ms)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, PORT);
    CLEANUP_FD int fd = netns_socket(from, SOCK_STREAM | SOCK_NONBLOCK, from_ip, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int sys = 0;
    socklen_t size = sizeof(sys);
    if (connect(fd, (struct sockaddr *)&addr, len) == 0 || errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, ms) != 1)
        return ETIMEDOUT;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &size);
    return sys;
}

static int try_connect(enum netns_host from, const char *from_ip, const char *ip)
{
    return try_connect_for(from, from_ip, ip, AT_ONCE_MS);
}

/* Sends a datagram and returns what its sender is told. */
static int try_datagram(enum netns_host from, const char *from_ip, const char *ip)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, PORT);
    CLEANUP_FD int fd = netns_socket(from, SOCK_DGRAM, from_ip, 0);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int sys = 0, on = 1;
    socklen_t size = sizeof(sys);
    bool six = addr.ss_family == AF_INET6; /* without this only a closed port is told */
    (void)setsockopt(fd, six ? SOL_IPV6 : SOL_IP, six ? IPV6_RECVERR : IP_RECVERR, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&addr, len) != 0 || send(fd, "x", 1, 0) != 1)
        return errno;
    (void)poll(&p, 1, AT_ONCE_MS / 4);
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &size);
    return sys;
}

static int listen_at(const char *ip)
{
    int fd = netns_socket(NETNS_A, SOCK_STREAM, ip, PORT);
    CU_ASSERT_EQUAL(listen(fd, 8), 0);
    return fd;
}

static struct network_reject args_of(int unreachable)
{
    return (struct network_reject){.traffic = netfault_args(NETNS_B_IP, NETNS_B6),
                                   .unreachable = unreachable};
}

static uint64_t rejected(const struct undo *undo)
{
    struct evidence evidence = {.n = 0};
    CU_ASSERT_EQUAL(fault_network_reject.evidence(&host_a, undo, &evidence, &err), 0);
    CU_ASSERT_STRING_EQUAL(evidence.items[0].name, "rejected");
    return evidence.items[0].value;
}

static void test_told_at_once(void)
{
    struct undo undo;
    struct network_reject args = args_of(NFT_NO_PORT);
    char *before = netfault_dump();
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B);
    CLEANUP_FD int six = listen_at(NETNS_A6_FOR_B);
    CLEANUP_FD int other = listen_at(NETNS_A_FOR_C);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_reject, &host_a, "i1", &args, 20000, &undo),
                          0);
    CU_ASSERT_EQUAL(rejected(&undo), 0);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B6, NETNS_A6_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_datagram(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_datagram(NETNS_B, NETNS_B6, NETNS_A6_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_connect(NETNS_C, NETNS_C_IP, NETNS_A_FOR_C), 0);
    CU_ASSERT(rejected(&undo) >= 4);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_reasons(void)
{
    static const struct {
        int unreachable, four, six;
    } rows[] = {{NFT_NO_HOST, EHOSTUNREACH, EHOSTUNREACH},
                {NFT_NO_ROUTE, ENETUNREACH, ENETUNREACH},
                {NFT_PROHIBITED, EHOSTUNREACH, EACCES}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct undo undo;
        struct network_reject args = args_of(rows[i].unreachable);
        args.traffic.protocol = NFT_PROTO_UDP;
        args.traffic.ports = (struct ports){.n = 1, .r = {{PORT, PORT}}};
        CU_ASSERT_EQUAL_FATAL(
            netfault_start(&fault_network_reject, &host_a, "i1", &args, 20000, &undo), 0);
        CU_ASSERT_EQUAL(try_datagram(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), rows[i].four);
        CU_ASSERT_EQUAL(try_datagram(NETNS_B, NETNS_B6, NETNS_A6_FOR_B), rows[i].six);
        CU_ASSERT_EQUAL(rejected(&undo), 2);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    }
}

/* A byte sent over an established connection: the errno with which it has ended; 0: it lives. */
static int fate_of_connection(const char *from_ip, int listener, const char *ip)
{
    struct network_reject args = args_of(NFT_NO_PORT);
    struct sockaddr_storage addr;
    struct undo undo;
    char byte;
    socklen_t len = netns_addr(&addr, ip, PORT);
    CLEANUP_FD int fd = netns_socket(NETNS_B, SOCK_STREAM, from_ip, 0);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&addr, len), 0);
    CLEANUP_FD int accepted = accept(listener, NULL, NULL);
    args.answer = NETWORK_ANSWER_UNREACHABLE;
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reject, &host_a, "i1", &args, 20000, &undo), 0);
    CU_ASSERT_EQUAL(send(fd, "x", 1, MSG_NOSIGNAL), 1);
    for (int i = 0; i < 100 && rejected(&undo) == 0; i++)
        netns_sleep_ms(10);
    CU_ASSERT(rejected(&undo) > 0);
    int sys = recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN ? errno : 0;
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    return sys;
}

/* As a firewall refuses: TCP is told by ICMP. Of a port, that is the errno of a reset too; the
 * other reasons tell them apart, and so does what is connected already, which no ICMP ends. */
static void test_tcp_unreachable(void)
{
    static const struct {
        int unreachable, protocol, four, six;
    } rows[] = {{NFT_NO_PORT, NFT_PROTO_ANY, ECONNREFUSED, ECONNREFUSED},
                {NFT_NO_HOST, NFT_PROTO_TCP, EHOSTUNREACH, EHOSTUNREACH},
                {NFT_PROHIBITED, NFT_PROTO_TCP, EHOSTUNREACH, EACCES}};
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B);
    CLEANUP_FD int six = listen_at(NETNS_A6_FOR_B);
    char *before = netfault_dump();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct undo undo;
        struct network_reject args = args_of(rows[i].unreachable);
        args.answer = NETWORK_ANSWER_UNREACHABLE;
        args.traffic.protocol = rows[i].protocol;
        CU_ASSERT_EQUAL_FATAL(
            netfault_start(&fault_network_reject, &host_a, "i1", &args, 20000, &undo), 0);
        CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), rows[i].four);
        /* Here the first ICMP finds the socket still locked by connect(): IPv6 forgets it. */
        CU_ASSERT_EQUAL(try_connect_for(NETNS_B, NETNS_B6, NETNS_A6_FOR_B, SENT_AGAIN_MS),
                        rows[i].six);
        CU_ASSERT(rejected(&undo) >= 2);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    }
    CU_ASSERT_EQUAL(fate_of_connection(NETNS_B_IP, four, NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(fate_of_connection(NETNS_B6, six, NETNS_A6_FOR_B), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* B refuses too, what A sends to it: each end still hears the other's refusals. */
static void test_both_ends(void)
{
    struct undo here, there;
    struct network_reject args = args_of(NFT_NO_PORT), of_b = args;
    struct fault_host host_b = {.run = "t2", .name = "b", .now = netfault_now};
    struct revert_report report;
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B);
    of_b.traffic = netfault_args(NETNS_A_FOR_B, NETNS_A6_FOR_B);
    CU_ASSERT_EQUAL(netns_enter(NETNS_B), 0);
    CU_ASSERT_EQUAL_FATAL(nft_open(host_b.run, &host_b.nft, &err), 0);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reject, &host_b, "i2", &of_b, 20000, &there), 0);
    CU_ASSERT_EQUAL(netns_enter(NETNS_A), 0);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reject, &host_a, "i1", &args, 20000, &here), 0);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_datagram(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), ECONNREFUSED);
    CU_ASSERT_EQUAL(try_datagram(NETNS_A, NETNS_A6_FOR_B, NETNS_B6), ECONNREFUSED);
    CU_ASSERT_EQUAL(netfault_stop(&here), 0);
    CU_ASSERT_EQUAL(netns_enter(NETNS_B), 0);
    CU_ASSERT_EQUAL(network_revert(&host_b, &there, &report, &err), 0);
    nft_close(host_b.nft);
    CU_ASSERT_EQUAL(netns_enter(NETNS_A), 0);
    CU_ASSERT_EQUAL(try_connect(NETNS_B, NETNS_B_IP, NETNS_A_FOR_B), 0);
}

static const struct check_test tests[] = {
    {"told at once", test_told_at_once},
    {"reasons", test_reasons},
    {"TCP is told by ICMP", test_tcp_unreachable},
    {"both ends", test_both_ends},
};

NETFAULT_MAIN("lab/netlink/reject", tests)
