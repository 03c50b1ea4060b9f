/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nfttraffic.h"

#include <stdlib.h>
#include <string.h>

struct nft_traffic {
    bool in, out;
    uint8_t family;
    enum nft_protocol protocol;
    struct ports ports;
    uint32_t n_peers; /* 0: everyone */
    struct addr peers[];
};

struct nft_traffic *nfttraffic_copy(const struct nft_injection *in)
{
    struct nft_traffic *t = calloc(1, sizeof(*t) + in->peers->n * sizeof(t->peers[0]));
    if (t == NULL)
        return NULL;
    t->in = in->in;
    t->out = in->out;
    t->family = in->family;
    t->protocol = in->protocol;
    t->ports = *in->ports;
    t->n_peers = in->peers->n;
    memcpy(t->peers, in->peers->a, in->peers->n * sizeof(t->peers[0]));
    return t;
}

static bool addrs_meet(const struct addr *a, const struct addr *b)
{
    uint8_t bits = a->prefix < b->prefix ? a->prefix : b->prefix;
    size_t whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);
    return a->family == b->family && memcmp(a->ip, b->ip, whole) == 0 &&
           (mask == 0 || ((a->ip[whole] ^ b->ip[whole]) & mask) == 0);
}

static bool peers_meet(const struct nft_traffic *t, const struct addrs *peers)
{
    if (t->n_peers == 0 || peers->n == 0)
        return true;
    for (uint32_t i = 0; i < t->n_peers; i++)
        for (uint32_t k = 0; k < peers->n; k++)
            if (addrs_meet(&t->peers[i], &peers->a[k]))
                return true;
    return false;
}

static bool ports_meet(const struct ports *a, const struct ports *b)
{
    if (a->n == 0 || b->n == 0)
        return true;
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++)
            if (a->r[i].lo <= b->r[k].hi && b->r[k].lo <= a->r[i].hi)
                return true;
    return false;
}

/* With ports, any protocol means those that have them. */
static bool protocols_meet(enum nft_protocol a, bool a_ports, enum nft_protocol b, bool b_ports)
{
    if (a == NFT_PROTO_ANY || b == NFT_PROTO_ANY)
        return !(a == NFT_PROTO_ICMP && b_ports) && !(b == NFT_PROTO_ICMP && a_ports);
    return a == b;
}

bool nfttraffic_meets(const struct nft_traffic *t, const struct nft_injection *in)
{
    return ((t->in && in->in) || (t->out && in->out)) &&
           (t->family == 0 || in->family == 0 || t->family == in->family) &&
           protocols_meet(t->protocol, t->ports.n != 0, in->protocol, in->ports->n != 0) &&
           ports_meet(&t->ports, in->ports) && peers_meet(t, in->peers);
}
