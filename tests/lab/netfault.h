/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls a network fault's row as the agent does, for tests: one host in namespace A with a session
 * of its own.
 */
#ifndef BLACKSTART_TESTS_NETFAULT_H
#define BLACKSTART_TESTS_NETFAULT_H

#include "agents/faults/network.h"
#include "agents/netlink/dump.h"
#include "agents/netlink/nft.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "lab/netns.h"

extern const struct fault fault_network_partition, fault_network_loss;

static struct err err;

static inline int64_t netfault_now(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static struct fault_host host_a = {.run = "t1", .name = "a", .now = netfault_now};

static inline struct network_traffic netfault_args(const char *ip4, const char *ip6)
{
    struct network_traffic args = {.direction = NETWORK_IN};
    if (ip4 != NULL)
        args.peers.a[args.peers.n++] = netns_peer(ip4);
    if (ip6 != NULL)
        args.peers.a[args.peers.n++] = netns_peer(ip6);
    return args;
}

/* Prepared and applied; the lease counts from now. */
static inline int netfault_start(const struct fault *fault, struct fault_host *host, const char *id,
                                 const void *args, int64_t lease_ms, struct undo *undo)
{
    memset(undo, 0, sizeof(*undo));
    (void)snprintf(undo->run, sizeof(undo->run), "%s", host->run);
    (void)snprintf(undo->injection, sizeof(undo->injection), "%s", id);
    undo->lease_ns = netfault_now() + lease_ms * NS_PER_MS;
    if (fault->prepare(host, args, undo, &err) == 0 && fault->apply(host, args, undo, &err) == 0)
        return 0;
    printf("%s\n", err.msg);
    return -1;
}

#define NETFAULT_PARTITION(args) (&(const struct network_partition){.traffic = *(args)})

static inline int netfault_cut(const char *id, const struct network_traffic *args, int64_t lease_ms,
                               struct undo *undo)
{
    return netfault_start(&fault_network_partition, &host_a, id, NETFAULT_PARTITION(args), lease_ms,
                          undo);
}

static inline bool netfault_active(const struct undo *undo)
{
    bool active = false;
    CU_ASSERT_EQUAL(network_verify(&host_a, undo, &active, &err), 0);
    return active;
}

static inline struct evidence netfault_evidence(const struct undo *undo)
{
    struct evidence evidence = {.n = 0};
    CU_ASSERT_EQUAL(network_evidence(&host_a, undo, &evidence, &err), 0);
    return evidence;
}

static inline int netfault_stop(const struct undo *undo)
{
    struct revert_report report;
    int failed = network_revert(&host_a, undo, &report, &err);
    if (failed)
        printf("%s\n%s\n", err.msg, report.manual);
    return failed;
}

/* Does a datagram from B (or C) reach A within a time that an unhindered one never needs? */
static inline int netfault_from_b(const char *ip)
{
    return netns_pass(NETNS_B, strchr(ip, ':') ? NETNS_B6 : NETNS_B_IP, 0, NETNS_A, ip, 5000, 60);
}

static inline int netfault_from_c(void)
{
    return netns_pass(NETNS_C, NETNS_C_IP, 0, NETNS_A, NETNS_A_FOR_C, 5000, 60);
}

static inline int netfault_to_b(const char *ip)
{
    return netns_pass(NETNS_A, strchr(ip, ':') ? NETNS_A6_FOR_B : NETNS_A_FOR_B, 0, NETNS_B, ip,
                      5000, 60);
}

/* The namespace A as text. */
static inline char *netfault_dump(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(DUMP_MAX);
    CU_ASSERT_EQUAL(dump_take(&out, &err), 0);
    return buf_steal(&out);
}

/* Frees both. */
static inline bool netfault_same(char *before, char *after)
{
    CLEANUP_BUF struct buf diff = BUF_INIT(65536);
    size_t n = dump_diff(before, after, &diff, 20);
    if (n != 0)
        printf("%s", buf_text(&diff));
    free(before);
    free(after);
    return n == 0;
}

static inline int netfault_main(const char *suite, const struct check_test *tests, size_t n)
{
    if (netns_make() != 0 || nft_open(host_a.run, &host_a.nft, &err) < 0) {
        printf("needs root, iproute2 and nf_tables: %s\n", err.msg);
        return 1;
    }
    host_a.proc = open("/proc", O_PATH | O_CLOEXEC);
    int status = check_main(suite, tests, n);
    nft_close(host_a.nft);
    return status;
}

#define NETFAULT_MAIN(suite, tests)                                                                \
    int main(void)                                                                                 \
    {                                                                                              \
        return netfault_main(suite, tests, sizeof(tests) / sizeof((tests)[0]));                    \
    }

#endif
