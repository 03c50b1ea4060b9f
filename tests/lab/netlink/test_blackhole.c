/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.blackhole: what senders are told, two at once, and what is not ours stays. */
#include "agents/netlink/nullroute.h"
#include "lab/netfault.h"

extern const struct fault fault_network_blackhole;

struct blackhole_args { /* as the row has them */
    struct network_traffic traffic;
    int answer;
};

static struct blackhole_args args_of(const char *ip4, const char *ip6, int answer)
{
    return (struct blackhole_args){.traffic = netfault_args(ip4, ip6), .answer = answer};
}

/* What a datagram from A to that address comes to. */
static int try_send(const char *ip)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, ip, 5000);
    CLEANUP_FD int fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, len) == 1 ? 0 : errno;
}

static int start(const char *id, const struct blackhole_args *args, struct undo *undo)
{
    return netfault_start(&fault_network_blackhole, &host_a, id, args, 20000, undo);
}

static bool is_active(const struct undo *undo)
{
    struct evidence e = {.n = 0};
    bool active = false;
    CU_ASSERT_EQUAL(fault_network_blackhole.verify(&host_a, undo, &active, &err), 0);
    CU_ASSERT_EQUAL(fault_network_blackhole.evidence(&host_a, undo, &e, &err), 0);
    CU_ASSERT_EQUAL(e.proven, active);
    return active;
}

static void stop(const struct undo *undo)
{
    struct revert_report report;
    CU_ASSERT_EQUAL(fault_network_blackhole.revert(&host_a, undo, &report, &err), 0);
    CU_ASSERT_FALSE(is_active(undo));
}

static void test_kinds(void)
{
    static const int told[] = {[NULLROUTE_BLACKHOLE] = EINVAL,
                               [NULLROUTE_UNREACHABLE] = EHOSTUNREACH,
                               [NULLROUTE_PROHIBIT] = EACCES};
    for (int kind = NULLROUTE_BLACKHOLE; kind <= NULLROUTE_PROHIBIT; kind++) {
        struct undo undo;
        struct blackhole_args args = args_of(NETNS_B_IP, NETNS_B6, kind);
        char *before = netfault_dump();
        CU_ASSERT_EQUAL_FATAL(start("i1", &args, &undo), 0);
        CU_ASSERT_TRUE(is_active(&undo));
        CU_ASSERT_EQUAL(try_send(NETNS_B_IP), told[kind]);
        CU_ASSERT_EQUAL(try_send(NETNS_B6), told[kind]);
        CU_ASSERT_EQUAL(try_send(NETNS_C_IP), 0);
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
        stop(&undo);
        CU_ASSERT_EQUAL(try_send(NETNS_B_IP), 0);
        CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
    }
}

static void test_one_stays(void)
{
    struct undo one, two;
    struct blackhole_args args = args_of(NETNS_B_IP, NULL, NULLROUTE_BLACKHOLE);
    struct blackhole_args more = args_of(NETNS_B_IP, NETNS_B6, NULLROUTE_UNREACHABLE);
    CU_ASSERT_EQUAL_FATAL(start("i1", &args, &one), 0);
    CU_ASSERT_EQUAL_FATAL(start("i2", &more, &two), 0);
    stop(&one);
    CU_ASSERT_TRUE(is_active(&two));
    CU_ASSERT_EQUAL(try_send(NETNS_B_IP), EHOSTUNREACH);
    stop(&two);
    CU_ASSERT_EQUAL(try_send(NETNS_B_IP), 0);
}

static void test_others_routes(void)
{
    struct undo undo;
    struct revert_report report;
    struct blackhole_args args = args_of(NETNS_B_IP, NULL, NULLROUTE_BLACKHOLE);
    CU_ASSERT_EQUAL(netns_run("ip route add 10.9.1.2/32 dev eth0"), 0);
    CU_ASSERT_EQUAL(start("i1", &args, &undo), -1); /* theirs comes first */
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_EQUAL(fault_network_blackhole.revert(&host_a, &undo, &report, &err), 0);
    CU_ASSERT_EQUAL(netns_run("ip route show 10.9.1.2/32 | grep -q eth0"), 0);
    CU_ASSERT_EQUAL(netns_run("test -z \"$(ip route show proto 181)\""), 0);
    CU_ASSERT_EQUAL(netns_run("ip route del 10.9.1.2/32"), 0);
}

