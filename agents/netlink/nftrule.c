/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nftrule.h"

#include "agents/netlink/nftexpr.h"

#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

static const char *const part_words[NFTRULE_PARTS] = {
    [NFTRULE_LEASE] = "lease", [NFTRULE_PEERS4] = "peers4", [NFTRULE_PEERS6] = "peers6",
    [NFTRULE_PORTS] = "ports", [NFTRULE_PROTOS] = "protos", [NFTRULE_IN] = "in",
    [NFTRULE_OUT] = "out",
};

/* Before raw and conntrack: a late packet is late for them too, and a refused one is none to them.
 */
enum { BEFORE_CONNECTIONS = -310 };

/* Those that have ports, at the same place in the header. */
static const uint8_t port_protos[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_DCCP, IPPROTO_SCTP,
                                      IPPROTO_UDPLITE};

static const struct family {
    uint16_t ether;
    uint8_t number, icmp, unreachable; /* as ICMP's type */
    enum nftrule_part peers;
    uint32_t addr_len, saddr, daddr; /* offsets in the header */
} families[] = {
    {ETH_P_IP, 4, IPPROTO_ICMP, ICMP_DEST_UNREACH, NFTRULE_PEERS4, 4, 12, 16},
    {ETH_P_IPV6, 6, IPPROTO_ICMPV6, ICMP6_DST_UNREACH, NFTRULE_PEERS6, 16, 8, 24},
};

const char *nftrule_name(char out[NFTRULE_NAME_LEN], const char *id, enum nftrule_part part)
{
    (void)snprintf(out, NFTRULE_NAME_LEN, "%s-%s", id, part_words[part]);
    return out;
}

static bool is_meant(const struct nft_injection *in, uint8_t family)
{
    return in->family == 0 || in->family == family;
}

static bool has_family(const struct nft_injection *in, uint8_t family)
{
    const struct addrs *addrs = in->peers;
    if (!is_meant(in, family))
        return false;
    for (uint32_t i = 0; i < addrs->n; i++)
        if (addrs->a[i].family == family)
            return true;
    return false;
}

uint8_t nftrule_family(const struct nft_injection *in)
{
    enum nft_verdict verdict = in->in ? in->on_in.verdict : in->on_out.verdict;
    bool at_device = verdict != NFT_QUEUE && verdict != NFT_REJECT_ROUTED;
    return at_device ? NFPROTO_NETDEV : NFPROTO_INET;
}

bool nftrule_is_rejection(const struct nft_action *action)
{
    return action->verdict == NFT_REJECT || action->verdict == NFT_REJECT_ROUTED;
}

uint32_t nftrule_parts(const struct nft_injection *in)
{
    uint32_t parts = 1u << NFTRULE_LEASE;
    if (has_family(in, 4))
        parts |= 1u << NFTRULE_PEERS4;
    if (has_family(in, 6))
        parts |= 1u << NFTRULE_PEERS6;
    if (in->ports->n != 0) {
        parts |= 1u << NFTRULE_PORTS;
        if (in->protocol == NFT_PROTO_ANY)
            parts |= 1u << NFTRULE_PROTOS;
    }
    if (in->in)
        parts |= 1u << NFTRULE_IN;
    if (in->out)
        parts |= 1u << NFTRULE_OUT;
    return parts;
}

static void put_lookup(struct nlmsghdr *nlh, const char *id, enum nftrule_part part)
{
    char name[NFTRULE_NAME_LEN];
    nftexpr_lookup(nlh, nftrule_name(name, id, part));
}

static void put_ether(struct nlmsghdr *nlh, const struct family *family)
{
    uint16_t ether = htons(family->ether);
    nftexpr_meta(nlh, NFT_META_PROTOCOL);
    nftexpr_cmp(nlh, NFT_CMP_EQ, &ether, sizeof(ether));
}

