/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.dns: what arrives at a program that asked a name server. */
#include "agents/faults/dns.h"
#include "agents/faults/network_dns.h"
#include "lab/netfault.h"

extern const struct fault fault_network_dns;

enum { PORT = 5000, SOON_MS = 500, NEVER_MS = 60 };

static const char shop[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4shop\4test\0\0\1\0\1"
                           "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3";
static const char bank[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0\4bank\4test\0\0\1\0\1"
                           "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\1\2\3";
enum { LEN = sizeof(shop) - 1 };

static uint16_t server_port = 53;

static struct network_dns args_of(int mode)
{
    return (struct network_dns){.traffic = {.ports = {.n = 1, .r = {{53, 53}}}},
                                .mode = mode,
                                .names = {.n = 1, .v = {{"shop.test"}}}};
}

/* Sent by B, from the server's port; how long what arrives at A is, 0: nothing. */
static ssize_t answer(const char *text, bool six, char *out, size_t size, int ms)
{
    struct sockaddr_storage addr;
    socklen_t len = netns_addr(&addr, six ? NETNS_A6_FOR_B : NETNS_A_FOR_B, PORT);
    CLEANUP_FD int rx =
        netns_socket(NETNS_A, SOCK_DGRAM, six ? NETNS_A6_FOR_B : NETNS_A_FOR_B, PORT);
    CLEANUP_FD int tx = netns_socket(NETNS_B, SOCK_DGRAM, six ? NETNS_B6 : NETNS_B_IP, server_port);
    CU_ASSERT_EQUAL(sendto(tx, text, LEN, 0, (struct sockaddr *)&addr, len), LEN);
    return netns_readable(rx, ms) ? recv(rx, out, size, 0) : 0;
}

static bool is_same(const char *text, int ms)
{
    char got[512];
    return answer(text, false, got, sizeof(got), ms) == LEN && memcmp(got, text, LEN) == 0;
}

static void start(const struct network_dns *args, struct undo *undo)
{
    CU_ASSERT_EQUAL_FATAL(fault_network_dns.check(args, &err), 0);
    CU_ASSERT_EQUAL_FATAL(netfault_start(&fault_network_dns, &host_a, "i1", args, 20000, undo), 0);
}

static void stop(const struct undo *undo, uint64_t changed)
{
    struct evidence e = {.n = 0};
    struct revert_report report;
    CU_ASSERT_EQUAL(fault_network_dns.evidence(&host_a, undo, &e, &err), 0);
    CU_ASSERT_EQUAL(e.items[0].value, changed);
    CU_ASSERT_EQUAL(e.proven, changed != 0);
    CU_ASSERT_EQUAL(fault_network_dns.revert(&host_a, undo, &report, &err), 0);
    CU_ASSERT_TRUE(is_same(shop, SOON_MS));
}

static void test_silence(void)
{
    struct undo undo;
    struct network_dns args = args_of(DNS_SILENCE);
    char *before = netfault_dump();
    CU_ASSERT_TRUE(is_same(shop, SOON_MS));
    start(&args, &undo);
    CU_ASSERT_FALSE(is_same(shop, NEVER_MS));
    CU_ASSERT_TRUE(is_same(bank, SOON_MS));
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    stop(&undo, 1);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* From A to a name server of B's, over TCP: 0, or the errno at which it fails; ETIMEDOUT: it hears
 * nothing. */
static int ask_over_tcp(bool six, int ms)
{
    struct sockaddr_storage addr;
    const char *ip = six ? NETNS_B6 : NETNS_B_IP;
    socklen_t len = netns_addr(&addr, ip, 53), size = sizeof(int);
    CLEANUP_FD int server = netns_socket(NETNS_B, SOCK_STREAM, ip, 53);
    CLEANUP_FD int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int sys = 0;
    CU_ASSERT_EQUAL(listen(server, 8), 0);
    if (connect(fd, (struct sockaddr *)&addr, len) == 0 || errno != EINPROGRESS)
        return errno;
    if (poll(&p, 1, ms) != 1)
        return ETIMEDOUT;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &size);
    return sys;
}

/* With no names even the answers over TCP are lost, which a resolver would turn to; with names they
 * cannot be told apart, and pass. */
static void test_silence_over_tcp(void)
{
    for (int named = 0; named < 2; named++) {
        struct undo undo;
        struct evidence e = {.n = 0};
        struct revert_report report;
        struct network_dns args = args_of(DNS_SILENCE);
        args.names.n = (uint32_t)named;
        CU_ASSERT_EQUAL(ask_over_tcp(false, SOON_MS), 0);
        start(&args, &undo);
        for (int six = 0; six < 2; six++)
            CU_ASSERT_EQUAL(ask_over_tcp(six != 0, named ? SOON_MS : NEVER_MS),
                            named ? 0 : ETIMEDOUT);
        CU_ASSERT_EQUAL(fault_network_dns.evidence(&host_a, &undo, &e, &err), 0);
        CU_ASSERT_STRING_EQUAL(e.items[2].name, "tcp_dropped");
        CU_ASSERT_EQUAL(e.items[2].value != 0, !named);
        CU_ASSERT_EQUAL(e.proven, !named);
        CU_ASSERT_EQUAL(fault_network_dns.revert(&host_a, &undo, &report, &err), 0);
        CU_ASSERT_EQUAL(ask_over_tcp(false, SOON_MS), 0);
    }
}

/* A name server that listens elsewhere, and one that does not. */
static void test_ports(void)
{
    struct undo undo;
    struct network_dns args = args_of(DNS_SILENCE);
    args.traffic.ports = (struct ports){.n = 2, .r = {{5353, 5353}, {8600, 8601}}};
    start(&args, &undo);
    CU_ASSERT_TRUE(is_same(shop, SOON_MS));
    server_port = 8601;
    CU_ASSERT_FALSE(is_same(shop, NEVER_MS));
    CU_ASSERT_TRUE(is_same(bank, SOON_MS));
    stop(&undo, 1);
    server_port = 53;
}

static void test_denied(void)
{
    struct undo undo;
    struct network_dns args = args_of(DNS_NXDOMAIN);
    char got[512];
    start(&args, &undo);
    for (int six = 0; six < 2; six++) {
        CU_ASSERT_EQUAL(answer(shop, six != 0, got, sizeof(got), SOON_MS), LEN - 16);
        CU_ASSERT_EQUAL(memcmp(got, "\x12\x34\x81\x83\0\1\0\0", 8), 0);
    }
    CU_ASSERT_TRUE(is_same(bank, SOON_MS));
    stop(&undo, 2);
}

static void test_wrong(void)
{
    struct undo undo;
    struct network_dns args = args_of(DNS_WRONG);
    char got[512];
    args.addresses.len = (uint32_t)snprintf(args.addresses.s, 64, "192.0.2.1,192.0.2.2");
    start(&args, &undo);
    for (int six = 0; six < 2; six++) {
        CU_ASSERT_EQUAL(answer(shop, six != 0, got, sizeof(got), SOON_MS), LEN + 16);
        CU_ASSERT_EQUAL(memcmp(got + LEN - 4, "\xc0\0\2\1", 4), 0);
        CU_ASSERT_EQUAL(memcmp(got + LEN + 12, "\xc0\0\2\2", 4), 0);
    }
    stop(&undo, 2);
}

static void test_slow(void)
{
    struct undo undo;
    struct network_dns args = args_of(DNS_SLOW);
    args.delay.ns = 150 * NS_PER_MS;
    start(&args, &undo);
    int64_t begin = netfault_now();
    CU_ASSERT_TRUE(is_same(shop, 2000));
    CU_ASSERT_TRUE(netfault_now() - begin >= 150 * NS_PER_MS);
    stop(&undo, 1);
}

static const struct check_test tests[] = {
    {"silence", test_silence}, {"silence over TCP", test_silence_over_tcp},
    {"ports", test_ports},     {"denied", test_denied},
    {"wrong", test_wrong},     {"slow", test_slow},
};

NETFAULT_MAIN("lab/netlink/dns", tests)
