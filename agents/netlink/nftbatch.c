/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nftbatch.h"

#include "agents/netlink/attr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_ROOM = 8192,
    ELEMENTS_ROOM = 60000, /* an attribute is at most 64 kB long, a list of elements is one */
    ELEMENT_ROOM = 64
};

/* length in bytes, and the number by which the nft command knows the type */
static const struct {
    uint32_t len, type;
} keys[] = {
    [NFTBATCH_IPV4] = {4, 7},   [NFTBATCH_IPV6] = {16, 8}, [NFTBATCH_ETHERTYPE] = {2, 10},
    [NFTBATCH_PROTO] = {1, 12}, [NFTBATCH_PORT] = {2, 13},
};

static const uint16_t lease_types[] = {ETH_P_IP, ETH_P_IPV6};

static void close_last(struct nftbatch *b)
{
    if (b->last != NULL)
        b->len += ATTR_ALIGN(b->last->nlmsg_len);
    b->last = NULL;
}

static struct nlmsghdr *open_message(struct nftbatch *b, uint16_t type, uint16_t flags,
                                     uint8_t family, uint16_t res_id, const char *what)
{
    close_last(b);
    if (b->full || b->n == NFTBATCH_MESSAGES || b->size - b->len < MESSAGE_ROOM) {
        b->full = true;
        return NULL;
    }
    struct nlmsghdr *nlh = mnl_nlmsg_put_header(b->data + b->len);
    nlh->nlmsg_type = type;
    nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    nlh->nlmsg_seq = b->seq + b->n;
    struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
    nfg->nfgen_family = family;
    nfg->version = NFNETLINK_V0;
    nfg->res_id = htons(res_id);
    b->what[b->n++] = what;
    b->last = nlh;
    return nlh;
}

void nftbatch_begin(struct nftbatch *b, void *data, size_t size, uint32_t seq, uint8_t family,
                    const char *table)
{
    *b =
        (struct nftbatch){.data = data, .size = size, .seq = seq, .family = family, .table = table};
    (void)open_message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, "the batch");
}

bool nftbatch_end(struct nftbatch *b)
{
    /* The kernel reports every message that failed; of those that did not, one word is enough. */
    if (b->last != NULL)
        b->last->nlmsg_flags |= NLM_F_ACK;
    (void)open_message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES, "the batch");
    close_last(b);
    return !b->full;
}

const char *nftbatch_what(const struct nftbatch *b, uint32_t seq)
{
    return seq - b->seq < b->n ? b->what[seq - b->seq] : "the batch";
}

struct nlmsghdr *nftbatch_message(struct nftbatch *b, uint16_t type, uint16_t flags,
                                  const char *what)
{
    return open_message(b, (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type), flags, b->family, 0,
                        what);
}

void nftbatch_add_table(struct nftbatch *b)
{
    struct nlmsghdr *nlh = nftbatch_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, "add table");
    if (nlh == NULL)
        return;
    mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, b->table);
    mnl_attr_put_u32(nlh, NFTA_TABLE_FLAGS, htonl(NFT_TABLE_F_OWNER));
}

void nftbatch_delete_table(struct nftbatch *b)
{
    struct nlmsghdr *nlh = nftbatch_message(b, NFT_MSG_DELTABLE, 0, "delete table");
    if (nlh != NULL)
        mnl_attr_put_strz(nlh, NFTA_TABLE_NAME, b->table);
}

static void delete_of_chain(struct nftbatch *b, uint16_t type, uint16_t table_attr,
                            uint16_t chain_attr, const char *chain, const char *what)
{
    struct nlmsghdr *nlh = nftbatch_message(b, type, 0, what);
    if (nlh == NULL)
        return;
    mnl_attr_put_strz(nlh, table_attr, b->table);
    mnl_attr_put_strz(nlh, chain_attr, chain);
}

void nftbatch_delete_chain(struct nftbatch *b, const char *chain)
{
    delete_of_chain(b, NFT_MSG_DELCHAIN, NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME, chain, "delete chain");
}

void nftbatch_delete_rules(struct nftbatch *b, const char *chain)
{
    delete_of_chain(b, NFT_MSG_DELRULE, NFTA_RULE_TABLE, NFTA_RULE_CHAIN, chain, "delete rules");
}