static void put_l4proto(struct nlmsghdr *nlh, uint8_t proto)
{
    nftexpr_meta(nlh, NFT_META_L4PROTO);
    nftexpr_cmp(nlh, NFT_CMP_EQ, &proto, sizeof(proto));
}

static void put_protocol(struct nlmsghdr *nlh, const struct nft_injection *in,
                         const struct family *family)
{
    static const uint8_t numbers[] = {[NFT_PROTO_TCP] = IPPROTO_TCP,
                                      [NFT_PROTO_UDP] = IPPROTO_UDP,
                                      [NFT_PROTO_SCTP] = IPPROTO_SCTP};
    if (in->protocol == NFT_PROTO_ICMP) {
        put_l4proto(nlh, family->icmp);
    } else if (in->protocol != NFT_PROTO_ANY) {
        put_l4proto(nlh, numbers[in->protocol]);
    } else if (in->ports->n != 0) {
        nftexpr_meta(nlh, NFT_META_L4PROTO);
        put_lookup(nlh, in->id, NFTRULE_PROTOS);
    }
}

static struct nlmsghdr *rule_begin(struct nftbatch *b, const char *chain, struct nlattr **ret_list)
{
    struct nlmsghdr *nlh =
        nftbatch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, "add rule");
    if (nlh == NULL)
        return NULL;
    mnl_attr_put_strz(nlh, NFTA_RULE_TABLE, b->table);
    mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, chain);
    *ret_list = mnl_attr_nest_start(nlh, NFTA_RULE_EXPRESSIONS);
    return nlh;
}

static void add_icmp_pass(struct nftbatch *b, const char *chain, const struct family *family,
                          uint8_t first, uint8_t last)
{
    struct nlattr *list;
    struct nlmsghdr *nlh = rule_begin(b, chain, &list);
    if (nlh == NULL)
        return;
    put_ether(nlh, family);
    put_l4proto(nlh, family->icmp);
    nftexpr_payload(nlh, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1);
    nftexpr_cmp(nlh, NFT_CMP_GTE, &first, sizeof(first));
    nftexpr_cmp(nlh, NFT_CMP_LTE, &last, sizeof(last));
    nftexpr_verdict(nlh, NF_ACCEPT);
    mnl_attr_nest_end(nlh, list);
}

enum { PORT_NONE = -1, PORT_SOURCE = 0, PORT_DESTINATION = 2 }; /* offsets */

/* Which packets a rule is about, where TCP and the rest are refused differently. */
enum part { PART_ALL, PART_TCP, PART_REST };

/* One chain of an injection, as it is written. */
struct writing {
    struct nftbatch *b;
    const struct nft_injection *in;
    enum nft_queue_form form;
    char chain[NFTRULE_NAME_LEN];
    bool out;
};

/* The ends of a rule: its counter, and what becomes of the packet. */
static void put_end(struct nlmsghdr *nlh, const struct writing *w, enum part part)
{
    const struct nft_action *action = w->out ? &w->in->on_out : &w->in->on_in;
    if (part == PART_TCP)
        nftexpr_is_tcp(nlh);
    if (part == PART_REST)
        nftexpr_is_not_tcp(nlh);
    if (w->in->share < NFT_ALL_PPM)
        nftexpr_draw(nlh, w->in->share);
    nftexpr_counter(nlh);
    if (part == PART_TCP)
        nftexpr_reset(nlh);
    else
        nftexpr_action(nlh, action, w->form);
}

