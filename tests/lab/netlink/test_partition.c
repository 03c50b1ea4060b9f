/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a partition cuts and what it leaves alone, with real packets between namespaces. */
#include "lab/netfault.h"

#include <netinet/tcp.h>

static void test_blocks_and_heals(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    char *before = netfault_dump();
    CU_ASSERT_EQUAL(fault_network_partition.supported(&host_a, &err), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 1);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_FALSE(netfault_evidence(&undo).proven);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    struct evidence evidence = netfault_evidence(&undo);
    CU_ASSERT_TRUE(evidence.proven);
    CU_ASSERT_EQUAL(evidence.items[0].value, 2);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 1);
    CU_ASSERT_FALSE(netfault_active(&undo));
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* Both ways, at this end alone: so it is towards a network, whose hosts have no agent. */
static void test_networks(void)
{
    static const char *const nets[] = {"10.9.1.0/24", NETNS_B_IP, "fd09:1::/64", "10.9.1.2/31",
                                       "192.0.2.0/24"};
    struct undo in, out;
    struct network_traffic args = netfault_args(NULL, NULL);
    char *before = netfault_dump();
    for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
        CU_ASSERT_EQUAL_FATAL(addr_parse(nets[i], &args.peers.a[args.peers.n++], &err), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &in), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 1);
    args.direction = NETWORK_OUT;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i2", &args, 10000, &out), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B6), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    CU_ASSERT_EQUAL(netfault_evidence(&in).items[0].value, 2);
    CU_ASSERT_EQUAL(netfault_evidence(&out).items[0].value, 2);
    CU_ASSERT_TRUE(netfault_active(&in) && netfault_active(&out));
    CU_ASSERT_EQUAL(netfault_stop(&in), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 0);
    CU_ASSERT_EQUAL(netfault_stop(&out), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B6), 1);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static int from_b_ports(uint16_t from, uint16_t to)
{
    return netns_pass(NETNS_B, NETNS_B_IP, from, NETNS_A, NETNS_A_FOR_B, to, 60);
}

static void test_ports_match_either_end(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    /* They overlap and touch: the kernel would refuse them as they stand. */
    args.ports =
        (struct ports){.n = 4, .r = {{8100, 8200}, {7000, 7000}, {8000, 8150}, {8201, 8201}}};
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(from_b_ports(0, 7000), 0);
    CU_ASSERT_EQUAL(from_b_ports(7000, 6000), 0); /* the answer of a service on B */
    CU_ASSERT_EQUAL(from_b_ports(6000, 7001), 1);
    CU_ASSERT_EQUAL(from_b_ports(6000, 6999), 1);
    CU_ASSERT_EQUAL(from_b_ports(6000, 8201), 0);
    CU_ASSERT_EQUAL(from_b_ports(6000, 8202), 1);
    CU_ASSERT_EQUAL(from_b_ports(6000, 7999), 1);
    CU_ASSERT_EQUAL(netfault_evidence(&undo).items[0].value, 3);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_all_ports(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    args.ports = (struct ports){.n = 1, .r = {{1, 65535}}};
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(from_b_ports(65535, 65535), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_ports_nobody_uses(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    args.ports = (struct ports){.n = 1, .r = {{1, 1}}};
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    struct evidence evidence = netfault_evidence(&undo);
    CU_ASSERT_FALSE(evidence.proven);
    CU_ASSERT_EQUAL(evidence.items[0].value, 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static int connect_b(const char *ip)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, 5001);
    int rx = netns_socket(NETNS_A, SOCK_STREAM, ip, 5001);
    int tx = netns_socket(NETNS_B, SOCK_STREAM | SOCK_NONBLOCK, NETNS_B_IP, 0);
    struct pollfd p = {.fd = tx, .events = POLLOUT};
    int status = -1;
    if (rx >= 0 && tx >= 0 && listen(rx, 1) == 0 &&
        connect(tx, (struct sockaddr *)&addr, len) < 0 && errno == EINPROGRESS)
        status = poll(&p, 1, 100);
    (void)close(rx);
    (void)close(tx);
    return status;
}

static void test_protocols(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    args.protocol = NFT_PROTO_TCP;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(connect_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    args.protocol = NFT_PROTO_UDP;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(connect_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    args.protocol = NFT_PROTO_ICMP;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

/* With peers named and without: the other family goes on. */
static void test_families(void)
{
    struct undo undo;
    struct network_traffic named = netfault_args(NETNS_B_IP, NETNS_B6);
    struct network_traffic everyone = netfault_args(NULL, NULL);
    for (int family = NETWORK_IPV4; family <= NETWORK_IPV6; family++) {
        named.family = everyone.family = family;
        CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &named, 10000, &undo), 0);
        CU_ASSERT_TRUE(netfault_active(&undo));
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), family != NETWORK_IPV4);
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), family != NETWORK_IPV6);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
        CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &everyone, 10000, &undo), 0);
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), family != NETWORK_IPV4);
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), family != NETWORK_IPV6);
        CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    }
}

