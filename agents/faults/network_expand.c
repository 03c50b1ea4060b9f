/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"

#include "agents/netlink/nft.h"
#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

const char *const network_protocols[] = {
    [NFT_PROTO_ANY] = "any",   [NFT_PROTO_TCP] = "tcp",   [NFT_PROTO_UDP] = "udp",
    [NFT_PROTO_SCTP] = "sctp", [NFT_PROTO_ICMP] = "icmp", NULL};
const char *const network_families[] = {
    [NETWORK_ANY] = "any", [NETWORK_IPV4] = "ipv4", [NETWORK_IPV6] = "ipv6", NULL};
const char *const network_directions[] = {
    [NETWORK_BOTH] = "both", [NETWORK_IN] = "in", [NETWORK_OUT] = "out", NULL};

static bool is_loopback(const struct addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == 4 ? a->prefix >= 8 && a->ip[0] == 127
                          : a->prefix == 128 && memcmp(a->ip, one, sizeof(one)) == 0;
}

/* A network that holds more than that is meant for the rest of it. */
int network_peers_check(const void *data, struct err *err)
{
    const struct network_traffic *args = data;
    char text[64];
    for (uint32_t i = 0; i < args->peers.n; i++)
        if (is_loopback(&args->peers.a[i]))
            return make_error_hint(err, ERR_INPUT, "fiu.* reach calls to it",
                                   "peers: %s never leaves its host, and no network fault touches "
                                   "the loopback interface",
                                   addr_print(&args->peers.a[i], text, sizeof(text)));
    return 0;
}

int network_check(const void *data, struct err *err)
{
    const struct network_traffic *args = data;
    if (network_peers_check(data, err) < 0)
        return -1;
    if (args->protocol == NFT_PROTO_ICMP && args->ports.n != 0)
        return make_error(err, ERR_INPUT, 0,
                          "ports: icmp has none; leave out ports, or choose protocol tcp or udp");
    return 0;
}

