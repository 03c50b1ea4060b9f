/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of the prober as a server sees them: kept ones over many probes, over the server's
 * restart, and while new ones are refused; both families of addresses; and a reader of the samples
 * that stops for seconds.
 */
#include "prober_rig.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>

enum { PORT = 9600, CONNECTIONS = 64 };

/* What the server is told, one byte each; it answers each with its counts. */
enum order { COUNT = 1, LISTEN, REFUSE, HANG_UP, SPEAK };

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npong\n";

struct counts {
    uint32_t connections, questions, open;
};

static struct {
    int listener, fds[CONNECTIONS];
    size_t n;
    struct counts counts;
} server;

static struct {
    pid_t pid;
    int orders;
    int family;
} at;

static int server_listen(int family)
{
    int on = 1, fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    v6.sin6_addr = in6addr_loopback;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    int r = family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
                              : bind(fd, (struct sockaddr *)&v6, sizeof(v6));
    return r == 0 && listen(fd, 64) == 0 ? fd : -1;
}

static void server_hang_up(size_t i)
{
    (void)close(server.fds[i]);
    server.fds[i] = server.fds[--server.n];
}

static void server_obey(int orders)
{
    uint8_t order = 0;
    if (recv(orders, &order, 1, 0) != 1)
        _exit(0);
    if (order == REFUSE || order == HANG_UP) {
        (void)close(server.listener);
        server.listener = -1;
    }
    while (order == HANG_UP && server.n != 0)
        server_hang_up(0);
    for (size_t i = 0; order == SPEAK && i < server.n; i++)
        (void)!send(server.fds[i], "unasked\n", 8, MSG_NOSIGNAL);
    if (order == LISTEN)
        server.listener = server_listen(at.family);
    server.counts.open = (uint32_t)server.n;
    (void)!send(orders, &server.counts, sizeof(server.counts), MSG_NOSIGNAL);
}