static int start_network(const char *net, struct undo *undo)
{
    struct blackhole_args args = args_of(NULL, NULL, NULLROUTE_BLACKHOLE);
    args.traffic.peers.n = 1;
    CU_ASSERT_EQUAL_FATAL(addr_parse(net, &args.traffic.peers.a[0], &err), 0);
    return start("i1", &args, undo);
}

/* All of a network: what is refused would leave a part of it in reach. */
static void test_networks_refused(void)
{
    static const struct {
        const char *net, *why;
    } refused[] = {{"10.0.0.0/8", "10.9."},
                   {"0.0.0.0/0", "has a route of its own"},
                   {"fd00::/8", "fd09:"},
                   {"10.48.0.0/14", "10.50.0.0/16"}};
    struct undo undo;
    struct revert_report report;
    CU_ASSERT_EQUAL(netns_run("ip route add 10.50.0.0/16 via 10.9.1.2"), 0);
    char *before = netfault_dump();
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        CU_ASSERT_EQUAL(start_network(refused[i].net, &undo), -1);
        CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, refused[i].why));
        CU_ASSERT_EQUAL(fault_network_blackhole.revert(&host_a, &undo, &report, &err), 0);
    }
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
    CU_ASSERT_EQUAL(netns_run("ip route del 10.50.0.0/16"), 0);
}

/* Also where a route leads to that very network, be it the host's own, and to its last address. */
static void test_networks(void)
{
    static const struct {
        const char *net, *in, *also_in, *beside;
    } rows[] = {{"10.50.0.0/16", "10.50.0.1", "10.50.255.255", NETNS_C_IP},
                {"10.50.4.0/22", "10.50.4.0", "10.50.7.255", "10.50.8.0"},
                {"10.50.1.2/31", "10.50.1.2", "10.50.1.3", "10.50.1.4"},
                {"10.9.1.0/24", NETNS_B_IP, "10.9.1.200", NETNS_C_IP},
                {"fd09:1::/64", NETNS_B6, "fd09:1::ffff:ffff:ffff:ffff", NETNS_C6}};
    CU_ASSERT_EQUAL(netns_run("ip route add 10.50.0.0/16 via 10.9.1.2"), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct undo undo;
        char *before = netfault_dump();
        CU_ASSERT_EQUAL(try_send(rows[i].in), 0);
        CU_ASSERT_EQUAL_FATAL(start_network(rows[i].net, &undo), 0);
        CU_ASSERT_TRUE(is_active(&undo));
        CU_ASSERT_EQUAL(try_send(rows[i].in), EINVAL);
        CU_ASSERT_EQUAL(try_send(rows[i].also_in), EINVAL);
        CU_ASSERT_EQUAL(try_send(rows[i].beside), 0);
        stop(&undo);
        CU_ASSERT_EQUAL(try_send(rows[i].in), 0);
        CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
    }
    CU_ASSERT_EQUAL(netns_run("ip route del 10.50.0.0/16"), 0);
}

/* Somebody's route in the place of ours is not removed, nor counted as ours. */
static void test_replaced(void)
{
    struct undo undo;
    struct blackhole_args args = args_of(NETNS_B_IP, NULL, NULLROUTE_BLACKHOLE);
    CU_ASSERT_EQUAL_FATAL(start("i1", &args, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("ip route replace 10.9.1.2/32 dev eth0 metric "
                              "$(ip route show proto 181 | sed 's/.*metric //')"),
                    0);
    CU_ASSERT_FALSE(is_active(&undo));
    stop(&undo);
    CU_ASSERT_EQUAL(netns_run("ip route show 10.9.1.2/32 | grep -q eth0"), 0);
    CU_ASSERT_EQUAL(netns_run("ip route del 10.9.1.2/32"), 0);
}

static const struct check_test tests[] = {
    {"kinds", test_kinds},
    {"one stays", test_one_stays},
    {"others' routes", test_others_routes},
    {"networks", test_networks},
    {"networks refused", test_networks_refused},
    {"replaced by others", test_replaced},
};

NETFAULT_MAIN("lab/netlink/blackhole", tests)
