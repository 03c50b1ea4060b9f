/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What network.delay does beside delaying, in namespaces of this process: the round trip of small
 * messages, and the throughput of one TCP connection, without the fault and at each delay; and the
 * same of network.duplicate, with how many copies came of datagrams that were sent. Where
 * the kernel has netem (in the guest, say) it is measured, and the packet queue after it in the
 * same run: `VM_COMMAND='build/bench/bench_delay --short' tests/vm/boot.sh plain`. `--short` ends
 * within seconds.
 */
#include "lab/netfault.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const struct fault fault_network_delay, fault_network_duplicate, fault_network_rate;

enum { PORT = 5001, CHUNK = 128 * 1024, TRIPS_MAX = 2000 };

static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

/* B is the server, A the client, whose host delays what it receives. */
struct pair {
    int client, server;
};

static int buffers; /* bytes */

/* What half a second of one connection takes, but far less than all of TCP may have: near that
 * (tcp_mem's first number, in pages; only the first network namespace shows it) the kernel leaves a
 * receiver four segments of window. */
static int buffer_size(void)
{
    enum { MOST = 64 * 1024 * 1024, SHARE = 8 };
    unsigned long pages = 0;
    FILE *f = fopen("/proc/sys/net/ipv4/tcp_mem", "re");
    if (f == NULL || fscanf(f, "%lu", &pages) != 1)
        pages = 0;
    if (f != NULL)
        (void)fclose(f);
    unsigned long share = pages * (unsigned long)sysconf(_SC_PAGESIZE) / SHARE;
    return share > 0 && share < MOST ? (int)share : MOST;
}