static void add_rule(const struct writing *w, const struct family *family, int port, enum part part)
{
    static const uint16_t loopback = ARPHRD_LOOPBACK;
    const struct nft_injection *in = w->in;
    const struct nft_action *action = w->out ? &in->on_out : &in->on_in;
    struct nlattr *list;
    struct nlmsghdr *nlh = rule_begin(w->b, w->chain, &list);
    if (nlh == NULL)
        return;
    put_ether(nlh, family);
    put_lookup(nlh, in->id, NFTRULE_LEASE);
    if (w->b->family == NFPROTO_INET) { /* this hook is not at a device */
        nftexpr_meta(nlh, NFT_META_IIFTYPE);
        nftexpr_cmp(nlh, NFT_CMP_NEQ, &loopback, sizeof(loopback));
    }
    if (action->verdict == NFT_DUPLICATE)
        nftexpr_not_a_copy(nlh);
    if (in->peers->n != 0) {
        nftexpr_payload(nlh, NFT_PAYLOAD_NETWORK_HEADER, w->out ? family->daddr : family->saddr,
                        family->addr_len);
        put_lookup(nlh, in->id, family->peers);
    }
    put_protocol(nlh, in, family);
    if (port != PORT_NONE) {
        nftexpr_payload(nlh, NFT_PAYLOAD_TRANSPORT_HEADER, (uint32_t)port, 2);
        put_lookup(nlh, in->id, NFTRULE_PORTS);
    }
    put_end(nlh, w, part);
    mnl_attr_nest_end(nlh, list);
}

/* One rule, or where TCP is reset and the rest told, one for each. */
static void add_rules(const struct writing *w, const struct family *family, int port)
{
    const struct nft_injection *in = w->in;
    const struct nft_action *action = w->out ? &in->on_out : &in->on_in;
    if (!nftrule_is_rejection(action) || action->no_reset) {
        add_rule(w, family, port, PART_ALL);
        return;
    }
    if (in->protocol == NFT_PROTO_ANY || in->protocol == NFT_PROTO_TCP)
        add_rule(w, family, port, PART_TCP);
    if (in->protocol != NFT_PROTO_TCP)
        add_rule(w, family, port, PART_REST);
}

/*
 * Before a rule that may match ICMP. Router and neighbour solicitations and advertisements,
 * redirects: without them the peer would stay unreachable after the end, and ARP, which is no IP,
 * passes as well. And where packets are refused the other end's refusals: when both refuse, each
 * must hear it.
 */
static void add_passes(const struct writing *w, const struct family *family)
{
    const struct nft_injection *in = w->in;
    if (in->ports->n != 0 || (in->protocol != NFT_PROTO_ANY && in->protocol != NFT_PROTO_ICMP))
        return;
    if (family->number == 6)
        add_icmp_pass(w->b, w->chain, family, ND_ROUTER_SOLICIT, ND_REDIRECT);
    if (nftrule_is_rejection(&in->on_in))
        add_icmp_pass(w->b, w->chain, family, family->unreachable, family->unreachable);
}

/* Without devices it is a chain that no packet meets. */
static void add_chain(const struct writing *w)
{
    static const int32_t priorities[] = {[NFT_FIRST] = 0, [NFT_COPIES] = 10, [NFT_LINES] = 20};
    const struct nft_devices *devices = w->in->devices;
    bool device = w->b->family == NFPROTO_NETDEV;
    uint32_t device_hook = w->out ? NF_NETDEV_EGRESS : NF_NETDEV_INGRESS;
    int32_t priority = device ? priorities[w->in->order] : BEFORE_CONNECTIONS;
    struct nlmsghdr *nlh =
        nftbatch_message(w->b, NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, "add chain");
    if (nlh == NULL)
        return;
    mnl_attr_put_strz(nlh, NFTA_CHAIN_TABLE, w->b->table);
    mnl_attr_put_strz(nlh, NFTA_CHAIN_NAME, w->chain);
    if (devices->n == 0)
        return;
    mnl_attr_put_strz(nlh, NFTA_CHAIN_TYPE, "filter");
    mnl_attr_put_u32(nlh, NFTA_CHAIN_POLICY, htonl(NF_ACCEPT));
    struct nlattr *nest = mnl_attr_nest_start(nlh, NFTA_CHAIN_HOOK);
    mnl_attr_put_u32(nlh, NFTA_HOOK_HOOKNUM, htonl(device ? device_hook : NF_INET_PRE_ROUTING));
    mnl_attr_put_u32(nlh, NFTA_HOOK_PRIORITY, htonl((uint32_t)priority));
    if (device) {
        struct nlattr *list = mnl_attr_nest_start(nlh, NFTA_HOOK_DEVS);
        for (uint32_t i = 0; i < devices->n; i++)
            mnl_attr_put_strz(nlh, NFTA_DEVICE_NAME, devices->name[i]);
        mnl_attr_nest_end(nlh, list);
    }
    mnl_attr_nest_end(nlh, nest);
}

