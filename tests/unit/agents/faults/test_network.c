/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the pieces of a network fault are injected, and what its parameters refuse. */
#include "agents/faults/network.h"
#include "agents/netlink/nft.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "check.h"

#include <stdio.h>

extern const struct fault fault_network_partition, fault_network_loss;

static struct err err;

/* Host number n has the addresses 10.0.0.n and fd00::n. */
enum { HOSTS = 5 };
static struct addr addrs[HOSTS][2];
static const char *const names[HOSTS] = {"a", "b", "c", "d", "e"};

static struct expand_host host_of(char name, bool has_agent)
{
    int n = name - 'a';
    addrs[n][0] = (struct addr){.family = 4, .prefix = 32, .ip = {10, 0, 0, (uint8_t)(n + 1)}};
    addrs[n][1] = (struct addr){.family = 6, .prefix = 128, .ip = {0xfd, [15] = (uint8_t)(n + 1)}};
    return (struct expand_host){
        .name = names[n], .addrs = addrs[n], .n_addrs = 2, .has_agent = has_agent};
}

/* "a<bc": a drops what comes from b and c; "a>b": a lets vanish what it sends to b; "a<*": from
 * everyone. IPv6 addresses must stand beside the IPv4 ones. */
static int record(void *ctx, const char *host, const void *data, struct err *ignored)
{
    const struct network_traffic *args = data;
    struct buf *out = ctx;
    (void)ignored;
    CU_ASSERT_NOT_EQUAL(args->direction, NETWORK_BOTH);
    buf_printf(out, "%s%s%c%s", out->len != 0 ? " " : "", host,
               args->direction == NETWORK_IN ? '<' : '>', args->peers.n == 0 ? "*" : "");
    for (uint32_t i = 0; i < args->peers.n; i++) {
        const struct addr *a = &args->peers.a[i];
        if (a->family == 4)
            buf_printf(out, "%c", 'a' + a->ip[3] - 1);
        else
            CU_ASSERT_EQUAL(a->ip[15], args->peers.a[i - 1].ip[3]);
    }
    return 0;
}

/* Hosts and peers as letters; a capital has no agent. */
typedef int expander(const struct expand_in *in, const struct expand_out *out, struct err *err);

static const char *expand(expander *how, const char *hosts, const char *peers, int direction)
{
    static struct buf out = {.max = 4096};
    static struct network_traffic args;
    struct expand_host h[HOSTS], p[HOSTS];
    struct expand_in in = {.hosts = h, .peers = p, .args = &args, .args_size = sizeof(args)};
    struct expand_out to = {.ctx = &out, .add = record};
    args.direction = direction;
    for (; *hosts != '\0'; hosts++)
        h[in.n_hosts++] = host_of(*hosts, true);
    for (; *peers != '\0'; peers++)
        p[in.n_peers++] = host_of((char)(*peers | 0x20), *peers >= 'a');
    buf_drop(&out, out.len);
    if (how(&in, &to, &err) < 0)
        return err.msg;
    return buf_text(&out);
}