void nftbatch_delete_set(struct nftbatch *b, const char *set)
{
    struct nlmsghdr *nlh = nftbatch_message(b, NFT_MSG_DELSET, 0, "delete set");
    if (nlh == NULL)
        return;
    mnl_attr_put_strz(nlh, NFTA_SET_TABLE, b->table);
    mnl_attr_put_strz(nlh, NFTA_SET_NAME, set);
}

void nftbatch_add_set(struct nftbatch *b, const char *set, enum nftbatch_key key, uint32_t flags,
                      uint32_t size)
{
    struct nlmsghdr *nlh =
        nftbatch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL, "add set");
    if (nlh == NULL)
        return;
    mnl_attr_put_strz(nlh, NFTA_SET_TABLE, b->table);
    mnl_attr_put_strz(nlh, NFTA_SET_NAME, set);
    mnl_attr_put_u32(nlh, NFTA_SET_FLAGS, htonl(flags));
    mnl_attr_put_u32(nlh, NFTA_SET_KEY_TYPE, htonl(keys[key].type));
    mnl_attr_put_u32(nlh, NFTA_SET_KEY_LEN, htonl(keys[key].len));
    mnl_attr_put_u32(nlh, NFTA_SET_ID, htonl(b->n));
    if (size != 0) {
        /* A known size lets the kernel take its fixed hash, the cheapest to fill. */
        struct nlattr *desc = mnl_attr_nest_start(nlh, NFTA_SET_DESC);
        mnl_attr_put_u32(nlh, NFTA_SET_DESC_SIZE, htonl(size));
        mnl_attr_nest_end(nlh, desc);
    }
}

struct elements {
    struct nftbatch *b;
    const char *set, *what;
    uint16_t type, flags;
    struct nlmsghdr *nlh; /* NULL: none is open, or the batch is full */
    struct nlattr *list;
};

static void elements_close(struct elements *e)
{
    if (e->nlh != NULL)
        mnl_attr_nest_end(e->nlh, e->list);
    e->nlh = NULL;
}

/* Makes sure that one more element fits where the list stands. */
static bool elements_room(struct elements *e)
{
    if (e->nlh != NULL) {
        size_t used = e->nlh->nlmsg_len;
        if (used < ELEMENTS_ROOM && e->b->size - e->b->len - used > ELEMENT_ROOM)
            return true;
    }
    elements_close(e);
    e->nlh = nftbatch_message(e->b, e->type, e->flags, e->what);
    if (e->nlh == NULL)
        return false;
    mnl_attr_put_strz(e->nlh, NFTA_SET_ELEM_LIST_TABLE, e->b->table);
    mnl_attr_put_strz(e->nlh, NFTA_SET_ELEM_LIST_SET, e->set);
    e->list = mnl_attr_nest_start(e->nlh, NFTA_SET_ELEM_LIST_ELEMENTS);
    return true;
}

static void element_put(struct elements *e, const void *key, size_t len, uint32_t flags,
                        int64_t timeout_ms)
{
    if (!elements_room(e))
        return;
    struct nlattr *item = mnl_attr_nest_start(e->nlh, NFTA_LIST_ELEM);
    struct nlattr *value = mnl_attr_nest_start(e->nlh, NFTA_SET_ELEM_KEY);
    mnl_attr_put(e->nlh, NFTA_DATA_VALUE, len, key);
    mnl_attr_nest_end(e->nlh, value);
    if (flags != 0)
        mnl_attr_put_u32(e->nlh, NFTA_SET_ELEM_FLAGS, htonl(flags));
    if (timeout_ms != 0)
        mnl_attr_put_u64(e->nlh, NFTA_SET_ELEM_TIMEOUT, htobe64((uint64_t)timeout_ms));
    mnl_attr_nest_end(e->nlh, item);
}

static struct elements elements_new(struct nftbatch *b, const char *set)
{
    return (struct elements){.b = b,
                             .set = set,
                             .what = "add elements",
                             .type = NFT_MSG_NEWSETELEM,
                             .flags = NLM_F_CREATE};
}

void nftbatch_add_elements(struct nftbatch *b, const char *set, const void *data, size_t len,
                           size_t n)
{
    struct elements e = elements_new(b, set);
    for (size_t i = 0; i < n; i++)
        element_put(&e, (const char *)data + i * len, len, 0, 0);
    elements_close(&e);
}

