/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"
#include "agents/netlink/nullroute.h"
#include "base/digest.h"

#include <stdio.h>
#include <string.h>

enum { UNDO_VERSION = 1, ROUTES_MAX = 512, BOUND_MS = 3000 };

struct args {
    struct network_traffic traffic;
    int answer;
};

struct blackhole_undo {
    uint32_t version;
    uint32_t kind, metric, n;
    struct addr to[ROUTES_MAX];
};

_Static_assert(sizeof(struct blackhole_undo) <= UNDO_DATA_MAX, "fits into an undo record");

static const char *const answers[] = {[NULLROUTE_BLACKHOLE] = "blackhole",
                                      [NULLROUTE_UNREACHABLE] = "unreachable",
                                      [NULLROUTE_PROHIBIT] = "prohibit",
                                      NULL};

static const struct param params[] = {
    NETWORK_PEERS(.required = true, .doc = "The hosts to which the way is lost."),
    NETWORK_FAMILY,
    P(struct args, PARAM_ENUM, answer, .def = "blackhole", .choices = answers,
      .doc = "The kind of route, as ip route names it. Programs of the host that send are told: "
             "blackhole, invalid argument; unreachable, no route to host; prohibit, permission "
             "denied."),
};

static int supported(struct fault_host *host, struct err *err)
{
    uint32_t n;
    (void)host;
    return nullroute_count(0, &n, err);
}

/* Of its own for each injection, as far as there are enough: two may lead to one address. */
static uint32_t metric_of(const struct undo *undo)
{
    uint64_t digest = DIGEST_START;
    digest_add(&digest, undo->run, strlen(undo->run) + 1);
    digest_add(&digest, undo->injection, strlen(undo->injection) + 1);
    return 1 + (uint32_t)(digest % NULLROUTE_METRICS);
}

static bool is_meant(const struct network_traffic *args, const struct addr *a)
{
    return args->family == NETWORK_ANY || a->family == (args->family == NETWORK_IPV4 ? 4 : 6);
}

/* A route to a part of a network comes before ours to the whole. */
static int check_within(const struct addr *net, struct err *err)
{
    char part[64], whole[64];
    struct addr to;
    bool any;
    if (nullroute_within(net, &any, &to, err) < 0)
        return -1;
    if (!any)
        return 0;
    (void)addr_print(&to, part, sizeof(part));
    return make_error_hint(err, ERR_REFUSED, "name networks that it is not in, or that one itself",
                           "peers: %s, in %s, has a route of its own, which would come before",
                           part, addr_print(net, whole, sizeof(whole)));
}

/* A network in two halves: so they come before a route to the whole, whatever its metric is. */
static int add_peer(struct blackhole_undo *u, const struct addr *a, struct err *err)
{
    const uint8_t full = a->family == 4 ? 32 : 128, halves = a->prefix == full ? 1 : 2;
    for (uint8_t i = 0; i < halves; i++) {
        if (u->n == ROUTES_MAX)
            return make_error(err, ERR_LIMIT, 0, "peers: more than %d addresses, a network for two",
                              (int)ROUTES_MAX);
        struct addr *to = &u->to[u->n++];
        *to = *a;
        to->prefix = (uint8_t)(a->prefix + halves - 1);
        if (i != 0)
            to->ip[a->prefix / 8] |= (uint8_t)(0x80u >> a->prefix % 8);
    }
    return halves == 1 ? 0 : check_within(a, err);
}

static int prepare(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct args *args = data;
    struct blackhole_undo *u = (struct blackhole_undo *)undo->data;
    const struct addrs *peers = &args->traffic.peers;
    uint32_t there;
    (void)host;
    memset(u, 0, sizeof(*u));
    u->version = UNDO_VERSION;
    u->kind = (uint32_t)args->answer;
    u->metric = metric_of(undo);
    undo->size = sizeof(*u);
    for (uint32_t i = 0; i < peers->n; i++) {
        if (!is_meant(&args->traffic, &peers->a[i]))
            continue;
        if (add_peer(u, &peers->a[i], err) < 0)
            return -1;
    }
    if (u->n == 0)
        return make_error(err, ERR_INPUT, 0, "peers: none has an address of that family");
    if (nullroute_count(u->metric, &there, err) < 0)
        return -1;
    return there == 0 ? 0
                      : make_error(err, ERR_REFUSED, 0,
                                   "there are routes of protocol %d and metric %u already: see "
                                   "ip route",
                                   (int)NULLROUTE_PROTOCOL, u->metric);
}

