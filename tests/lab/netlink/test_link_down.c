/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.link_down: what the kernel forgets is back, in an ip dump of its own. */
#include "base/buf.h"
#include "lab/netfault.h"
#include "shell.h"

#include <net/if.h>

extern const struct fault fault_network_link_down;

enum { SETTLE_MS = 4000 };

struct link_args { /* as the row has them */
    struct name interface;
};

static const struct link_args eth0 = {.interface = {"eth0"}};

/* Routes that need each other, of other tables, with metrics, flags and attributes. */
static const char *const set_up[] = {
    "ip route add 10.50.0.0/16 via 10.9.1.2 metric 7",
    "ip route add 10.51.0.1/32 dev eth0",
    "ip route add 10.52.0.0/16 via 10.51.0.1 onlink dev eth0 table 100 mtu 1400",
    "ip route add default via 10.9.1.2 src 10.9.1.1 proto static",
    "ip route add 10.54.0.0/16 nexthop via 10.9.1.2 weight 1 nexthop via 10.9.2.3 weight 2",
    "ip -6 addr add fd77::5/64 dev eth0 nodad preferred_lft 0",
    "ip -6 addr add fd78::5/128 dev eth0 nodad noprefixroute",
    "ip -6 route add fd79::/32 via fd09:1::2 metric 99",
    "ip -6 route add default via fd77::1 dev eth0 table 100",
    "ip addr add 10.60.0.1/24 dev eth0",
};

/* By the operator's own tool. */
static void read_ip(struct buf *out)
{
    static char said[1 << 17];
    CU_ASSERT_EQUAL(
        shell_read(
            "ip -d route show table all | sed 's/ linkdown//' | grep -v 'dev eth1 table' | sort; "
            "ip -6 -d route show table all | grep -v 'dev eth1 table' | sort; "
            "ip -d addr show dev eth0",
            said, sizeof(said)),
        0);
    buf_puts(out, said);
}

static bool comes_back(const struct buf *before)
{
    for (int ms = 0; ms < SETTLE_MS; ms += 50, netns_sleep_ms(50)) {
        CLEANUP_BUF struct buf now = BUF_INIT(1 << 18);
        read_ip(&now);
        if (strcmp(buf_text(before), buf_text(&now)) == 0)
            return true;
        if (ms + 50 >= SETTLE_MS)
            printf("before:\n%s\nnow:\n%s\n", buf_text(before), buf_text(&now));
    }
    return false;
}

static int revert(const struct undo *undo, struct revert_report *report)
{
    int rc = fault_network_link_down.revert(&host_a, undo, report, &err);
    if (rc != 0)
        printf("%s\n", err.msg);
    return rc;
}

static bool is_active(const struct undo *undo)
{
    bool active = false;
    CU_ASSERT_EQUAL(fault_network_link_down.verify(&host_a, undo, &active, &err), 0);
    return active;
}

static void test_all_comes_back(void)
{
    struct undo undo;
    struct revert_report report;
    CLEANUP_BUF struct buf before = BUF_INIT(1 << 18);
    for (size_t i = 0; i < sizeof(set_up) / sizeof(set_up[0]); i++)
        CU_ASSERT_EQUAL_FATAL(netns_run(set_up[i]), 0);
    host_a.lab = true;
    read_ip(&before);
    CU_ASSERT_EQUAL_FATAL(
        netfault_start(&fault_network_link_down, &host_a, "i1", &eth0, 20000, &undo), 0);
    CU_ASSERT_TRUE(is_active(&undo));
    CU_ASSERT_EQUAL(netns_run("ip -6 route show table all dev eth0 | grep -q fd79"), 1);
    CU_ASSERT_EQUAL(revert(&undo, &report), 0);
    CU_ASSERT_FALSE(is_active(&undo));
    CU_ASSERT_TRUE(comes_back(&before));
    CU_ASSERT_EQUAL(revert(&undo, &report), 0);
    CU_ASSERT_TRUE(comes_back(&before));
}

