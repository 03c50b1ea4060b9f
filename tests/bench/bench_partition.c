/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What applying and reverting a partition costs, side by side in one run, in a network namespace of
 * this process: the fault's own calls as the agent makes them, the same messages built before and
 * only sent, a batch of timed elements built before, the nft command, and iptables with a rule for
 * each peer. `--short` ends within seconds.
 */
#include "agents/faults/network.h"
#include "agents/netlink/nftrule.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern const struct fault fault_network_partition;

enum { ROUNDS_MAX = 400 };

static struct network_partition args;
static struct err err;

static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

static int64_t boottime(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static int run_command(const char *command)
{
    extern char **environ;
    char sh[] = "sh", c[] = "-c", text[512];
    (void)snprintf(text, sizeof(text), "%s", command);
    char *argv[] = {sh, c, text, NULL};
    pid_t pid;
    int status = -1;
    if (posix_spawnp(&pid, "sh", NULL, NULL, argv, environ) != 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double median_us(int64_t *ns, int n)
{
    qsort(ns, (size_t)n, sizeof(*ns), compare);
    size_t middle = (size_t)n / 2;
    return (double)ns[middle] / 1000;
}

/* One way of doing it. begin and end are not measured. */
struct way {
    const char *name;
    int (*begin)(void);
    int (*apply)(void);
    int (*revert)(void);
    void (*end)(void);
    int rounds;           /* at most */
    uint32_t short_peers; /* the most in the short form: a rule per peer takes seconds */
};

/* The fault, as the agent calls it. */

static struct fault_host host = {.run = "bench", .name = "h", .now = boottime};
static struct undo undo;

static int fault_begin(void)
{
    memset(&undo, 0, sizeof(undo));
    (void)snprintf(undo.run, sizeof(undo.run), "bench");
    (void)snprintf(undo.injection, sizeof(undo.injection), "i1");
    undo.lease_ns = boottime() + 10 * NS_PER_SEC;
    return fault_network_partition.prepare(&host, &args, &undo, &err);
}

static int fault_apply(void)
{
    return fault_network_partition.apply(&host, &args, &undo, &err);
}

static int fault_revert(void)
{
    struct revert_report report;
    return fault_network_partition.revert(&host, &undo, &report, &err);
}

static int fault_apply_verify(void)
{
    bool active = false;
    if (fault_apply() < 0 || fault_network_partition.verify(&host, &undo, &active, &err) < 0)
        return -1;
    return active ? 0 : -1;
}

/* Batches that were built before. */

static struct mnl_socket *sock;
static char apply_data[NFTBATCH_BYTES], revert_data[4096 * 4];
static struct nftbatch apply_batch, revert_batch;

static int send_batch(const struct nftbatch *b)
{
    char answer[4096];
    if (mnl_socket_sendto(sock, b->data, b->len) < 0 ||
        mnl_socket_recvfrom(sock, answer, sizeof(answer)) < 0)
        return -1;
    const struct nlmsghdr *nlh = (const struct nlmsghdr *)answer;
    return -((const struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->error;
}

static int built_apply(void)
{
    return send_batch(&apply_batch);
}

static int built_revert(void)
{
    return send_batch(&revert_batch);
}

static int built_open(void)
{
    int on = 1, bytes = NFTBATCH_BYTES;
    if (sock == NULL) {
        sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
        if (sock == NULL || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0)
            return -1;
        (void)mnl_socket_setsockopt(sock, NETLINK_CAP_ACK, &on, sizeof(on));
        (void)setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_SNDBUFFORCE, &bytes,
                         sizeof(bytes));
    }
    nftbatch_begin(&revert_batch, revert_data, sizeof(revert_data), 1000, NFPROTO_NETDEV, "built");
    nftbatch_delete_table(&revert_batch);
    (void)nftbatch_end(&revert_batch);
    nftbatch_begin(&apply_batch, apply_data, sizeof(apply_data), 1, NFPROTO_NETDEV, "built");
    nftbatch_add_table(&apply_batch);
    return 0;
}

static const struct nft_devices devices = {.n = 1, .name = {"eth0"}};

static int same_begin(void)
{
    struct nft_injection in = {.id = "i1",
                               .devices = &devices,
                               .peers = &args.traffic.peers,
                               .ports = &args.traffic.ports,
                               .in = true,
                               .share = NFT_ALL_PPM,
                               .lease_ms = 10000};
    if (built_open() < 0)
        return -1;
    nftrule_add(&apply_batch, &in, NFT_QUEUE_NATIVE);
    return nftbatch_end(&apply_batch) ? 0 : -1;
}

/* The plain way: one set whose elements have the timeout, written by hand. */
static void put_timed_elements(void)
{
    struct nlmsghdr *nlh = NULL;
    struct nlattr *list = NULL;
    for (uint32_t i = 0; i < args.traffic.peers.n; i++) {
        if (i % 900 == 0) {
            if (nlh != NULL)
                mnl_attr_nest_end(nlh, list);
            nlh = nftbatch_message(&apply_batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, "elements");
            mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, "built");
            mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, "peers");
            list = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
        }
        struct nlattr *item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM);
        struct nlattr *key = mnl_attr_nest_start(nlh, NFTA_SET_ELEM_KEY);
        mnl_attr_put(nlh, NFTA_DATA_VALUE, 4, args.traffic.peers.a[i].ip);
        mnl_attr_nest_end(nlh, key);
        mnl_attr_put_u64(nlh, NFTA_SET_ELEM_TIMEOUT, htobe64(10000));
        mnl_attr_nest_end(nlh, item);
    }
    mnl_attr_nest_end(nlh, list);
}

static int timed_begin(void)
{
    static const struct addrs none = {0};
    static const struct ports all = {0};
    struct nft_injection in = {.id = "i1",
                               .devices = &devices,
                               .peers = &none,
                               .ports = &all,
                               .in = true,
                               .share = NFT_ALL_PPM,
                               .lease_ms = 10000};
    if (built_open() < 0)
        return -1;
    nftbatch_add_set(&apply_batch, "peers", NFTBATCH_IPV4, NFT_SET_TIMEOUT, 0);
    put_timed_elements();
    nftrule_add(&apply_batch, &in,
                NFT_QUEUE_NATIVE); /* the same chain; its rules match every peer */
    return nftbatch_end(&apply_batch) ? 0 : -1;
}

/* Commands. */

static char script_path[] = "/tmp/blackstart-bench-XXXXXX";
static char command_apply[256], command_revert[256];

static int apply_command(void)
{
    return run_command(command_apply);
}

static int revert_command(void)
{
    return run_command(command_revert);
}

static FILE *script_open(void)
{
    (void)snprintf(script_path, sizeof(script_path), "/tmp/blackstart-bench-XXXXXX");
    int fd = mkstemp(script_path);
    return fd < 0 ? NULL : fdopen(fd, "w");
}

static void script_end(void)
{
    (void)unlink(script_path);
}

static const char *peer_text(uint32_t i)
{
    static char text[INET_ADDRSTRLEN];
    return inet_ntop(AF_INET, args.traffic.peers.a[i].ip, text, sizeof(text));
}

static int nft_begin(void)
{
    FILE *f = script_open();
    if (f == NULL)
        return -1;
    (void)fprintf(f,
                  "table netdev cmd {\n set peers { type ipv4_addr; flags timeout; elements = {");
    for (uint32_t i = 0; i < args.traffic.peers.n; i++)
        (void)fprintf(f, "%s%s timeout 10s", i != 0 ? ", " : " ", peer_text(i));
    (void)fprintf(f, " }\n }\n chain in { type filter hook ingress device \"eth0\" priority 0;\n"
                     "  ip saddr @peers counter drop\n }\n}\n");
    (void)snprintf(command_apply, sizeof(command_apply), "exec nft -f %s", script_path);
    (void)snprintf(command_revert, sizeof(command_revert), "exec nft delete table netdev cmd");
    return fclose(f);
}

static int iptables_begin(const char *program)
{
    FILE *f = script_open();
    if (f == NULL)
        return -1;
    (void)fprintf(f, "for i in $(cat %s.peers); do %s $1 INPUT -s $i -j DROP || exit 1; done\n",
                  script_path, program);
    char path[64];
    (void)snprintf(path, sizeof(path), "%s.peers", script_path);
    FILE *peers = fopen(path, "we");
    for (uint32_t i = 0; peers != NULL && i < args.traffic.peers.n; i++)
        (void)fprintf(peers, "%s\n", peer_text(i));
    (void)snprintf(command_apply, sizeof(command_apply), "exec sh %s -A", script_path);
    (void)snprintf(command_revert, sizeof(command_revert), "exec sh %s -D", script_path);
    int failed = peers == NULL || fclose(peers) != 0;
    return fclose(f) != 0 || failed ? -1 : 0;
}

static int iptables_legacy_begin(void)
{
    return iptables_begin("iptables-legacy");
}

static int iptables_nft_begin(void)
{
    return iptables_begin("iptables-nft");
}

static void iptables_end(void)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s.peers", script_path);
    (void)unlink(path);
    (void)unlink(script_path);
}

