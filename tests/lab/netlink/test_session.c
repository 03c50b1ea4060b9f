/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several injections in one table, many peers, and other people's tables and links. */
#include "lab/netfault.h"

#include <net/if.h>

static void test_two_at_once(void)
{
    struct undo b, c;
    struct network_traffic args_b = netfault_args(NETNS_B_IP, NETNS_B6);
    struct network_traffic args_c = netfault_args(NETNS_C_IP, NULL);
    char *before = netfault_dump();
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args_b, 10000, &b), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i2", &args_c, 10000, &c), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 0);
    CU_ASSERT_EQUAL(netfault_stop(&b), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(netfault_from_c(), 0);
    CU_ASSERT_TRUE(netfault_active(&c));
    CU_ASSERT_FALSE(netfault_active(&b));
    CU_ASSERT_EQUAL(netfault_evidence(&c).items[0].value, 2);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args_b, 10000, &b), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&c), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&b), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* Both cover the same packets: the end of one leaves the other in force. */
static void test_overlapping_injections(void)
{
    struct undo one, two;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &one), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i2", &args, 10000, &two), 0);
    CU_ASSERT_EQUAL(netfault_stop(&one), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&two), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
}

static void test_same_name_is_refused(void)
{
    struct undo undo, again;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netfault_cut("i1", &args, 10000, &again), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_a_firewall_reload_leaves_it(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("nft flush ruleset; nft -f - <<'END'\n"
                              "table inet mine {\n chain in { type filter hook input priority 0;\n"
                              " udp dport 4444 drop\n }\n}\nEND\n"),
                    0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_NOT_EQUAL(netns_run("nft delete table netdev blackstart-t1 2>/dev/null"), 0);
    CU_ASSERT_NOT_EQUAL(netns_run("nft flush chain netdev blackstart-t1 i1-in 2>/dev/null"), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(netns_run("nft list chain inet mine in | grep -q 4444"), 0);
    CU_ASSERT_EQUAL(netns_run("nft delete table inet mine"), 0);
}

/* What stands in our table can be read with the usual command. */
static void test_nft_command_can_list_it(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    args.ports = (struct ports){.n = 2, .r = {{80, 80}, {8000, 65535}}};
    args.direction = NETWORK_BOTH;
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_loss, &host_a, "i1", &args, 10000, &undo),
                          0);
    CU_ASSERT_EQUAL(netns_run("nft list table netdev blackstart-t1 | grep -q 10.9.1.2 && "
                              "nft list table netdev blackstart-t1 | grep -q 'flags owner' && "
                              "nft list table netdev blackstart-t1 | grep -q '80, 8000-65535'"),
                    0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void add_many(struct addrs *peers, uint32_t n, bool six)
{
    for (uint32_t i = 0; i < n; i++) {
        struct addr a = {.family = 4, .prefix = 32, .ip = {10, 200, (uint8_t)(i >> 8), (uint8_t)i}};
        if (six)
            a = (struct addr){.family = 6,
                              .prefix = 128,
                              .ip = {0xfd, 0x77, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}};
        peers->a[peers->n++] = a;
    }
}

static void test_a_thousand_peers(void)
{
    struct undo undo;
    struct nft_reading r;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    char *before = netfault_dump();
    add_many(&args.peers, 999, false);
    add_many(&args.peers, 999, true);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_EQUAL(nft_read(host_a.nft, "i1", true, &r, &err), 0);
    CU_ASSERT_EQUAL(r.peers, 2000);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    CU_ASSERT_EQUAL(network_renew(&host_a, &undo, netfault_now() + NS_PER_SEC, &err), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* The most that a request can hold, as prefixes, which take two elements each. */
static void test_full_of_prefixes(void)
{
    struct undo undo;
    struct nft_reading r;
    struct network_traffic args = netfault_args(NULL, NULL);
    add_many(&args.peers, ADDRS_MAX, true);
    for (uint32_t i = 0; i < args.peers.n; i++) {
        struct addr *a = &args.peers.a[i];
        a->prefix = 112;
        memcpy(&a->ip[12], &a->ip[14], 2);
    }
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(nft_read(host_a.nft, "i1", true, &r, &err), 0);
    CU_ASSERT_EQUAL(r.peers, ADDRS_MAX);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

static void test_prefixes_that_overlap(void)
{
    struct undo undo;
    struct nft_reading r;
    struct network_traffic args = netfault_args(NETNS_B_IP, NETNS_B6);
    static const struct addr more[] = {
        {.family = 4, .prefix = 24, .ip = {10, 9, 1, 77}}, /* host bits set; holds B */
        {.family = 4, .prefix = 32, .ip = {10, 50, 0, 1}},
        {.family = 4, .prefix = 32, .ip = {10, 50, 0, 2}}, /* next to it */
        {.family = 4, .prefix = 32, .ip = {10, 50, 0, 2}}, /* and again */
        {.family = 4, .prefix = 25, .ip = {10, 60, 0, 128}},
        {.family = 4, .prefix = 25, .ip = {10, 60, 0, 0}},
        {.family = 4, .prefix = 25, .ip = {10, 60, 0, 1}}, /* the same as the last */
        {.family = 4, .prefix = 8, .ip = {255, 0, 0, 0}},  /* has no end */
        {.family = 6, .prefix = 8, .ip = {0xff}},
    };
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
        args.peers.a[args.peers.n++] = more[i];
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(nft_read(host_a.nft, "i1", true, &r, &err), 0);
    CU_ASSERT_EQUAL(r.peers, 6 + 2);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    /* Everything there is. */
    args.peers.n = 0;
    args.peers.a[args.peers.n++] = (struct addr){.family = 4};
    args.peers.a[args.peers.n++] = (struct addr){.family = 6};
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A6_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_from_c(), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
}

/* A link that somebody made under the sink's name is theirs. */
static void test_foreign_link_is_left(void)
{
    struct undo undo;
    struct revert_report report;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    char command[128], sink[IFNAMSIZ];
    args.direction = NETWORK_OUT;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("ip -o link show type ifb | grep -q 'alias blackstart-t1'"), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(netns_run("test -z \"$(ip -o link show type ifb)\""), 0);
    memcpy(sink, undo.data + 5 * sizeof(uint32_t), sizeof(sink));
    (void)snprintf(command, sizeof(command), "ip link add %s type veth peer name theirs", sink);
    CU_ASSERT_EQUAL_FATAL(netns_run(command), 0);
    CU_ASSERT_EQUAL(network_revert(&host_a, &undo, &report, &err), 0);
    CU_ASSERT_TRUE(report.foreign);
    CU_ASSERT_NOT_EQUAL(if_nametoindex(sink), 0);
    CU_ASSERT_EQUAL(netfault_cut("i1", &args, 10000, &undo), -1);
    CU_ASSERT_EQUAL(netns_run("ip link del theirs"), 0);
}

/* A sink that its agent did not live to name. */
static void test_unfinished_sink_is_removed(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    char command[128], sink[IFNAMSIZ];
    args.direction = NETWORK_OUT;
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    memcpy(sink, undo.data + 5 * sizeof(uint32_t), sizeof(sink));
    (void)snprintf(command, sizeof(command), "ip link add %s type ifb", sink);
    CU_ASSERT_EQUAL(netns_run(command), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_EQUAL(if_nametoindex(sink), 0);
}

/* Another agent of the same run holds the table: nothing of ours may stay, nothing of theirs go. */
static void test_failed_apply_leaves_nothing(void)
{
    struct undo theirs, ours;
    struct fault_host second = host_a;
    struct revert_report report;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL_FATAL(nft_open("t1", &second.nft, &err), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &theirs), 0);
    char *before = netfault_dump();
    args.direction = NETWORK_BOTH;
    CU_ASSERT_EQUAL(netfault_start(&fault_network_partition, &second, "i2",
                                   NETFAULT_PARTITION(&args), 10000, &ours),
                    -1);
    CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no other agent may hold table netdev blackstart-t1"));
    CU_ASSERT_EQUAL(network_revert(&second, &ours, &report, &err), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
    nft_close(second.nft);
    CU_ASSERT_TRUE(netfault_active(&theirs));
    CU_ASSERT_EQUAL(netfault_stop(&theirs), 0);
}

static void test_a_device_that_goes(void)
{
    struct undo undo;
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    char *before = netfault_dump();
    CU_ASSERT_EQUAL(netns_run("ip link add gone type veth peer name gone2 && "
                              "ip link set gone up && ip link set gone2 up"),
                    0);
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i1", &args, 10000, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("ip link del gone"), 0);
    CU_ASSERT_TRUE(netfault_active(&undo));
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 0);
    CU_ASSERT_EQUAL(netfault_stop(&undo), 0);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_no_interface_is_said(void)
{
    struct undo undo = {.run = "t1", .injection = "i1"};
    struct network_traffic args = netfault_args(NETNS_B_IP, NULL);
    CU_ASSERT_EQUAL(netns_run("ip link set eth0 down; ip link set eth1 down"), 0);
    CU_ASSERT_EQUAL(
        fault_network_partition.prepare(&host_a, NETFAULT_PARTITION(&args), &undo, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(err.msg, "this host has no network interface that is up");
}

static const struct check_test tests[] = {
    {"two at once", test_two_at_once},
    {"overlapping injections", test_overlapping_injections},
    {"the same name is refused", test_same_name_is_refused},
    {"a firewall reload leaves it", test_a_firewall_reload_leaves_it},
    {"the nft command can list it", test_nft_command_can_list_it},
    {"a thousand peers", test_a_thousand_peers},
    {"full of prefixes", test_full_of_prefixes},
    {"prefixes that overlap", test_prefixes_that_overlap},
    {"a foreign link is left", test_foreign_link_is_left},
    {"an unfinished sink is removed", test_unfinished_sink_is_removed},
    {"a failed apply leaves nothing", test_failed_apply_leaves_nothing},
    {"a device that goes", test_a_device_that_goes},
    {"no interface is said", test_no_interface_is_said},
};

NETFAULT_MAIN("lab/netlink/session", tests)