/* Somebody brought it up meanwhile, without what it had. */
static void test_brought_up_by_others(void)
{
    struct undo undo;
    struct revert_report report;
    CLEANUP_BUF struct buf before = BUF_INIT(1 << 18);
    read_ip(&before);
    CU_ASSERT_EQUAL_FATAL(
        netfault_start(&fault_network_link_down, &host_a, "i1", &eth0, 20000, &undo), 0);
    CU_ASSERT_EQUAL(netns_run("ip link set eth0 up"), 0);
    CU_ASSERT_FALSE(is_active(&undo));
    CU_ASSERT_EQUAL(revert(&undo, &report), 0);
    CU_ASSERT_TRUE(comes_back(&before));
}

static void test_refused(void)
{
    static const struct link_args lo = {{"lo"}}, none = {{"nosuch0"}},
                                  lengthy = {{"an-interface-of-a-long-name"}};
    struct undo undo;
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &lo, 20000, &undo), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &none, 20000, &undo),
                    -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &lengthy, 20000, &undo),
                    -1);
    host_a.lab = false; /* it has the default route */
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &eth0, 20000, &undo),
                    -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    host_a.lab = true;
}

/* Not in a lab: who is connected by ssh stays so. */
static void test_ssh_is_kept(void)
{
    static const struct link_args eth1 = {{"eth1"}};
    struct undo undo;
    struct revert_report report;
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, NETNS_A_FOR_C, 22);
    CLEANUP_FD int listener = netns_socket(NETNS_A, SOCK_STREAM, NETNS_A_FOR_C, 22);
    CLEANUP_FD int client = netns_socket(NETNS_C, SOCK_STREAM, NETNS_C_IP, 0);
    host_a.lab = false;
    CU_ASSERT_EQUAL(netns_run("ip route del 10.54.0.0/16"), 0);
    CU_ASSERT_EQUAL(listen(listener, 1), 0);
    CU_ASSERT_EQUAL(connect(client, (struct sockaddr *)&addr, len), 0);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &eth1, 20000, &undo),
                    -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_EQUAL(close(steal_fd(&client)), 0);
    netns_sleep_ms(20);
    CU_ASSERT_EQUAL(netns_run("ss -tnK sport = 22 > /dev/null"), 0);
    CU_ASSERT_EQUAL(netfault_start(&fault_network_link_down, &host_a, "i1", &eth1, 20000, &undo),
                    0);
    CU_ASSERT_EQUAL(revert(&undo, &report), 0);
    host_a.lab = true;
}

static void test_another_under_its_name(void)
{
    struct undo undo;
    struct revert_report report;
    static const struct link_args extra = {{"extra0"}};
    CU_ASSERT_EQUAL(netns_run("ip link add extra0 type veth peer name extra1 && "
                              "ip link set extra0 up"),
                    0);
    CU_ASSERT_EQUAL_FATAL(
        netfault_start(&fault_network_link_down, &host_a, "i1", &extra, 20000, &undo), 0);
    CU_ASSERT_EQUAL(
        netns_run("ip link del extra0 && ip link add extra0 type veth peer name extra1"), 0);
    CU_ASSERT_EQUAL(revert(&undo, &report), 0);
    CU_ASSERT_TRUE(report.foreign);
    CU_ASSERT_EQUAL(netns_run("ip link show extra0 | grep -q 'state DOWN'"), 0);
    CU_ASSERT_EQUAL(netns_run("ip link del extra0"), 0);
}

static const struct check_test tests[] = {
    {"all comes back", test_all_comes_back},
    {"brought up by others", test_brought_up_by_others},
    {"refused", test_refused},
    {"ssh is kept", test_ssh_is_kept},
    {"another under its name", test_another_under_its_name},
};

NETFAULT_MAIN("lab/netlink/link_down", tests)
