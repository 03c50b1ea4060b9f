/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections destroyed: which ones, what both ends see, and together with a partition. */
#include "agents/netlink/sockdiag.h"
#include "lab/netfault.h"

extern const struct fault fault_network_reset;

enum { PORT = 5000, OTHER = 5001, AT_ONCE_MS = 500 };

/* An established connection from `from` to A: both ends. */
struct pair {
    int ours, theirs;
};

static struct pair connect_pair(int listener, enum netns_host from, const char *from_ip,
                                const char *ip, uint16_t port)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, port);
    struct pair p = {.theirs = netns_socket(from, SOCK_STREAM, from_ip, 0)};
    CU_ASSERT_EQUAL(connect(p.theirs, (struct sockaddr *)&addr, len), 0);
    p.ours = accept(listener, NULL, NULL);
    CU_ASSERT_TRUE(p.ours >= 0);
    return p;
}

static int listen_at(const char *ip, uint16_t port)
{
    int fd = netns_socket(NETNS_A, SOCK_STREAM, ip, port);
    CU_ASSERT_EQUAL(listen(fd, 1024), 0);
    return fd;
}

/* The errno with which it has ended; 0: it lives. */
static int fate(int fd, int ms)
{
    char byte;
    (void)netns_readable(fd, ms);
    return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno != EAGAIN ? errno : 0;
}

static void pair_close(struct pair p)
{
    (void)close(p.ours);
    (void)close(p.theirs);
}

static uint64_t destroyed(const struct undo *undo)
{
    struct evidence e = {.n = 0};
    CU_ASSERT_EQUAL(fault_network_reset.evidence(&host_a, undo, &e, &err), 0);
    CU_ASSERT_EQUAL(e.proven, e.items[0].value != 0);
    return e.items[0].value;
}

static void test_both_families(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B, PORT), six = listen_at(NETNS_A6_FOR_B, PORT);
    CLEANUP_FD int both = listen_at("::", OTHER);
    CLEANUP_FD int of_c = listen_at(NETNS_A_FOR_C, PORT);
    struct pair p4 = connect_pair(four, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, PORT);
    struct pair p6 = connect_pair(six, NETNS_B, NETNS_B6, NETNS_A6_FOR_B, PORT);
    struct pair mapped = connect_pair(both, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, OTHER);
    struct pair stays = connect_pair(of_c, NETNS_C, NETNS_C_IP, NETNS_A_FOR_C, PORT);
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_reset, &host_a, "i1", &args, 20000, &undo),
                          0);
    CU_ASSERT_EQUAL(destroyed(&undo), 3);
    CU_ASSERT_EQUAL(fate(p4.ours, 0), ECONNABORTED);
    CU_ASSERT_EQUAL(fate(p6.ours, 0), ECONNABORTED);
    CU_ASSERT_EQUAL(fate(mapped.ours, 0), ECONNABORTED);
    CU_ASSERT_EQUAL(fate(p4.theirs, AT_ONCE_MS), ECONNRESET);
    CU_ASSERT_EQUAL(fate(p6.theirs, AT_ONCE_MS), ECONNRESET);
    CU_ASSERT_EQUAL(fate(mapped.theirs, AT_ONCE_MS), ECONNRESET);
    CU_ASSERT_EQUAL(fate(stays.ours, 0), 0);
    pair_close(p4);
    pair_close(connect_pair(four, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, PORT));
    pair_close(p6);
    pair_close(mapped);
    pair_close(stays);
    (void)close(six);
}

static void test_selection(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NULL, NULL);
    args.ports = (struct ports){.n = 1, .r = {{OTHER, OTHER}}};
    args.family = NETWORK_IPV4;
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B, PORT);
    CLEANUP_FD int both = listen_at("::", OTHER);
    struct pair port = connect_pair(four, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, PORT);
    struct pair six = connect_pair(both, NETNS_B, NETNS_B6, NETNS_A6_FOR_B, OTHER);
    struct pair within = connect_pair(both, NETNS_A, "127.0.0.1", "127.0.0.1", OTHER);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reset, &host_a, "i1", &args, 20000, &undo), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(destroyed(&undo), 0);
    struct pair mapped = connect_pair(both, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, OTHER);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reset, &host_a, "i1", &args, 20000, &undo), 0);
    CU_ASSERT_EQUAL(destroyed(&undo), 1);
    CU_ASSERT_EQUAL(fate(mapped.ours, 0), ECONNABORTED);
    CU_ASSERT_EQUAL(fate(port.ours, 0), 0);
    CU_ASSERT_EQUAL(fate(six.ours, 0), 0);
    CU_ASSERT_EQUAL(fate(within.ours, 0), 0);
    pair_close(port);
    pair_close(six);
    pair_close(within);
    pair_close(mapped);
}

/* More than are gathered at once. */
static void test_many(void)
{
    enum { MANY = 700 };
    static struct pair pairs[MANY];
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B, PORT);
    for (size_t i = 0; i < MANY; i++)
        pairs[i] = connect_pair(four, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, PORT);
    int64_t start = clock_system(CLOCK_MONOTONIC);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_reset, &host_a, "i1", &args, 20000, &undo), 0);
    printf("figure: %d connections destroyed in %.1f ms\n", MANY,
           (double)(clock_system(CLOCK_MONOTONIC) - start) / 1e6);
    CU_ASSERT_EQUAL(destroyed(&undo), MANY);
    for (size_t i = 0; i < MANY; i++)
        pair_close(pairs[i]);
}

static void test_with_partition(void)
{
    struct undo undo;
    const struct network_partition args = {.traffic = netfault_args(NETNS_B_IP, NETNS_B6),
                                           .connections = NETWORK_DESTROY};
    CLEANUP_FD int four = listen_at(NETNS_A_FOR_B, PORT);
    struct pair p = connect_pair(four, NETNS_B, NETNS_B_IP, NETNS_A_FOR_B, PORT);
    CU_ASSERT_EQUAL_FATAL(
        netfault_start(&fault_network_partition, &host_a, "i1", &args, 20000, &undo), 0);
    CU_ASSERT_EQUAL(fate(p.ours, 0), ECONNABORTED);
    struct evidence e = netfault_evidence(&undo);
    CU_ASSERT_STRING_EQUAL(e.items[2].name, "destroyed");
    CU_ASSERT_EQUAL(e.items[2].value, 1);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    pair_close(p);
}

static const struct check_test tests[] = {
    {"both families", test_both_families},
    {"selection", test_selection},
    {"many", test_many},
    {"with a partition", test_with_partition},
};

NETFAULT_MAIN("lab/netlink/reset", tests)