/* The first address behind a prefix; false when there is none, the prefix reaching the end. */
static bool prefix_end(const struct addr *a, unsigned char *ip, size_t len)
{
    memcpy(ip, a->ip, len);
    for (int bit = a->prefix - 1; bit >= 0; bit--) {
        unsigned char mask = (unsigned char)(0x80 >> (bit % 8));
        ip[bit / 8] ^= mask;
        if (ip[bit / 8] & mask)
            return true; /* no carry */
    }
    return false;
}

static void mask_addr(struct addr *a, size_t len)
{
    for (size_t bit = a->prefix; bit < 8 * len; bit++)
        a->ip[bit / 8] &= (unsigned char)~(0x80 >> (bit % 8));
}

/* Intervals must not overlap. Two prefixes are either apart or one lies in the other, so it is
 * enough to leave out what lies in another; of equals the first stays. */
static bool is_covered(const struct addrs *addrs, uint32_t i)
{
    const struct addr *a = &addrs->a[i];
    size_t full = a->family == 4 ? 32 : 128;
    for (uint32_t k = 0; k < addrs->n; k++) {
        const struct addr *net = &addrs->a[k];
        if (k == i || (net->prefix == full && a->prefix == full))
            continue; /* the kernel takes an address that it has already */
        if (addr_contains(net, a) && (net->prefix != a->prefix || k < i))
            return true;
    }
    return false;
}

void nftbatch_add_addrs(struct nftbatch *b, const char *set, const struct addrs *addrs,
                        uint8_t family, bool intervals)
{
    struct elements e = elements_new(b, set);
    size_t len = family == 4 ? 4 : 16;
    for (uint32_t i = 0; i < addrs->n; i++) {
        if (addrs->a[i].family != family)
            continue;
        if (!intervals) {
            element_put(&e, addrs->a[i].ip, len, 0, 0);
            continue;
        }
        struct addr a = addrs->a[i];
        unsigned char end[16];
        if (is_covered(addrs, i))
            continue;
        mask_addr(&a, len);
        element_put(&e, a.ip, len, 0, 0);
        if (prefix_end(&a, end, len))
            element_put(&e, end, len, NFT_SET_ELEM_INTERVAL_END, 0);
    }
    elements_close(&e);
}

static int compare_ranges(const void *a, const void *b)
{
    const struct port_range *x = a, *y = b;
    return (x->lo > y->lo) - (x->lo < y->lo);
}

/* In ascending order, those that overlap or touch joined. */
static uint32_t join_ranges(const struct ports *ports, struct port_range out[PORTS_MAX])
{
    uint32_t n = 0;
    struct ports sorted = *ports;
    qsort(sorted.r, sorted.n, sizeof(sorted.r[0]), compare_ranges);
    for (uint32_t i = 0; i < sorted.n; i++) {
        struct port_range r = sorted.r[i];
        if (n != 0 && r.lo <= out[n - 1].hi + 1) {
            if (r.hi > out[n - 1].hi)
                out[n - 1].hi = r.hi;
        } else {
            out[n++] = r;
        }
    }
    return n;
}

void nftbatch_add_ports(struct nftbatch *b, const char *set, const struct ports *ports)
{
    struct elements e = elements_new(b, set);
    struct port_range ranges[PORTS_MAX];
    uint32_t n = join_ranges(ports, ranges);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t lo = htons(ranges[i].lo), end = htons((uint16_t)(ranges[i].hi + 1));
        element_put(&e, &lo, sizeof(lo), 0, 0);
        if (ranges[i].hi != UINT16_MAX)
            element_put(&e, &end, sizeof(end), NFT_SET_ELEM_INTERVAL_END, 0);
    }
    elements_close(&e);
}

static void put_lease(struct elements *e, int64_t lease_ms)
{
    for (size_t i = 0; i < sizeof(lease_types) / sizeof(lease_types[0]); i++) {
        uint16_t type = htons(lease_types[i]);
        element_put(e, &type, sizeof(type), 0, lease_ms);
    }
    elements_close(e);
}

void nftbatch_add_lease(struct nftbatch *b, const char *set, int64_t lease_ms)
{
    struct elements e = elements_new(b, set);
    e.what = "start lease";
    put_lease(&e, lease_ms);
}

void nftbatch_delete_lease(struct nftbatch *b, const char *set)
{
    struct elements e = elements_new(b, set);
    e.what = "end lease";
    e.type = NFT_MSG_DELSETELEM;
    e.flags = 0;
    put_lease(&e, 0);
}