static bool is_named(const struct expand_host *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

static bool is_host(const struct expand_in *in, const char *name)
{
    return is_named(in->hosts, in->n_hosts, name);
}

static bool is_peer(const struct expand_in *in, const char *name)
{
    return is_named(in->peers, in->n_peers, name);
}

static bool is_meant(const struct network_traffic *args, const struct addr *a)
{
    return args->family == NETWORK_ANY || a->family == (args->family == NETWORK_IPV4 ? 4 : 6);
}

static int add_addrs(struct network_traffic *args, const struct expand_host *from, struct err *err)
{
    if (from->n_addrs == 0)
        return make_error(err, ERR_INPUT, 0, "peers: %s has no address", from->name);
    uint32_t before = args->peers.n;
    for (size_t i = 0; i < from->n_addrs; i++) {
        if (!is_meant(args, &from->addrs[i]))
            continue;
        if (args->peers.n == ADDRS_MAX)
            return make_error(err, ERR_LIMIT, 0, "peers: more than %d addresses", (int)ADDRS_MAX);
        args->peers.a[args->peers.n++] = from->addrs[i];
    }
    if (args->peers.n == before)
        return make_error(err, ERR_INPUT, 0, "peers: %s has no %s address", from->name,
                          args->family == NETWORK_IPV4 ? "IPv4" : "IPv6");
    return 0;
}

/* All that one host must no longer receive, as one injection at its own end. */
static int add_receiver(const struct expand_in *in, const struct expand_out *out,
                        const struct expand_host *receiver, struct network_traffic *args,
                        struct err *err)
{
    const struct network_traffic *asked = in->args;
    args->peers.n = 0;
    args->direction = NETWORK_IN;
    bool host = is_host(in, receiver->name), peer = is_peer(in, receiver->name);
    if (host && asked->direction != NETWORK_OUT)
        for (size_t i = 0; i < in->n_peers; i++)
            if (strcmp(in->peers[i].name, receiver->name) != 0 &&
                add_addrs(args, &in->peers[i], err) < 0)
                return -1;
    if (peer && asked->direction != NETWORK_IN)
        for (size_t i = 0; i < in->n_hosts; i++) {
            const char *name = in->hosts[i].name;
            bool counted = host && asked->direction == NETWORK_BOTH && is_peer(in, name);
            if (!counted && strcmp(name, receiver->name) != 0 &&
                add_addrs(args, &in->hosts[i], err) < 0)
                return -1;
        }
    return args->peers.n == 0 ? 0 : out->add(out->ctx, receiver->name, args, err);
}

/* What a host must no longer send to peers that have no agent to drop it at their own end. */
static int add_sender(const struct expand_in *in, const struct expand_out *out,
                      const struct expand_host *sender, struct network_traffic *args,
                      struct err *err)
{
    args->peers.n = 0;
    args->direction = NETWORK_OUT;
    for (size_t i = 0; i < in->n_peers; i++)
        if (!in->peers[i].has_agent && strcmp(in->peers[i].name, sender->name) != 0 &&
            add_addrs(args, &in->peers[i], err) < 0)
            return -1;
    return args->peers.n == 0 ? 0 : out->add(out->ctx, sender->name, args, err);
}

/* Nobody named: everyone, which can only be dropped at the host's own end. */
static int expand_everyone(const struct expand_in *in, const struct expand_out *out,
                           struct network_traffic *args, struct err *err)
{
    static const int ways[] = {NETWORK_IN, NETWORK_OUT};
    int asked = args->direction;
    for (size_t i = 0; i < in->n_hosts; i++)
        for (size_t way = 0; way < 2; way++) {
            if (asked != NETWORK_BOTH && asked != ways[way])
                continue;
            args->direction = ways[way];
            if (out->add(out->ctx, in->hosts[i].name, args, err) < 0)
                return -1;
        }
    return 0;
}

static int expand_peers(const struct expand_in *in, const struct expand_out *out,
                        struct network_traffic *args, struct err *err)
{
    const struct network_traffic *asked = in->args;
    for (size_t i = 0; i < in->n_hosts; i++) {
        if (add_receiver(in, out, &in->hosts[i], args, err) < 0)
            return -1;
        if (asked->direction != NETWORK_IN && add_sender(in, out, &in->hosts[i], args, err) < 0)
            return -1;
    }
    for (size_t i = 0; asked->direction != NETWORK_IN && i < in->n_peers; i++)
        if (in->peers[i].has_agent && !is_host(in, in->peers[i].name) &&
            add_receiver(in, out, &in->peers[i], args, err) < 0)
            return -1;
    return 0;
}

/* What a host sends is what its peers receive, and the other way round. */
struct swap {
    const struct expand_out *out;
    struct network_traffic *args;
    size_t size;
};

static void swap_direction(struct network_traffic *args)
{
    static const int swapped[] = {
        [NETWORK_BOTH] = NETWORK_BOTH, [NETWORK_IN] = NETWORK_OUT, [NETWORK_OUT] = NETWORK_IN};
    args->direction = swapped[args->direction];
}

static int add_swapped(void *ctx, const char *host, const void *args, struct err *err)
{
    struct swap *s = ctx;
    memcpy(s->args, args, s->size);
    swap_direction(s->args);
    return s->out->add(s->out->ctx, host, s->args, err);
}

int network_expand_senders(const struct expand_in *in, const struct expand_out *out,
                           struct err *err)
{
    CLEANUP_FREE struct network_traffic *asked = malloc(in->args_size);
    CLEANUP_FREE struct network_traffic *made = malloc(in->args_size);
    if (asked == NULL || made == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "expand a network fault");
    memcpy(asked, in->args, in->args_size);
    swap_direction(asked);
    struct swap s = {.out = out, .args = made, .size = in->args_size};
    struct expand_in swapped = *in;
    swapped.args = asked;
    const struct expand_out to = {.ctx = &s, .add = add_swapped};
    return network_expand(&swapped, &to, err);
}

/* Those peers of a host whose pair with it no other host has had. */
static int add_pairs(const struct expand_in *in, const struct expand_out *out, size_t host,
                     struct network_traffic *args, struct err *err)
{
    const char *name = in->hosts[host].name;
    args->peers.n = 0;
    for (size_t i = 0; i < in->n_peers; i++) {
        const struct expand_host *peer = &in->peers[i];
        bool had = is_peer(in, name) && is_named(in->hosts, host, peer->name);
        if (!had && strcmp(peer->name, name) != 0 && add_addrs(args, peer, err) < 0)
            return -1;
    }
    return args->peers.n == 0 ? 0 : out->add(out->ctx, name, args, err);
}

int network_expand_pairs(const struct expand_in *in, const struct expand_out *out, struct err *err)
{
    CLEANUP_FREE struct network_traffic *args = malloc(in->args_size);
    if (args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "expand a network fault");
    memcpy(args, in->args, in->args_size);
    for (size_t i = 0; i < in->n_hosts; i++) {
        int rc = in->n_peers == 0 ? out->add(out->ctx, in->hosts[i].name, args, err)
                                  : add_pairs(in, out, i, args, err);
        if (rc < 0)
            return -1;
    }
    return 0;
}

int network_expand(const struct expand_in *in, const struct expand_out *out, struct err *err)
{
    CLEANUP_FREE struct network_traffic *args = malloc(in->args_size);
    if (args == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "expand a network fault");
    memcpy(args, in->args, in->args_size);
    if (in->n_peers == 0)
        return expand_everyone(in, out, args, err);
    for (size_t i = 0; i < in->n_hosts; i++)
        if (in->n_peers == 1 && strcmp(in->peers[0].name, in->hosts[i].name) == 0)
            return make_error(err, ERR_INPUT, 0, "peers: %s is the only peer of itself",
                              in->hosts[i].name);
    return expand_peers(in, out, args, err);
}