static void server_answer(size_t i)
{
    char question[1024];
    ssize_t n = recv(server.fds[i], question, sizeof(question), MSG_DONTWAIT);
    if (n <= 0 || send(server.fds[i], answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
        server_hang_up(i);
    else
        server.counts.questions++;
}

static void server_run(int orders)
{
    for (;;) {
        struct pollfd fds[CONNECTIONS + 2];
        size_t n = server.n;
        for (size_t i = 0; i < n; i++)
            fds[i] = (struct pollfd){.fd = server.fds[i], .events = POLLIN};
        fds[n] = (struct pollfd){.fd = orders, .events = POLLIN};
        fds[n + 1] = (struct pollfd){.fd = server.listener, .events = POLLIN};
        (void)poll(fds, n + 2, -1);
        for (size_t i = n; i-- > 0;)
            if (fds[i].revents != 0)
                server_answer(i);
        if (fds[n + 1].revents != 0 && server.n < CONNECTIONS) {
            server.fds[server.n++] = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC);
            server.counts.connections++;
        }
        if (fds[n].revents != 0)
            server_obey(orders);
    }
}

static struct counts server_order(enum order order)
{
    struct counts counts = {0, 0, 0};
    uint8_t byte = (uint8_t)order;
    CU_ASSERT_EQUAL_FATAL(send(at.orders, &byte, 1, MSG_NOSIGNAL), 1);
    CU_ASSERT_EQUAL_FATAL(recv(at.orders, &counts, sizeof(counts), 0), sizeof(counts));
    return counts;
}

static void setup(int family)
{
    int pair[2];
    rig_network();
    at.family = family;
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    memset(&server, 0, sizeof(server));
    server.listener = server_listen(family);
    CU_ASSERT_TRUE_FATAL(server.listener >= 0);
    at.pid = fork();
    if (at.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(pair[0]);
        server_run(pair[1]);
    }
    (void)close(pair[1]);
    (void)close(server.listener);
    at.orders = pair[0];
    rig_open();
}

static void teardown(void)
{
    rig_close();
    (void)close(at.orders);
    (void)waitpid(at.pid, NULL, 0);
}

/* family: NULL, or what the probe is told. */
static void probe_make(struct scenario_probe *p, const char *kind, const char *url,
                       const char *family, bool fresh)
{
    bool http = strcmp(kind, "http") == 0;
    json_t *args = http ? json_pack("{s:s}", "url", url)
                        : json_pack("{s:i, s:s}", "port", (int)PORT, "send", "ping\r\n\r\n");
    if (family != NULL)
        (void)json_object_set_new(args, "family", json_string(family));
    rig_probe(p, kind, args);
    p->fresh = fresh;
}

#define URL "http://${host}:9600/"
static const struct prober_endpoint local = {.name = "n1", .ip = "127.0.0.1", .ip6 = "::1"};

/* How the samples of one probe ended; those that the prober itself did not send do not count. */
static size_t count(uint16_t probe, enum sample_result result)
{
    size_t n = 0;
    for (size_t i = 0; i < rig.n_samples; i++)
        n += rig.samples[i].probe == probe && rig.samples[i].result == result;
    return n;
}

static size_t count_bad(uint16_t probe)
{
    size_t n = 0;
    for (size_t i = 0; i < rig.n_samples; i++)
        n += rig.samples[i].probe == probe && rig.samples[i].result != SAMPLE_GOOD &&
             rig.samples[i].result != SAMPLE_GAP && rig.samples[i].result != SAMPLE_SLOW;
    return n;
}

static void kept_over_probes(const char *kind)
{
    struct scenario_probe p;
    setup(AF_INET);
    probe_make(&p, kind, URL, NULL, false);
    p.every.ns = 50 * NS_PER_MS;
    rig_add(0, &p, &local, 1);
    rig_start(0);
    rig_loop_for(600);
    rig_stop();
    struct counts seen = server_order(COUNT);
    CU_ASSERT_TRUE(seen.questions >= 5);
    CU_ASSERT_EQUAL(seen.questions, (uint32_t)rig.health.sent);
    /* One is busy for longer than a slot only on a machine that stalls; then a second is made. */
    CU_ASSERT_TRUE(seen.connections == 1 || (count(0, SAMPLE_GOOD) != rig.n_samples) ||
                   seen.connections < seen.questions / 2);
    /* Restarted between two trials, it is met again without a failure: what has ended is no more.
     */
    (void)server_order(HANG_UP);
    (void)server_order(LISTEN);
    rig.n_samples = 0;
    rig_start(1);
    rig_loop_for(300);
    rig_stop();
    struct counts again = server_order(COUNT);
    CU_ASSERT_TRUE(again.connections > seen.connections);
    CU_ASSERT_TRUE(count(0, SAMPLE_GOOD) != 0);
    CU_ASSERT_EQUAL(count_bad(0), 0);
    rig_probe_free(&p);
    teardown();
}

static void test_kept_over_probes(void)
{
    kept_over_probes("http");
    kept_over_probes("tcp");
}

/* What a server says unasked, here between two trials, is no answer to the next question: that goes
 * over a new connection. */
static void test_spoken_to_unasked(void)
{
    struct scenario_probe p;
    setup(AF_INET);
    probe_make(&p, "tcp", URL, NULL, false);
    p.every.ns = 50 * NS_PER_MS;
    rig_add(0, &p, &local, 1);
    rig_start(0);
    rig_loop_for(200);
    rig_stop();
    struct counts before = server_order(SPEAK);
    CU_ASSERT_TRUE(before.open >= 1);
    rig.n_samples = 0;
    rig_start(1);
    rig_loop_for(300);
    rig_stop();
    CU_ASSERT_TRUE(server_order(COUNT).connections > before.connections);
    CU_ASSERT_TRUE(count(0, SAMPLE_GOOD) != 0);
    CU_ASSERT_EQUAL(count_bad(0), 0);
    for (size_t i = 0; i < rig.n_samples; i++)
        CU_ASSERT_TRUE(rig.samples[i].bytes == 0 || rig.samples[i].bytes == sizeof(answer) - 1);
    rig_probe_free(&p);
    teardown();
}

/* A fresh probe per slot is a connection per slot. */
static void test_fresh_ones_are_new(void)
{
    static const char *const kinds[] = {"http", "tcp"};
    for (size_t i = 0; i < 2; i++) {
        struct scenario_probe p;
        setup(AF_INET);
        probe_make(&p, kinds[i], URL, NULL, true);
        rig_add(0, &p, &local, 1);
        rig_start(0);
        rig_loop_for(300);
        rig_stop();
        struct counts seen = server_order(COUNT);
        CU_ASSERT_TRUE(seen.connections >= 5);
        CU_ASSERT_EQUAL(seen.connections, (uint32_t)rig.health.sent);
        rig_probe_free(&p);
        teardown();
    }
}

/* The server lives on for those that it has, and refuses others: only the fresh probe fails. */
static void refused_and_kept(const char *kind)
{
    struct scenario_probe fresh, kept;
    setup(AF_INET);
    probe_make(&fresh, kind, URL, NULL, true);
    probe_make(&kept, kind, URL, NULL, false);
    fresh.every.ns = kept.every.ns = 50 * NS_PER_MS;
    rig_add(0, &fresh, &local, 1);
    rig_add(1, &kept, &local, 1);
    rig_start(0);
    rig_loop_for(300);
    (void)server_order(REFUSE);
    rig_loop_for(50);
    rig.n_samples = 0;
    rig_loop_for(500);
    CU_ASSERT_TRUE(count(0, SAMPLE_REFUSED) != 0);
    CU_ASSERT_TRUE(count(1, SAMPLE_GOOD) != 0);
    CU_ASSERT_EQUAL(count_bad(1), 0);
    /* Cut off too, the kept probe fails; with the server back, both are good again. */
    (void)server_order(HANG_UP);
    rig_loop_for(50);
    rig.n_samples = 0;
    rig_loop_for(400);
    CU_ASSERT_TRUE(count(1, SAMPLE_REFUSED) != 0);
    (void)server_order(LISTEN);
    rig_loop_for(50);
    rig.n_samples = 0;
    rig_loop_for(400);
    CU_ASSERT_TRUE(count(0, SAMPLE_GOOD) != 0 && count(1, SAMPLE_GOOD) != 0);
    rig_stop();
    rig_probe_free(&fresh);
    rig_probe_free(&kept);
    teardown();
}

static void test_refused_and_kept(void)
{
    refused_and_kept("http");
    refused_and_kept("tcp");
}

static const struct {
    const char *kind, *url, *family, *ip, *ip6;
    int server;
    enum sample_result result;
} asked[] = {
    {"http", "http://[::1]:9600/", NULL, "127.0.0.1", "", AF_INET6, SAMPLE_GOOD},
    {"http", "http://[${host.ip6}]:9600/", NULL, "127.0.0.1", "::1", AF_INET6, SAMPLE_GOOD},
    {"http", URL, NULL, "", "::1", AF_INET6, SAMPLE_GOOD},
    {"http", URL, NULL, "127.0.0.1", "::1", AF_INET6, SAMPLE_REFUSED},
    {"http", URL, "ipv6", "127.0.0.1", "::1", AF_INET6, SAMPLE_GOOD},
    {"http", URL, "ipv6", "127.0.0.1", "::1", AF_INET, SAMPLE_REFUSED},
    {"http", URL, "ipv4", "127.0.0.1", "::1", AF_INET, SAMPLE_GOOD},
    {"http", "http://localhost:9600/", "ipv6", "127.0.0.1", "::1", AF_INET6, SAMPLE_GOOD},
    {"tcp", "", NULL, "", "::1", AF_INET6, SAMPLE_GOOD},
    {"tcp", "", NULL, "127.0.0.1", "::1", AF_INET6, SAMPLE_REFUSED},
    {"tcp", "", "ipv6", "127.0.0.1", "::1", AF_INET6, SAMPLE_GOOD},
    {"tcp", "", "ipv6", "127.0.0.1", "::1", AF_INET, SAMPLE_REFUSED},
    {"tcp", "", "ipv4", "127.0.0.1", "::1", AF_INET, SAMPLE_GOOD},
};

static void test_both_families(void)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t f = 0; f < 2; f++) {
        setup(families[f]);
        for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
            struct scenario_probe p;
            struct prober_endpoint to = {.name = "n1"};
            if (asked[i].server != families[f])
                continue;
            (void)snprintf(to.ip, sizeof(to.ip), "%s", asked[i].ip);
            (void)snprintf(to.ip6, sizeof(to.ip6), "%s", asked[i].ip6);
            probe_make(&p, asked[i].kind, asked[i].url, asked[i].family, true);
            p.expect.latency.ns = 0;
            rig_ask(&p, &to);
            if (rig.answer.result != asked[i].result) {
                printf("\n  row %zu: wanted %s, got %s\n", i, sample_result_word(asked[i].result),
                       sample_result_word(rig.answer.result));
                CU_FAIL("another result");
            }
            rig_probe_free(&p);
        }
        teardown();
    }
}

