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

static const struct check_test tests[] = {
    {"kinds", test_kinds},
    {"one stays", test_one_stays},
    {"others' routes", test_others_routes},
};

NETFAULT_MAIN("lab/netlink/blackhole", tests)
