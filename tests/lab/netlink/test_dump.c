/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dump of a namespace shows what was left behind and what was lost, and nothing that moves by
 * itself. */
#include "agents/netlink/dump.h"
#include "lab/netns.h"

static struct err err;

static char *take(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(DUMP_MAX);
    if (dump_take(&out, &err) < 0)
        printf("%s\n", err.msg);
    return buf_steal(&out);
}

/* Runs a command, and says in how many lines the dump differs; their text stands in `diff`. */
static struct buf diff = {.max = 65536};

static size_t change_by(int (*act)(const char *what), const char *what)
{
    char *before = take();
    CU_ASSERT_EQUAL(act(what), 0);
    char *after = take();
    buf_drop(&diff, diff.len);
    size_t n = dump_diff(before, after, &diff, 20);
    free(before);
    free(after);
    return n;
}

static size_t change(const char *command)
{
    return change_by(netns_run, command);
}

/* Traffic to and from B, which makes neighbour entries, counts, and fills dynamic sets. */
static int talk(const char *first)
{
    if (netns_run(first) != 0)
        return -1;
    for (int i = 0; i < 3; i++)
        if (netns_pass(NETNS_A, NETNS_A_FOR_B, 0, NETNS_B, NETNS_B_IP, 5000, 500) != 1 ||
            netns_pass(NETNS_B, NETNS_B6, 0, NETNS_A, NETNS_A6_FOR_B, 5000, 500) != 1)
            return -1;
    return 0;
}

static bool shows(const char *text)
{
    if (strstr(buf_text(&diff), text) != NULL)
        return true;
    printf("not in the difference: %s\n%s", text, buf_text(&diff));
    return false;
}

static void test_each_object_shows(void)
{
    static const struct {
        const char *command, *shown;
    } changes[] = {
        {"nft add table ip mine", "+ nft table ip name=mine"},
        {"nft add chain ip mine in '{type filter hook input priority 0;}'", "+ nft chain ip"},
        {"nft add set ip mine s '{type ipv4_addr;}'", "+ nft set ip table=mine name=s"},
        {"nft add element ip mine s '{10.1.2.3}'", "key="},
        {"nft add rule ip mine in ip saddr @s counter drop", "+ nft rule 0000 ip table=mine"},
        {"nft add counter ip mine c", "+ nft object ip table=mine name=c"},
        {"nft flush chain ip mine in", "- nft rule 0000"},
        {"nft delete element ip mine s '{10.1.2.3}'", "- nft element"},
        {"ip route add 10.55.0.0/16 dev eth0", "+ route family=2 dst_len=16"},
        {"ip -6 route add fd55::/32 dev eth0", "dst=fd55::"},
        {"ip rule add from 10.3.0.0/16 table 77", "+ rule family=2"},
        {"ip addr add 10.66.0.1/24 dev eth0", "local=10.66.0.1"},
        {"ip link set eth0 mtu 1400", "mtu=1400"},
        {"ip link set eth0 txqueuelen 77", "txqueuelen=77"},
        {"ip link set eth1 down", "- route"},
        {"ip link add left type ifb", "+ link name=left"},
        {"tc qdisc replace dev eth0 root handle 1: htb default 1", "+ qdisc dev=eth0 kind=htb"},
        {"tc class add dev eth0 parent 1: classid 1:1 htb rate 1gbit quantum 1514",
         "+ class dev=eth0 kind=htb"},
        {"tc filter add dev eth0 parent 1: prio 5 protocol ip u32 match ip dst 10.1.1.1 flowid 1:1",
         "+ filter dev=eth0 kind=u32"},
        {"sysctl -qw net.ipv4.tcp_retries2=9", "+ sysctl net/ipv4/tcp_retries2=9"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        size_t n = change(changes[i].command);
        if (n == 0)
            printf("no difference after: %s\n", changes[i].command);
        CU_ASSERT_NOT_EQUAL(n, 0);
        CU_ASSERT_TRUE(shows(changes[i].shown));
    }
}

static void test_what_moves_by_itself_does_not_show(void)
{
    CU_ASSERT_EQUAL(netns_run("nft -f - <<'END'\n"
                              "table ip counting {\n"
                              "  counter c { }\n"
                              "  set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }\n"
                              "  chain out { type filter hook output priority 0;\n"
                              "    counter name c\n counter\n add @seen { ip daddr }\n  }\n}\n"
                              "END\n"
                              "tc qdisc replace dev eth0 root handle 1: htb default 9"),
                    0);
    CU_ASSERT_EQUAL(change_by(talk, "ip neigh flush all"), 0);
    if (diff.len != 0)
        printf("%s", buf_text(&diff));
    CU_ASSERT_EQUAL(netns_run("tc qdisc del dev eth0 root && nft flush ruleset"), 0);
}

/* A link-local address comes when the link has its carrier, up to a second after it was set up. */
static void test_what_comes_late_does_not_show(void)
{
    CU_ASSERT_EQUAL(netns_run("ip link add late type veth peer name late2 && ip link set late up"),
                    0);
    CU_ASSERT_EQUAL(change("ip link set late2 up && for i in $(seq 30); do "
                           "ip -6 addr show dev late | grep -q fe80 && break; sleep 0.1; done"),
                    3); /* late2 itself, before and after, and its queue */
    CU_ASSERT_EQUAL(netns_run("ip -6 addr show dev late | grep -q fe80"), 0);
    CU_ASSERT_EQUAL(change("ip link del late"), 4);
}

static void test_order_of_rules_counts(void)
{
    CU_ASSERT_EQUAL(netns_run("nft add table inet o && nft add chain inet o c && "
                              "nft add rule inet o c accept && nft add rule inet o c drop"),
                    0);
    CU_ASSERT_EQUAL(change("nft flush chain inet o c && nft add rule inet o c drop && "
                           "nft add rule inet o c accept"),
                    4);
}

static void test_legacy_rules_show(void)
{
    if (netns_run("iptables-legacy -t filter -A INPUT -s 10.9.9.9 -j DROP 2>/dev/null") != 0) {
        printf("note: no legacy iptables here\n");
        return;
    }
    CU_ASSERT_EQUAL(change("iptables-legacy -t filter -R INPUT 1 -s 10.9.9.8 -j DROP"), 2);
    CU_ASSERT_TRUE(shows("iptables rule 0000 table=filter"));
    CU_ASSERT_EQUAL(
        netns_run("iptables-legacy -A INPUT -s 10.9.1.2 -j ACCEPT && ip link set eth0 up"), 0);
    CU_ASSERT_EQUAL(change_by(talk, "true"), 0);
}

static void test_diff_is_bounded(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(4096);
    CU_ASSERT_EQUAL(dump_diff("a\nb\nb\n", "b\nc\nd\n", &out, 2), 4);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "- a\n- b\n... and 2 more\n");
    CU_ASSERT_EQUAL(dump_diff("b\na\n", "a\nb\n", &out, 2), 0);
}

static const struct check_test tests[] = {
    {"what moves by itself does not show", test_what_moves_by_itself_does_not_show},
    {"what comes late does not show", test_what_comes_late_does_not_show},
    {"each object shows", test_each_object_shows},
    {"the order of rules counts", test_order_of_rules_counts},
    {"legacy rules show", test_legacy_rules_show},
    {"a difference is bounded", test_diff_is_bounded},
};

int main(void)
{
    if (netns_make() != 0) {
        printf("cannot make namespaces\n");
        return 1;
    }
    int status = check_main("lab/netlink/dump", tests, sizeof(tests) / sizeof(tests[0]));
    buf_free(&diff);
    return status;
}