static const struct way ways[] = {
    {"same batch, built before", same_begin, built_apply, built_revert, NULL, ROUNDS_MAX, 1000},
    {"timed elements, built before", timed_begin, built_apply, built_revert, NULL, ROUNDS_MAX,
     1000},
    {"blackstart", fault_begin, fault_apply, fault_revert, NULL, ROUNDS_MAX, 1000},
    {"blackstart, and verified", fault_begin, fault_apply_verify, fault_revert, NULL, ROUNDS_MAX,
     1000},
    {"nft command", nft_begin, apply_command, revert_command, script_end, 20, 1000},
    {"iptables-legacy, rule per peer", iptables_legacy_begin, apply_command, revert_command,
     iptables_end, 5, 100},
    {"iptables-nft, rule per peer", iptables_nft_begin, apply_command, revert_command, iptables_end,
     5, 100},
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static int64_t applied[WAYS][ROUNDS_MAX], reverted[WAYS][ROUNDS_MAX];
static int done[WAYS];

static int one_round(int w)
{
    const struct way *way = &ways[w];
    if (way->begin() < 0)
        return -1;
    int64_t t0 = now();
    int failed = way->apply();
    int64_t t1 = now();
    failed = failed != 0 || way->revert() != 0;
    int64_t t2 = now();
    if (way->end != NULL)
        way->end();
    if (failed)
        return -1;
    applied[w][done[w]] = t1 - t0;
    reverted[w][done[w]++] = t2 - t1;
    return 0;
}

/* Ways take turns, so that a busy moment of the machine falls on all of them. */
static void measure(uint32_t peers, int64_t budget_ns, bool quick)
{
    args = (struct network_partition){.traffic = {.direction = NETWORK_IN}};
    for (uint32_t i = 0; i < peers; i++)
        args.traffic.peers.a[args.traffic.peers.n++] = (struct addr){
            .family = 4, .prefix = 32, .ip = {10, 77, (uint8_t)(i / 250), (uint8_t)(i % 250 + 1)}};
    int64_t spent[WAYS] = {0};
    memset(done, 0, sizeof(done));
    for (int round = 0; round < ROUNDS_MAX; round++)
        for (int w = 0; w < WAYS; w++) {
            if (round >= ways[w].rounds || spent[w] > budget_ns ||
                (quick && peers > ways[w].short_peers))
                continue;
            if (one_round(w) < 0) {
                spent[w] = INT64_MAX;
                continue;
            }
            spent[w] += applied[w][done[w] - 1] + reverted[w][done[w] - 1];
        }
    double base_apply = 0, base_revert = 0;
    for (int w = 0; w < WAYS; w++) {
        if (done[w] == 0) {
            printf("%-32s %5u  not measured\n", ways[w].name, peers);
            continue;
        }
        double a = median_us(applied[w], done[w]), r = median_us(reverted[w], done[w]);
        if (w == 0) {
            base_apply = a;
            base_revert = r;
        }
        printf("%-32s %5u %12.1f %12.1f %9.2f %9.2f %6d\n", ways[w].name, peers, a, r,
               a / base_apply, r / base_revert, done[w]);
        if (strcmp(ways[w].name, "blackstart") == 0)
            printf("figure: partition of %u peers: apply %.0f us, revert %.0f us; %.2f and %.2f "
                   "times the batch built before\n",
                   peers, a, r, a / base_apply, r / base_revert);
    }
}

int main(int argc, char **argv)
{
    bool quick = argc > 1 && strcmp(argv[1], "--short") == 0;
    static const uint32_t sizes[] = {1, 100, 1000};
    if (unshare(CLONE_NEWNET) < 0 ||
        run_command("ip link set lo up && ip link add eth0 type veth peer name peer0 && "
                    "ip link set eth0 up") != 0 ||
        nft_open("bench", &host.nft, &err) < 0) {
        (void)fprintf(stderr, "bench_partition: needs root and iproute2: %s\n", err.msg);
        return 1;
    }
    printf("%-32s %5s %12s %12s %9s %9s %6s\n", "medians", "peers", "apply us", "revert us",
           "/ built", "/ built", "rounds");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        measure(sizes[i], (quick ? 1 : 15) * NS_PER_SEC, quick);
    if (sock != NULL)
        (void)mnl_socket_close(sock);
    nft_close(host.nft);
    return 0;
}
