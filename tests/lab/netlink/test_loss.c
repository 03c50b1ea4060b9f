/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.loss: the share that is lost, over enough packets to tell 30 % from 31 %. */
#include "lab/netfault.h"

enum { PACKETS = 24000, BURST = 100 };

/* Sends PACKETS datagrams from `from` to ip and returns how many arrived; -1 if sending failed. */
static int stream(enum netns_host from, const char *from_ip, enum netns_host to, const char *ip)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, 5000);
    int rx = netns_socket(to, SOCK_DGRAM | SOCK_NONBLOCK, ip, 5000);
    int tx = netns_socket(from, SOCK_DGRAM, from_ip, 0);
    int got = 0;
    char byte;
    for (int sent = 0; sent < PACKETS && got >= 0; sent++) {
        if (sendto(tx, "x", 1, 0, (struct sockaddr *)&addr, len) != 1)
            got = -1;
        /* Emptied in time: what is lost is lost on the way, not for want of room. */
        while (sent % BURST == 0 && got >= 0 && read(rx, &byte, 1) == 1)
            got++;
    }
    while (got >= 0 && netns_readable(rx, 20) && read(rx, &byte, 1) == 1)
        got++;
    (void)close(rx);
    (void)close(tx);
    return got;
}

/* Within five standard deviations of the binomial distribution: wrong once in 1.7 million runs. */
static bool is_share(int lost, double share)
{
    double mean = PACKETS * share, variance = mean * (1 - share), off = lost - mean;
    printf("figure: %d of %d packets lost, %.2f %% asked\n", lost, PACKETS, share * 100);
    return off * off <= 25 * variance;
}

static void lose(uint32_t ppm, const char *from_ip, const char *ip)
{
    struct undo undo;
    struct network_loss args = {netfault_args(NETNS_B_IP, NETNS_B6), {.ppm = ppm}};
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_loss, &host_a, "i1", &args, 20000, &undo),
                          0);
    int got = stream(NETNS_B, from_ip, NETNS_A, ip);
    struct evidence evidence = netfault_evidence(&undo);
    CU_ASSERT_TRUE(is_share(PACKETS - got, ppm / 1e6));
    CU_ASSERT_EQUAL(evidence.items[0].value, (uint64_t)(PACKETS - got));
    CU_ASSERT_TRUE(evidence.proven);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_nothing_is_lost_without_it(void)
{
    CU_ASSERT_EQUAL(stream(NETNS_B, NETNS_B_IP, NETNS_A, NETNS_A_FOR_B), PACKETS);
}

static void test_share(void)
{
    lose(300000, NETNS_B_IP, NETNS_A_FOR_B);
    lose(10000, NETNS_B6, NETNS_A6_FOR_B);
}

static void test_everyone_but_only_what_is_asked(void)
{
    struct undo undo;
    struct network_loss args = {netfault_args(NULL, NULL), {.ppm = 500000}};
    char *before = netfault_dump();
    args.traffic.protocol = NFT_PROTO_TCP;
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_loss, &host_a, "i1", &args, 20000, &undo),
                          0);
    CU_ASSERT_EQUAL(stream(NETNS_B, NETNS_B_IP, NETNS_A, NETNS_A_FOR_B), PACKETS);
    CU_ASSERT_FALSE(netfault_evidence(&undo).proven);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    args.traffic.protocol = NFT_PROTO_ANY;
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_loss, &host_a, "i1", &args, 20000, &undo),
                          0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    int lost = PACKETS - stream(NETNS_C, NETNS_C_IP, NETNS_A, NETNS_A_FOR_C);
    CU_ASSERT_TRUE(is_share(lost, 0.5));
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_on_sending(void)
{
    struct undo undo;
    struct network_loss args = {netfault_args(NULL, NULL), {.ppm = 300000}};
    char *before = netfault_dump();
    args.traffic.direction = NETWORK_OUT;
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_loss, &host_a, "i1", &args, 20000, &undo),
                          0);
    int got = stream(NETNS_A, NETNS_A_FOR_B, NETNS_B, NETNS_B_IP);
    CU_ASSERT_TRUE(got >= 0);
    CU_ASSERT_TRUE(is_share(PACKETS - got, 0.3));
    CU_ASSERT_EQUAL(stream(NETNS_B, NETNS_B_IP, NETNS_A, NETNS_A_FOR_B), PACKETS);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static const struct check_test tests[] = {
    {"nothing is lost without it", test_nothing_is_lost_without_it},
    {"the share", test_share},
    {"everyone, but only what is asked", test_everyone_but_only_what_is_asked},
    {"on sending", test_on_sending},
};

NETFAULT_MAIN("lab/netlink/loss", tests)