static struct nullroute route_of(const struct blackhole_undo *u, uint32_t i)
{
    return (struct nullroute){
        .to = u->to[i], .kind = (enum nullroute_kind)u->kind, .metric = u->metric};
}

/* What is looked up must lead there: a rule, or a route to that very address, may come first. */
static int apply(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct blackhole_undo *u = (const struct blackhole_undo *)undo->data;
    (void)host, (void)data;
    for (uint32_t i = 0; i < u->n; i++) {
        struct nullroute r = route_of(u, i);
        char text[64];
        bool holds;
        if (nullroute_add(&r, err) < 0 || nullroute_holds(&r.to, &holds, err) < 0)
            return -1;
        if (!holds)
            return make_error(err, ERR_REFUSED, 0,
                              "another route to %s, or a rule, comes before: see ip route get %s",
                              addr_print(&r.to, text, sizeof(text)), text);
    }
    return 0;
}

static const struct blackhole_undo *undo_read(const struct undo *undo, struct err *err)
{
    const struct blackhole_undo *u =
        undo_record(undo, UNDO_VERSION, sizeof(struct blackhole_undo), err);
    if (u == NULL || (u->n <= ROUTES_MAX && u->kind <= NULLROUTE_PROHIBIT))
        return u;
    (void)make_error(err, ERR_DIRTY, 0, "the undo record is damaged");
    return NULL;
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct blackhole_undo *u = undo_read(undo, err);
    uint32_t there;
    (void)host;
    if (u == NULL || nullroute_count(u->metric, &there, err) < 0)
        return -1;
    *ret_active = there != 0 && there == u->n;
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct blackhole_undo *u = undo_read(undo, err);
    uint32_t there, held = 0;
    (void)host;
    if (u == NULL || nullroute_count(u->metric, &there, err) < 0)
        return -1;
    for (uint32_t i = 0; there != 0 && i < u->n; i++) {
        bool holds;
        if (nullroute_holds(&u->to[i], &holds, err) < 0)
            return -1;
        held += holds;
    }
    *ret = (struct evidence){.n = 2, .proven = held != 0 && held == u->n && there == u->n};
    ret->items[0] = (struct evidence_item){"unreachable", held};
    ret->items[1] = (struct evidence_item){"routes", there};
    (void)snprintf(ret->what, sizeof(ret->what), "%u of %u routes hold: looked up as %s", held,
                   u->n, answers[u->kind]);
    return 0;
}

/* Only what bears our number and metric: a route that somebody put in its place stays. */
static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct blackhole_undo *u = undo_read(undo, err);
    (void)host;
    *ret = (struct revert_report){0};
    if (u == NULL)
        return -1;
    for (uint32_t i = 0; i < u->n; i++) {
        struct nullroute r = route_of(u, i);
        if (nullroute_delete(&r, err) == 0)
            continue;
        (void)snprintf(ret->manual, sizeof(ret->manual),
                       "ip route flush proto %d; ip -6 route flush proto %d",
                       (int)NULLROUTE_PROTOCOL, (int)NULLROUTE_PROTOCOL);
        return -1;
    }
    (void)snprintf(ret->what, sizeof(ret->what), "%u routes removed", u->n);
    return 0;
}

const struct fault fault_network_blackhole = {
    .name = "network.blackhole",
    .summary = "Lose the way to hosts: a route that leads nowhere.",
    .doc =
        "Adds, for each address of the peers, a route to it that leads nowhere, in the host's "
        "main table. What the host sends there fails at once, also on connections that are "
        "established; what the peers send still arrives, and is not answered. The routes bear "
        "protocol number 181 and a metric of their own; no other route is touched. To a network "
        "two "
        "lead, one to each half of it, and so come before a route to the whole. Refused where "
        "another route to that very address, or to a part of that network, or a routing rule, "
        "comes before. A route knows nothing of ports and protocols, and has one direction, out: "
        "for those there is network.partition, and network.reject, whose senders are told too.",
    .example = "- fault: network.blackhole\n"
               "  hosts: n1\n"
               "  peers: {label: member}\n"
               "  for: 10s\n",
    .footprint = "routes of protocol 181 to the peers' addresses",
    .touches = TOUCHES_KERNEL,
    .caps = UINT64_C(1) << CAP_NET_ADMIN,
    .lifetime = LIFETIME_GUARDIAN,
    .evidence_class = EVIDENCE_STATE,
    .bound_ms = BOUND_MS,
    FAULT_PARAMS(struct args, params),
    .check = network_peers_check,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
