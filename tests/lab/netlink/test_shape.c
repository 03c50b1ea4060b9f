/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Delay, reorder, corrupt, duplicate, rate: what a program at the other end sees of each. */
#include "agents/faults/network_shape.h"
#include "lab/netfault.h"
#include "shell.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

extern const struct fault fault_network_delay, fault_network_reorder, fault_network_corrupt,
    fault_network_duplicate, fault_network_rate;

enum { PORT = 5000, PACKETS_MAX = 20000, ARGS_BYTES = ARGS_MAX };

static struct undo undo;
static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

/* Parameters as a person writes them: name, value, ..., NULL; peers are B's addresses. */
static void *args_of(const struct fault *row, const char *const *words)
{
    static _Alignas(8) char args[ARGS_BYTES];
    CU_ASSERT_EQUAL(params_default(row->params, row->n_params, args, row->args_size, &err), 0);
    for (; *words != NULL; words += 2) {
        const struct param *p = param_find(row->params, row->n_params, words[0]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(param_parse(p, words[1], args, &err), 0);
    }
    struct network_traffic *traffic = (struct network_traffic *)(void *)args;
    if (traffic->direction == NETWORK_BOTH)
        traffic->direction = NETWORK_IN;
    traffic->peers = netfault_args(NETNS_B_IP, NETNS_B6).peers;
    return args;
}

static bool start(const struct fault *row, const char *id, struct undo *record, int64_t lease_ms,
                  const char *const *words)
{
    return netfault_start(row, &host_a, id, args_of(row, words), lease_ms, record) == 0;
}
#define START(row, ...)                                                                            \
    CU_ASSERT_TRUE_FATAL(                                                                          \
        start(&(row), "i1", &undo, 60000, (const char *const[]){__VA_ARGS__, NULL}))

static void stop(const struct undo *record)
{
    struct revert_report report;
    CU_ASSERT_EQUAL(network_shape_revert(&host_a, record, &report, &err), 0);
    CU_ASSERT_FALSE(report.foreign);
}

static struct evidence proof(void)
{
    struct evidence e = {.n = 0};
    CU_ASSERT_EQUAL(network_shape_evidence(&host_a, &undo, &e, &err), 0);
    printf("figure: %s\n", e.what);
    return e;
}

/* netem where the kernel has it: this one is then in the guest. */
static bool by_queue(void)
{
    struct evidence e = {.n = 0};
    START(fault_network_delay, "delay", "1ms");
    CU_ASSERT_EQUAL(network_shape_evidence(&host_a, &undo, &e, &err), 0);
    stop(&undo);
    return e.n > 1;
}

/* Numbered datagrams from B to A. */
struct stream {
    int tx, rx;
    struct sockaddr_storage to;
    socklen_t len;
};

static struct stream stream_open(enum netns_host from, const char *from_ip, enum netns_host to,
                                 const char *ip)
{
    struct stream s = {.len = 0};
    int bytes = 4 * 1024 * 1024;
    s.len = netns_addr(&s.to, ip, PORT);
    s.rx = netns_socket(to, SOCK_DGRAM | SOCK_NONBLOCK, ip, PORT);
    s.tx = netns_socket(from, SOCK_DGRAM, from_ip, 0);
    (void)setsockopt(s.rx, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
    CU_ASSERT_TRUE_FATAL(s.rx >= 0 && s.tx >= 0);
    return s;
}

static struct stream from_b(bool six)
{
    return six ? stream_open(NETNS_B, NETNS_B6, NETNS_A, NETNS_A6_FOR_B)
               : stream_open(NETNS_B, NETNS_B_IP, NETNS_A, NETNS_A_FOR_B);
}

static void stream_close(struct stream *s)
{
    (void)close(s->tx);
    (void)close(s->rx);
}

static void send_number(const struct stream *s, uint32_t number)
{
    CU_ASSERT_EQUAL(
        sendto(s->tx, &number, sizeof(number), 0, (const struct sockaddr *)&s->to, s->len),
        (ssize_t)sizeof(number));
}

/* -1: none came in that time. */
static int64_t take_number(const struct stream *s, int ms)
{
    uint32_t number;
    if (!netns_readable(s->rx, ms) || read(s->rx, &number, sizeof(number)) != sizeof(number))
        return -1;
    return number;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct spread {
    double median, p99;
};

static struct spread spread_of(double *values, int n)
{
    CU_ASSERT_TRUE_FATAL(n > 0);
    qsort(values, (size_t)n, sizeof(*values), compare);
    size_t last = (size_t)n - 1;
    return (struct spread){values[last / 2], values[last * 99 / 100]};
}

/* Sends every 4 ms and takes what comes; milliseconds from one to the other. */
static struct spread travel(bool six, int n, int wait_ms)
{
    static double took[PACKETS_MAX];
    static int64_t sent[PACKETS_MAX];
    struct stream s = from_b(six);
    int got = 0;
    for (int i = 0; i < n || got < n;) {
        if (i < n) {
            sent[i] = now();
            send_number(&s, (uint32_t)i++);
        }
        int64_t until = i < n ? now() + 4 * NS_PER_MS : now() + wait_ms * NS_PER_MS;
        int64_t number = 0;
        while (now() < until && (got < n || i < n) && number >= 0) {
            number = take_number(&s, i < n ? 4 : wait_ms);
            if (number >= 0 && number < n)
                took[got++] = (double)(now() - sent[number]) / 1e6;
        }
        if (number < 0 && i == n)
            break;
    }
    stream_close(&s);
    CU_ASSERT_EQUAL(got, n);
    return spread_of(took, got);
}

/* Never early. How late depends on the machine's load and is a figure; the bound catches a slip of
 * the unit. */
static void delayed_by(const char *delay, double ms, bool six)
{
    struct spread before = travel(six, 100, 200);
    START(fault_network_delay, "delay", delay);
    struct spread now_ = travel(six, 100, 3000);
    struct evidence e = proof();
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_EQUAL(e.items[0].value, 100);
    stop(&undo);
    struct spread after = travel(six, 100, 200);
    printf("figure: %s asked, %s: median +%.2f ms, p99 +%.2f ms\n", delay, six ? "IPv6" : "IPv4",
           now_.median - before.median, now_.p99 - before.p99);
    CU_ASSERT_TRUE(now_.median >= ms);
    CU_ASSERT_TRUE(now_.median < 1.5 * ms + 100);
    CU_ASSERT_TRUE(after.median < ms);
}

static void test_delay(void)
{
    char *before = netfault_dump();
    delayed_by("10ms", 10, false);
    delayed_by("100ms", 100, true);
    delayed_by("500ms", 500, false);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_only_what_is_meant(void)
{
    struct stream s = from_b(false);
    START(fault_network_delay, "delay", "10s", "ports", "7");
    send_number(&s, 1);
    CU_ASSERT_EQUAL(take_number(&s, 500), 1);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    CU_ASSERT_FALSE(proof().proven);
    stop(&undo);
    START(fault_network_delay, "delay", "10s", "family", "ipv6");
    send_number(&s, 2);
    CU_ASSERT_EQUAL(take_number(&s, 500), 2);
    stop(&undo);
    START(fault_network_delay, "delay", "400ms", "ports", "5000", "protocol", "udp");
    send_number(&s, 3);
    CU_ASSERT_EQUAL(take_number(&s, 100), -1);
    stop(&undo); /* which lets it go, or waits for it */
    CU_ASSERT_EQUAL(take_number(&s, 500), 3);
    stream_close(&s);
}

/* The end of another fault, or its beginning, takes nothing from the queue. */
static void test_others_come_and_go(void)
{
    struct undo other, third;
    struct network_traffic cut = netfault_args(NETNS_C_IP, NULL);
    char *before = netfault_dump();
    struct stream s = from_b(false);
    START(fault_network_delay, "delay", "300ms");
    CU_ASSERT_EQUAL_FATAL(netfault_cut("i2", &cut, 20000, &other), 0);
    CU_ASSERT_TRUE_FATAL(start(&fault_network_delay, "i3", &third, 20000,
                               (const char *const[]){"delay", "1ms", NULL}));
    for (uint32_t i = 0; i < 50; i++)
        send_number(&s, i);
    netns_sleep_ms(50);
    CU_ASSERT_EQUAL(netfault_stop(&other), 0);
    stop(&third);
    int got = 0;
    while (take_number(&s, 600) >= 0)
        got++;
    CU_ASSERT_EQUAL(got, 50);
    CU_ASSERT_EQUAL(netfault_from_c(), 1);
    stop(&undo);
    stream_close(&s);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

static void test_jitter_and_share(void)
{
    static const double pause = 40;
    START(fault_network_delay, "delay", "40ms", "jitter", "10ms", "distribution", "normal");
    struct spread s = travel(false, 400, 1000);
    printf("figure: normal 40 ms, deviation 10 ms: median %.1f, p99 %.1f ms\n", s.median, s.p99);
    CU_ASSERT_TRUE(s.median > pause - 5 && s.median < pause + 60);
    CU_ASSERT_TRUE(s.p99 > pause + 15);
    stop(&undo);
    START(fault_network_delay, "delay", "40ms", "share", "20%");
    s = travel(false, 400, 1000);
    CU_ASSERT_TRUE(s.median < 40 && s.p99 >= 40);
    stop(&undo);
}

static void test_reorder(void)
{
    struct stream s = from_b(false);
    enum { N = 2000 };
    int overtaken = 0, got = 0;
    int64_t highest = -1;
    START(fault_network_reorder, "share", "25%", "by", "20ms");
    for (uint32_t i = 0; i < N; i++) {
        send_number(&s, i);
        if (i % 20 == 0)
            netns_sleep_ms(1);
    }
    for (int64_t number; (number = take_number(&s, 300)) >= 0; got++) {
        overtaken += number < highest;
        highest = number > highest ? number : highest;
    }
    struct evidence e = proof();
    printf("figure: %d of %d packets were overtaken, 25 %% asked\n", overtaken, got);
    CU_ASSERT_EQUAL(got, N);
    CU_ASSERT_TRUE(overtaken > N / 5 && overtaken < N * 3 / 10);
    CU_ASSERT_TRUE(e.items[0].value >= (uint64_t)overtaken);
    stop(&undo);
    stream_close(&s);
}

static int count_arrived(struct stream *s, int n)
{
    int got = 0;
    for (int i = 0; i < n; i++) {
        send_number(s, (uint32_t)i);
        while (i % 50 == 49 && take_number(s, 0) >= 0)
            got++;
    }
    while (take_number(s, 200) >= 0)
        got++;
    return got;
}

static void test_corrupt(void)
{
    bool by_queue_here = by_queue();
    struct stream s = from_b(true);
    START(fault_network_corrupt, "share", "30%");
    int got = count_arrived(&s, 2000);
    struct evidence e = proof();
    printf("figure: %d of 2000 packets came, 30 %% corrupted\n", got);
    /* The checksum finds each of them, but netem also flips what no checksum covers. */
    if (by_queue_here)
        CU_ASSERT_EQUAL(e.items[0].value, (uint64_t)(2000 - got));
    CU_ASSERT_TRUE(e.items[0].value > 450 && e.items[0].value < 750);
    CU_ASSERT_TRUE(got > 1250 && got < 1750);
    stop(&undo);
    CU_ASSERT_EQUAL(count_arrived(&s, 200), 200);
    stream_close(&s);
}

static void test_duplicate(void)
{
    struct stream s = stream_open(NETNS_A, NETNS_A_FOR_B, NETNS_B, NETNS_B_IP);
    START(fault_network_duplicate, "share", "30%");
    int got = count_arrived(&s, 2000);
    struct evidence e = proof();
    printf("figure: %d of 2000 packets came, 30 %% twice\n", got);
    CU_ASSERT_EQUAL(e.items[0].value, (uint64_t)(got - 2000));
    CU_ASSERT_TRUE(got > 2450 && got < 2750);
    stop(&undo);
    CU_ASSERT_EQUAL(count_arrived(&s, 200), 200);
    stream_close(&s);
}

/* 100 datagrams of 1 kB at 50 kB a second, 4 kB of them at once: two seconds. */
static void test_rate(void)
{
    enum { N = 100, BYTES = 1000 };
    char packet[BYTES] = {0};
    char *before = netfault_dump();
    struct stream s = from_b(false);
    START(fault_network_rate, "rate", "50KB", "burst", "4KB", "backlog", "10s");
    int64_t begin = now();
    int got = 0;
    for (int i = 0; i < N; i++)
        CU_ASSERT_EQUAL(sendto(s.tx, packet, BYTES, 0, (const struct sockaddr *)&s.to, s.len),
                        BYTES);
    while (netns_readable(s.rx, 1000) && read(s.rx, packet, BYTES) == BYTES)
        if (++got == N)
            break;
    double took = (double)(now() - begin) / 1e9;
    struct evidence e = proof();
    printf("figure: %d kB at 50 kB/s took %.2f s\n", got * BYTES / 1000, took);
    CU_ASSERT_EQUAL(got, N);
    CU_ASSERT_TRUE(e.proven);
    CU_ASSERT_TRUE(took > 1.8 && took < 10);
    stop(&undo);
    stream_close(&s);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* What is sent: netem delays it too; a packet queue would throttle the sender, and refuses. */
static void test_on_sending(void)
{
    bool queue = by_queue();
    struct stream to = stream_open(NETNS_A, NETNS_A_FOR_B, NETNS_B, NETNS_B_IP);
    bool started = start(&fault_network_delay, "i1", &undo, 60000,
                         (const char *const[]){"delay", "1s", "direction", "out", NULL});
    CU_ASSERT_EQUAL(started, !queue);
    if (queue) {
        CU_ASSERT_EQUAL(err.code, ERR_UNSUPPORTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "sch_netem"));
    } else {
        struct stream from = from_b(false);
        send_number(&from, 1);
        send_number(&to, 2);
        CU_ASSERT_EQUAL(take_number(&from, 500), 1);
        CU_ASSERT_EQUAL(take_number(&to, 20), -1);
        CU_ASSERT_EQUAL(take_number(&to, 5000), 2);
        stop(&undo);
        stream_close(&from);
    }
    stream_close(&to);
}

static void read_queue(char *out, size_t size)
{
    CU_ASSERT_EQUAL(shell_read("tc qdisc show dev eth0", out, size), 0);
}

/* Somebody's own queue on the host's interface stays as it is, and in force. */
static void test_foreign_queue(void)
{
    static const struct fault *const rows[] = {&fault_network_delay, &fault_network_rate};
    static const char *const words[][3] = {{"delay", "20ms"}, {"rate", "1MB"}};
    char before[512], now_[512];
    CU_ASSERT_EQUAL_FATAL(
        netns_run("tc qdisc add dev eth0 root handle 77: tbf rate 90mbit burst 64kb limit 1mb"), 0);
    read_queue(before, sizeof(before));
    CU_ASSERT_PTR_NOT_NULL(strstr(before, "tbf 77: root"));
    char *dump = netfault_dump();
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE_FATAL(start(rows[i], "i1", &undo, 60000, words[i]));
        CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B) + netfault_to_b(NETNS_B_IP), 2);
        read_queue(now_, sizeof(now_));
        CU_ASSERT_STRING_EQUAL(before, now_);
        stop(&undo);
    }
    CU_ASSERT_TRUE(netfault_same(dump, netfault_dump()));
    CU_ASSERT_EQUAL(netns_run("tc qdisc del dev eth0 root"), 0);
}

/* Its rule ends in the kernel and its process by itself, without a call of ours. */
static void test_lease(void)
{
    struct stream s = from_b(false);
    CU_ASSERT_TRUE_FATAL(start(&fault_network_delay, "i1", &undo, 400,
                               (const char *const[]){"delay", "700ms", NULL}));
    send_number(&s, 1);
    CU_ASSERT_EQUAL(take_number(&s, 200), -1);
    CU_ASSERT_EQUAL(take_number(&s, 2000), 1);
    send_number(&s, 2);
    CU_ASSERT_EQUAL(take_number(&s, 500), 2);
    stop(&undo);
    stream_close(&s);
}

/* To the process that serves the queue. */
static int signal_server(const char *signal)
{
    char command[300];
    (void)snprintf(command, sizeof(command),
                   "kill -%s $(grep -ls '^bs[0-9a-f]*$' /proc/[0-9]*/comm | xargs -n1 dirname | "
                   "xargs -n1 basename | while read p; do "
                   "[ $(awk '{print $4}' /proc/$p/stat) = $PPID ] && echo $p; done)",
                   signal);
    return netns_run(command);
}

/* One that is killed leaves a rule by which traffic passes. One that is stopped keeps all that
 * comes, for as long as the rule's lease is renewed: it must not be. */
static void lose_server(const char *signal, bool passes)
{
    bool active = true;
    if (!by_queue())
        return;
    struct stream s = from_b(false);
    START(fault_network_delay, "delay", "10s");
    CU_ASSERT_EQUAL(signal_server(signal), 0);
    for (int i = 0; active && i < 200; i++) {
        netns_sleep_ms(10);
        CU_ASSERT_EQUAL_FATAL(network_shape_verify(&host_a, &undo, &active, &err), 0);
    }
    CU_ASSERT_FALSE(active);
    send_number(&s, 1);
    CU_ASSERT_EQUAL(take_number(&s, 500), passes ? 1 : -1);
    CU_ASSERT_EQUAL(network_shape_renew(&host_a, &undo, host_a.now() + 60 * NS_PER_SEC, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LAPSED);
    stop(&undo);
    send_number(&s, 2);
    CU_ASSERT_EQUAL(take_number(&s, 500), 2);
    stream_close(&s);
}

static void test_server_lost(void)
{
    lose_server("KILL", true);
    lose_server("STOP", false);
}

/* With a line already there a delay goes through a packet queue: both in one run, where the kernel
 * has both. */
static void test_netem_beside_the_queue(void)
{
    static const struct {
        const char *delay;
        double ms;
    } delays[] = {{"10ms", 10}, {"100ms", 100}, {"500ms", 500}};
    struct undo line;
    if (by_queue())
        return;
    CU_ASSERT_TRUE_FATAL(start(&fault_network_rate, "line", &line, 60000,
                               (const char *const[]){"rate", "1GB", "ports", "7", NULL}));
    CU_ASSERT_TRUE(by_queue());
    for (size_t i = 0; i < sizeof(delays) / sizeof(delays[0]); i++)
        delayed_by(delays[i].delay, delays[i].ms, false);
    stop(&line);
    CU_ASSERT_FALSE(by_queue());
}

static const struct check_test tests[] = {
    {"delay", test_delay},
    {"only what is meant", test_only_what_is_meant},
    {"others come and go", test_others_come_and_go},
    {"jitter and share", test_jitter_and_share},
    {"reorder", test_reorder},
    {"corrupt", test_corrupt},
    {"duplicate", test_duplicate},
    {"rate", test_rate},
    {"on sending", test_on_sending},
    {"a foreign queue", test_foreign_queue},
    {"the lease ends", test_lease},
    {"its process is killed or stopped", test_server_lost},
    {"netem beside the queue", test_netem_beside_the_queue},
};

NETFAULT_MAIN("lab/netlink/shape", tests)