static void add_direction(struct writing *w, bool out)
{
    const struct nft_injection *in = w->in;
    w->out = out;
    nftrule_name(w->chain, in->id, out ? NFTRULE_OUT : NFTRULE_IN);
    add_chain(w);
    uint32_t parts = nftrule_parts(in);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        const struct family *family = &families[i];
        if (!is_meant(in, family->number) ||
            (in->peers->n != 0 && (parts & (1u << family->peers)) == 0))
            continue;
        add_passes(w, family);
        if (in->ports->n != 0) {
            add_rules(w, family, PORT_SOURCE);
            add_rules(w, family, PORT_DESTINATION);
            continue;
        }
        add_rules(w, family, PORT_NONE);
    }
}

static void add_peers(struct nftbatch *b, const struct nft_injection *in,
                      const struct family *family)
{
    char name[NFTRULE_NAME_LEN];
    uint32_t n = 0;
    bool intervals = false;
    for (uint32_t i = 0; i < in->peers->n; i++) {
        const struct addr *a = &in->peers->a[i];
        if (a->family != family->number)
            continue;
        n++;
        intervals = intervals || a->prefix != 8 * family->addr_len;
    }
    nftrule_name(name, in->id, family->peers);
    nftbatch_add_set(b, name, family->number == 4 ? NFTBATCH_IPV4 : NFTBATCH_IPV6,
                     intervals ? NFT_SET_INTERVAL : 0, intervals ? 2 * n : n);
    nftbatch_add_addrs(b, name, in->peers, family->number, intervals);
}

void nftrule_add(struct nftbatch *b, const struct nft_injection *in, enum nft_queue_form form)
{
    char name[NFTRULE_NAME_LEN];
    uint32_t parts = nftrule_parts(in);
    nftrule_name(name, in->id, NFTRULE_LEASE);
    nftbatch_add_set(b, name, NFTBATCH_ETHERTYPE, NFT_SET_TIMEOUT, 0);
    nftbatch_add_lease(b, name, in->lease_ms);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (parts & (1u << families[i].peers))
            add_peers(b, in, &families[i]);
    if (parts & (1u << NFTRULE_PORTS)) {
        nftrule_name(name, in->id, NFTRULE_PORTS);
        nftbatch_add_set(b, name, NFTBATCH_PORT, NFT_SET_INTERVAL, 2 * in->ports->n);
        nftbatch_add_ports(b, name, in->ports);
    }
    if (parts & (1u << NFTRULE_PROTOS)) {
        nftrule_name(name, in->id, NFTRULE_PROTOS);
        nftbatch_add_set(b, name, NFTBATCH_PROTO, 0, sizeof(port_protos));
        nftbatch_add_elements(b, name, port_protos, 1, sizeof(port_protos));
    }
    struct writing w = {.b = b, .in = in, .form = form};
    if (in->in)
        add_direction(&w, false);
    if (in->out)
        add_direction(&w, true);
}

void nftrule_delete(struct nftbatch *b, const char *id, uint32_t parts, bool keep_chains)
{
    char name[NFTRULE_NAME_LEN];
    for (int part = NFTRULE_PARTS - 1; part >= 0; part--) {
        if ((parts & (1u << part)) == 0)
            continue;
        nftrule_name(name, id, (enum nftrule_part)part);
        if (part != NFTRULE_IN && part != NFTRULE_OUT)
            nftbatch_delete_set(b, name);
        else if (keep_chains)
            nftbatch_delete_rules(b, name);
        else
            nftbatch_delete_chain(b, name);
    }
}