/* With its neighbours forgotten, A must still find B's hardware address: it asks B, and the answer
 * comes from an address that is cut off. */
static void test_neighbours_are_still_found(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("ip neigh flush all; ip -6 neigh flush all"), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 1);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B6), 1);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_silent_at_the_sender(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    char *before = netfault_dump();
    args.direction = NETWORK_OUT;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    for (int i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(netns_pass(NETNS_A, NETNS_A_FOR_B, 0, NETNS_B, NETNS_B_IP, 5000, 1), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B6), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_evidence(&undo).items[0].value, 21);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B_IP), 1);
    CU_ASSERT_EQUAL(netfault_to_b(NETNS_B6), 1);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

struct pair {
    int a, b;
};

static struct pair connect_pair(void)
{
    struct sockaddr_storage addr;
    struct pair p = {-1, -1};
    int one = 1, listener = netns_socket(NETNS_A, SOCK_STREAM, NETNS_A_FOR_B, 5002);
    socklen_t len = netns_addr(&addr, NETNS_A_FOR_B, 5002);
    p.b = netns_socket(NETNS_B, SOCK_STREAM, NETNS_B_IP, 0);
    if (listen(listener, 1) == 0 && connect(p.b, (struct sockaddr *)&addr, len) == 0)
        p.a = accept(listener, NULL, NULL);
    (void)setsockopt(p.b, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)setsockopt(p.a, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)close(listener);
    return p;
}

static uint32_t retransmits(int fd)
{
    struct tcp_info info = {.tcpi_state = 0};
    socklen_t len = sizeof(info);
    CU_ASSERT_EQUAL(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_total_retrans;
}

/* An established connection stalls as under true loss: writing succeeds, nothing arrives, the
 * sender backs off and resends, and all of it arrives after the end. */
static void stall(int direction)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    struct pair p = connect_pair();
    int tx = direction == NETWORK_IN ? p.b : p.a, rx = direction == NETWORK_IN ? p.a : p.b;
    char got[8] = "";
    args.direction = direction;
    CU_ASSERT_EQUAL(write(tx, "1", 1), 1);
    CU_ASSERT_TRUE(netns_readable(rx, 1000));
    CU_ASSERT_EQUAL(read(rx, got, 1), 1);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    uint32_t before = retransmits(tx);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(write(tx, "2", 1), 1);
        CU_ASSERT_FALSE(netns_readable(rx, 250));
    }
    /* 1 s of a minimal time-out of 200 ms that doubles: two or three, and the loss probe's one. A
     * drop that the sender is told of would be retried every few milliseconds. */
    uint32_t resent = retransmits(tx) - before;
    CU_ASSERT_TRUE(resent >= 1 && resent <= 6);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netns_readable(rx, 5000));
    netns_sleep_ms(20);
    CU_ASSERT_EQUAL(read(rx, got, sizeof(got)), 4);
    CU_ASSERT_EQUAL(write(rx, "3", 1), 1);
    CU_ASSERT_TRUE(netns_readable(tx, 1000));
    (void)close(p.a);
    (void)close(p.b);
}

static void test_tcp_stalls_and_recovers(void)
{
    stall(NETWORK_IN);
}

static void test_tcp_stalls_silently_at_the_sender(void)
{
    stall(NETWORK_OUT);
}

static const struct check_test tests[] = {
    {"blocks and heals, IPv4 and IPv6", test_blocks_and_heals},
    {"networks", test_networks},
    {"ports match as source or destination", test_ports_match_either_end},
    {"all ports", test_all_ports},
    {"ports that nobody uses prove nothing", test_ports_nobody_uses},
    {"protocols", test_protocols},
    {"one family only", test_families},
    {"neighbours are still found", test_neighbours_are_still_found},
    {"silent at the sender", test_silent_at_the_sender},
    {"TCP stalls and recovers", test_tcp_stalls_and_recovers},
    {"TCP stalls, cut at the sender", test_tcp_stalls_silently_at_the_sender},
};

NETFAULT_MAIN("lab/netlink/partition", tests)