static struct err refusal;

static void on_refused(void *ctx, const struct err *why)
{
    (void)ctx;
    refusal = why != NULL ? *why : (struct err){.msg = ""};
    rig_answered();
}

/* A host without an address of the family that is asked for is told at once, by name. */
static void test_no_such_address(void)
{
    static const char *const kinds[] = {"http", "tcp"};
    setup(AF_INET);
    for (size_t i = 0; i < 2; i++) {
        struct scenario_probe p;
        struct err err;
        const struct prober_endpoint v4 = {.name = "n1", .ip = "127.0.0.1"};
        probe_make(&p, kinds[i], URL, "ipv6", true);
        CU_ASSERT_EQUAL_FATAL(proberlink_add(rig.client, 0, &p, &v4, 1, on_refused, NULL, &err), 0);
        rig_wait();
        CU_ASSERT_STRING_EQUAL(refusal.msg, "prober: n1: has no IPv6 address");
        rig_probe_free(&p);
    }
    teardown();
}

static long prober_memory_kb(void)
{
    char path[64], line[128];
    long kb = -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)rig.prober);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    if (f != NULL)
        (void)fclose(f);
    return kb;
}

/* Slots from the first to the schedule's end, whichever of them came back. */
static void check_accounts(int64_t every, size_t endpoints, int64_t *ret_missing)
{
    uint32_t first = UINT32_MAX, last = 0;
    int64_t first_due = 0;
    size_t sent = 0;
    for (size_t i = 0; i < rig.n_samples; i++) {
        const struct sample *s = &rig.samples[i];
        if (s->slot < first) {
            first = s->slot;
            first_due = s->due_ns;
        }
        last = s->slot > last ? s->slot : last;
        sent += s->result != SAMPLE_GAP;
        /* The schedule is what it was: s_k = s_0 + k * every, and a tenth. */
        CU_ASSERT_TRUE(llabs(s->due_ns - first_due - (int64_t)(s->slot - first) * every) <=
                       every / 5 + 1);
    }
    int64_t scheduled = (rig.health.until_ns - first_due + every / 5) / every + 1;
    *ret_missing = scheduled * (int64_t)endpoints - (int64_t)rig.n_samples;
    /* What is not in the record is told: nothing is lost without a word. */
    int64_t told = rig.health.gaps - (int64_t)(rig.n_samples - sent);
    CU_ASSERT_TRUE(llabs(*ret_missing - told) <= 2 * (int64_t)endpoints);
    printf("figure: %lld slots scheduled, %zu samples, %zu sent, %lld not in the record\n",
           (long long)scheduled, rig.n_samples, sent, (long long)*ret_missing);
}