static void test_expand(void)
{
    static const struct {
        const char *hosts, *peers;
        int direction;
        const char *injections;
    } cases[] = {
        {"a", "bc", NETWORK_BOTH, "a<bc b<a c<a"},
        {"a", "bc", NETWORK_IN, "a<bc"},
        {"a", "bc", NETWORK_OUT, "b<a c<a"},
        {"a", "bC", NETWORK_BOTH, "a<bc a>c b<a"},
        {"a", "BC", NETWORK_OUT, "a>bc"},
        {"a", "BC", NETWORK_IN, "a<bc"},
        {"ab", "cd", NETWORK_BOTH, "a<cd b<cd c<ab d<ab"},
        {"ab", "abc", NETWORK_BOTH, "a<bc b<ac c<ab"},
        {"ab", "ab", NETWORK_BOTH, "a<b b<a"},
        {"ab", "ab", NETWORK_IN, "a<b b<a"},
        {"ab", "ab", NETWORK_OUT, "a<b b<a"},
        {"abc", "abc", NETWORK_OUT, "a<bc b<ac c<ab"},
        {"ab", "bc", NETWORK_BOTH, "a<bc b<ca c<ab"},
        {"ab", "bc", NETWORK_OUT, "b<a c<ab"},
        {"a", "ab", NETWORK_BOTH, "a<b b<a"},
        {"ab", "", NETWORK_IN, "a<* b<*"},
        {"a", "", NETWORK_BOTH, "a<* a>*"},
        {"a", "", NETWORK_OUT, "a>*"},
        {"a", "a", NETWORK_BOTH, "peers: a is the only peer of itself"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got =
            expand(network_expand, cases[i].hosts, cases[i].peers, cases[i].direction);
        if (strcmp(got, cases[i].injections) != 0)
            printf("%s | %s | %s: %s, not %s\n", cases[i].hosts, cases[i].peers,
                   network_directions[cases[i].direction], got, cases[i].injections);
        CU_ASSERT_STRING_EQUAL(got, cases[i].injections);
    }
}

/* Each piece where it is sent. */
static void test_expand_senders(void)
{
    static const struct {
        const char *hosts, *peers;
        int direction;
        const char *injections;
    } cases[] = {
        {"a", "bc", NETWORK_OUT, "a>bc"},
        {"a", "bc", NETWORK_IN, "b>a c>a"},
        {"a", "bC", NETWORK_BOTH, "a>bc a<c b>a"},
        {"a", "BC", NETWORK_IN, "a<bc"},
        {"ab", "abc", NETWORK_OUT, "a>bc b>ac"},
        {"a", "", NETWORK_OUT, "a>*"},
        {"a", "", NETWORK_IN, "a<*"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_STRING_EQUAL(
            expand(network_expand_senders, cases[i].hosts, cases[i].peers, cases[i].direction),
            cases[i].injections);
}

static int count(void *ctx, const char *host, const void *args, struct err *ignored)
{
    (void)host;
    (void)args;
    (void)ignored;
    ++*(int *)ctx;
    return 0;
}

static int refuse(void *ctx, const char *host, const void *args, struct err *why)
{
    (void)ctx;
    (void)args;
    return make_error(why, ERR_LIMIT, 0, "no room for %s", host);
}

static void test_expand_limits(void)
{
    static struct addr many[ADDRS_MAX + 1];
    static const struct network_traffic args = {.direction = NETWORK_BOTH};
    int n = 0;
    struct expand_host hosts[] = {host_of('a', true)};
    struct expand_host peers[] = {{.name = "b", .addrs = many, .n_addrs = ADDRS_MAX}};
    struct expand_in in = {.hosts = hosts,
                           .n_hosts = 1,
                           .peers = peers,
                           .n_peers = 1,
                           .args = &args,
                           .args_size = sizeof(args)};
    struct expand_out to = {.ctx = &n, .add = count};
    CU_ASSERT_EQUAL(network_expand(&in, &to, &err), 0);
    CU_ASSERT_EQUAL(n, 2);
    peers[0].n_addrs++;
    CU_ASSERT_EQUAL(network_expand(&in, &to, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
    peers[0].n_addrs = 0;
    CU_ASSERT_EQUAL(network_expand(&in, &to, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "peers: b has no address");
    peers[0].n_addrs = 1;
    to.add = refuse;
    CU_ASSERT_EQUAL(network_expand(&in, &to, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "no room for a");
}

/* Of peers with both kinds of address only those of the family that is meant. */
static int note_families(void *ctx, const char *host, const void *data, struct err *ignored)
{
    const struct network_traffic *args = data;
    (void)host;
    (void)ignored;
    for (uint32_t i = 0; i < args->peers.n; i++)
        buf_printf(ctx, "%d", args->peers.a[i].family);
    return 0;
}

static void test_expand_family(void)
{
    static struct network_traffic args = {.direction = NETWORK_IN};
    static const char *const families[] = {"4646", "44", "66"};
    struct expand_host hosts[] = {host_of('a', true)};
    struct expand_host peers[] = {host_of('b', true), host_of('c', true)};
    CLEANUP_BUF struct buf out = BUF_INIT(64);
    struct expand_in in = {.hosts = hosts,
                           .n_hosts = 1,
                           .peers = peers,
                           .n_peers = 2,
                           .args = &args,
                           .args_size = sizeof(args)};
    struct expand_out to = {.ctx = &out, .add = note_families};
    for (args.family = NETWORK_ANY; args.family <= NETWORK_IPV6; args.family++) {
        buf_drop(&out, out.len);
        CU_ASSERT_EQUAL(network_expand(&in, &to, &err), 0);
        CU_ASSERT_STRING_EQUAL(buf_text(&out), families[args.family]);
    }
    args.family = NETWORK_IPV6;
    peers[1].n_addrs = 1;
    CU_ASSERT_EQUAL(network_expand(&in, &to, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "peers: c has no IPv6 address");
}

static void test_check(void)
{
    struct network_traffic args = {.protocol = NFT_PROTO_ICMP};
    CU_ASSERT_EQUAL(network_check(&args, &err), 0);
    args.ports.n = 1;
    CU_ASSERT_EQUAL(network_check(&args, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    args.protocol = NFT_PROTO_ANY;
    CU_ASSERT_EQUAL(network_check(&args, &err), 0);
}

static void test_parameters(void)
{
    static const struct fault *const rows[] = {&fault_network_partition, &fault_network_loss};
    static struct network_loss args;
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(
            param_table_check(rows[i]->params, rows[i]->n_params, rows[i]->args_size, &err), 0);
        CU_ASSERT_EQUAL(
            params_default(rows[i]->params, rows[i]->n_params, &args, rows[i]->args_size, &err), 0);
        CU_ASSERT_EQUAL(args.traffic.direction, i == 0 ? NETWORK_BOTH : NETWORK_IN);
        CU_ASSERT_EQUAL(args.traffic.protocol, NFT_PROTO_ANY);
        CU_ASSERT_EQUAL(args.traffic.family, NETWORK_ANY);
    }
    const struct param *share =
        param_find(fault_network_loss.params, fault_network_loss.n_params, "share");
    CU_ASSERT_PTR_NOT_NULL_FATAL(share);
    CU_ASSERT_EQUAL(param_parse(share, "0%", &args, &err), -1);
    CU_ASSERT_EQUAL(param_parse(share, "30%", &args, &err), 0);
    CU_ASSERT_EQUAL(args.share.ppm, 300000);
}

static const struct check_test tests[] = {
    {"where a request is injected", test_expand},
    {"where each piece goes when it is done on sending", test_expand_senders},
    {"limits of expanding", test_expand_limits},
    {"only the family that is meant", test_expand_family},
    {"what check refuses", test_check},
    {"the parameters", test_parameters},
};

CHECK_MAIN("faults/network", tests)