static int connect_pair(struct pair *p)
{
    struct sockaddr_storage to;
    socklen_t len = netns_addr(&to, NETNS_B_IP, PORT);
    int on = 1;
    int listener = netns_socket(NETNS_B, SOCK_STREAM, NETNS_B_IP, PORT);
    p->client = netns_socket(NETNS_A, SOCK_STREAM, NETNS_A_FOR_B, 0);
    (void)setsockopt(p->client, SOL_SOCKET, SO_RCVBUFFORCE, &buffers, sizeof(buffers));
    (void)setsockopt(listener, SOL_SOCKET, SO_SNDBUFFORCE, &buffers, sizeof(buffers));
    if (listen(listener, 1) < 0 || connect(p->client, (struct sockaddr *)&to, len) < 0)
        return -1;
    p->server = accept(listener, NULL, NULL);
    (void)close(listener);
    (void)setsockopt(p->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(p->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return p->server < 0 ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Milliseconds; both ends are of this process, so there is no program to wait for. */
static int round_trips(int64_t for_ns, double *ret_median, double *ret_p99)
{
    static double took[TRIPS_MAX];
    struct pair p;
    char byte = 'x';
    size_t n = 0;
    if (connect_pair(&p) < 0)
        return -1;
    for (int64_t end = now() + for_ns; n < TRIPS_MAX && (n < 5 || now() < end); n++) {
        int64_t start = now();
        if (write(p.client, &byte, 1) != 1 || read(p.server, &byte, 1) != 1 ||
            write(p.server, &byte, 1) != 1 || read(p.client, &byte, 1) != 1)
            return -1;
        took[n] = (double)(now() - start) / 1e6;
    }
    (void)close(p.client);
    (void)close(p.server);
    qsort(took, n, sizeof(took[0]), compare);
    *ret_median = took[n / 2];
    *ret_p99 = took[(n - 1) * 99 / 100];
    return 0;
}

static void *pour(void *arg)
{
    static const char chunk[CHUNK];
    int fd = *(const int *)arg;
    while (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
        ;
    return NULL;
}

/* Mbit/s over the second half, when the window has opened. */
static int throughput(int64_t for_ns, double *ret)
{
    static char chunk[CHUNK];
    struct pair p;
    pthread_t sender;
    uint64_t bytes = 0;
    if (connect_pair(&p) < 0 || pthread_create(&sender, NULL, pour, &p.server) != 0)
        return -1;
    int64_t start = now(), half = start + for_ns / 2, end = start + for_ns, at;
    while ((at = now()) < end) {
        ssize_t n = netns_readable(p.client, 1000) ? read(p.client, chunk, sizeof(chunk)) : 0;
        bytes += n > 0 && at >= half ? (uint64_t)n : 0;
    }
    (void)close(p.client);
    (void)shutdown(p.server, SHUT_RDWR);
    (void)pthread_join(sender, NULL);
    (void)close(p.server);
    *ret = (double)bytes * 8 / ((double)for_ns / 2e9) / 1e6;
    return 0;
}

static int measure(const char *label, double delay_ms, int64_t for_ns)
{
    static double base;
    double median, p99, mbit;
    if (round_trips(for_ns / 4, &median, &p99) < 0 || throughput(for_ns, &mbit) < 0)
        return -1;
    base = base > 0 ? base : median;
    printf("%-8s round trip median %8.3f ms, p99 %8.3f ms, off by %+7.3f ms; one connection %9.1f "
           "Mbit/s\n",
           label, median, p99, median - base - delay_ms, mbit);
    return 0;
}

/* `settings`: name and value by turns, ended by NULL; other parameters have their defaults. */
static int begin(const struct fault *fault, const char *id, const char *const *settings,
                 struct undo *undo)
{
    static _Alignas(8) char args[ARGS_MAX];
    if (params_default(fault->params, fault->n_params, args, fault->args_size, &err) != 0)
        return -1;
    for (size_t i = 0; settings[i] != NULL; i += 2)
        if (param_parse(param_find(fault->params, fault->n_params, settings[i]), settings[i + 1],
                        args, &err) != 0)
            return -1;
    return netfault_start(fault, &host_a, id, args, 600000, undo);
}

static int end(const struct fault *fault, const struct undo *undo)
{
    struct revert_report report;
    return fault->revert(&host_a, undo, &report, &err);
}

static int measure_delay(const char *label, double delay_ms, int64_t for_ns, bool *ret_queue)
{
    static struct undo undo;
    if (begin(&fault_network_delay, "i1", (const char *const[]){"delay", label, NULL}, &undo) != 0)
        return -1;
    int rc = measure(label, delay_ms, for_ns);
    struct evidence evidence = {.n = 0};
    if (fault_network_delay.evidence(&host_a, &undo, &evidence, &err) == 0)
        printf("         %s\n", evidence.what);
    *ret_queue = evidence.n > 1; /* it counts how late they were, too */
    return end(&fault_network_delay, &undo) == 0 ? rc : -1;
}

static int measure_delays(bool is_short, int64_t for_ns, bool *ret_queue)
{
    static const struct {
        const char *label;
        double ms;
        bool full;
    } delays[] = {
        {"1ms", 1, true}, {"10ms", 10, false}, {"100ms", 100, false}, {"500ms", 500, true}};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(delays) / sizeof(delays[0]); i++)
        if (!delays[i].full || !is_short)
            rc = measure_delay(delays[i].label, delays[i].ms, for_ns, ret_queue);
    return rc;
}

/* A host has one line: beside one, which other traffic has here, a delay goes through the queue. */
static int measure_queue(bool is_short, int64_t for_ns)
{
    static struct undo line;
    bool queue = false;
    if (begin(&fault_network_rate, "line", (const char *const[]){"rate", "1GB", "ports", "7", NULL},
              &line) != 0)
        return -1;
    printf("beside a line of another fault, without netem:\n");
    int rc = measure_delays(is_short, for_ns, &queue);
    if (rc == 0 && !queue)
        rc = make_error(&err, ERR_UNSUPPORTED, 0, "the delay did not go through the packet queue");
    return end(&fault_network_rate, &line) == 0 ? rc : -1;
}

/* What comes at B of datagrams that A sends, a few at a time so that no buffer overflows. */
static int count_datagrams(unsigned n, unsigned *ret)
{
    enum { BATCH = 50 };
    struct sockaddr_storage to;
    char byte = 'x';
    socklen_t len = netns_addr(&to, NETNS_B_IP, PORT);
    int rx = netns_socket(NETNS_B, SOCK_DGRAM, NETNS_B_IP, PORT);
    int tx = netns_socket(NETNS_A, SOCK_DGRAM, NETNS_A_FOR_B, 0);
    bool ok = rx >= 0 && tx >= 0;
    *ret = 0;
    for (unsigned sent = 0; ok && sent < n;) {
        for (unsigned i = 0; i < BATCH; i++, sent++)
            ok = sendto(tx, &byte, 1, 0, (struct sockaddr *)&to, len) == 1 && ok;
        while (netns_readable(rx, 5))
            *ret += recv(rx, &byte, 1, 0) == 1;
    }
    (void)close(rx);
    (void)close(tx);
    return ok ? 0 : -1;
}

/* Every packet twice, for what that costs; then a fifth of them, for how exact the share is. */
static int measure_copies(bool is_short, int64_t for_ns)
{
    static struct undo undo;
    unsigned n = is_short ? 1000 : 20000, came = 0;
    struct evidence evidence = {.n = 0};
    const struct fault *row = &fault_network_duplicate;
    if (begin(row, "copies", (const char *const[]){"share", "100%", NULL}, &undo) != 0)
        return -1;
    int rc = measure("copies", 0, for_ns);
    if (row->evidence(&host_a, &undo, &evidence, &err) == 0)
        printf("         %s\n", evidence.what);
    if (end(row, &undo) != 0 || rc != 0 ||
        begin(row, "fifth", (const char *const[]){"share", "20%", NULL}, &undo) != 0)
        return -1;
    rc = count_datagrams(n, &came);
    if (rc == 0)
        printf("         of %u datagrams at a share of 20 %%, %.2f %% came twice\n", n,
               ((double)came - n) * 100 / n);
    return end(row, &undo) == 0 ? rc : -1;
}

int main(int argc, char **argv)
{
    bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
    int64_t for_ns = (is_short ? 1 : 20) * NS_PER_SEC;
    bool queue = false;
    buffers = buffer_size();
    if (netns_make() != 0 || nft_open(host_a.run, &host_a.nft, &err) < 0) {
        printf("needs root, iproute2 and nf_tables: %s\n", err.msg);
        return 1;
    }
    host_a.proc = open("/proc", O_PATH | O_CLOEXEC);
    int rc = measure("without", 0, for_ns);
    if (rc == 0)
        rc = measure_delays(is_short, for_ns, &queue);
    if (rc == 0 && !queue)
        rc = measure_queue(is_short, for_ns);
    if (rc == 0)
        rc = measure_copies(is_short, for_ns);
    if (rc != 0)
        printf("%s\n", err.msg);
    nft_close(host_a.nft);
    return rc == 0 ? 0 : 1;
}