/* Seconds in which nobody reads: the pipe and the ring hold them, nothing is lost. */
static void test_a_reader_that_stops(void)
{
    struct scenario_probe p;
    int64_t missing;
    setup(AF_INET);
    (void)server_order(REFUSE);
    probe_make(&p, "tcp", "", NULL, true);
    p.every.ns = NS_PER_MS;
    rig_add(0, &p, &local, 1);
    rig_start(0);
    (void)usleep(3000000);
    rig_stop();
    check_accounts(NS_PER_MS, 1, &missing);
    CU_ASSERT_TRUE(llabs(missing) <= 2);
    CU_ASSERT_TRUE(rig.n_samples > 2900);
    rig_probe_free(&p);
    teardown();
}

/* More than both hold: what is dropped is missing by its slot's number, and memory is bounded. */
static void test_a_reader_that_stops_too_long(void)
{
    enum { ENDPOINTS = 32 };
    struct prober_endpoint many[ENDPOINTS];
    struct scenario_probe p;
    int64_t missing;
    setup(AF_INET);
    (void)server_order(REFUSE);
    for (size_t i = 0; i < ENDPOINTS; i++)
        many[i] = local;
    probe_make(&p, "tcp", "", NULL, true);
    p.every.ns = 2 * NS_PER_MS;
    rig_add(0, &p, many, ENDPOINTS);
    rig_start(0);
    rig_loop_for(200);
    long before = prober_memory_kb();
    (void)usleep(5000000);
    long after = prober_memory_kb();
    rig_loop_for(300);
    rig_stop();
    check_accounts(2 * NS_PER_MS, ENDPOINTS, &missing);
    CU_ASSERT_TRUE(missing > 0);
    /* The ring itself is 1.5 MiB. */
    printf("figure: prober's memory %ld kB, after %ld kB\n", before, after);
    CU_ASSERT_TRUE(before > 0 && after - before < 4096);
    /* When it reads again, the record goes on. */
    int64_t last = 0;
    for (size_t i = 0; i < rig.n_samples; i++)
        last = rig.samples[i].due_ns > last ? rig.samples[i].due_ns : last;
    CU_ASSERT_TRUE(rig.health.until_ns - last < 200 * NS_PER_MS);
    rig_probe_free(&p);
    teardown();
}

static const struct check_test tests[] = {
    {"kept over probes", test_kept_over_probes},
    {"spoken to unasked", test_spoken_to_unasked},
    {"fresh ones are new", test_fresh_ones_are_new},
    {"refused and kept", test_refused_and_kept},
    {"both families", test_both_families},
    {"no such address", test_no_such_address},
    {"a reader that stops", test_a_reader_that_stops},
    {"a reader that stops too long", test_a_reader_that_stops_too_long},
};

CHECK_MAIN("prober links", tests)
