/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nftexpr.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

enum { TCP_FLAGS_OFFSET = 13 };

/* Each is an item {name, data}. */
struct expr {
    struct nlmsghdr *nlh;
    struct nlattr *item, *data;
};

static struct expr expr_begin(struct nlmsghdr *nlh, const char *name)
{
    struct expr e = {.nlh = nlh, .item = mnl_attr_nest_start(nlh, NFTA_LIST_ELEM)};
    mnl_attr_put_strz(nlh, NFTA_EXPR_NAME, name);
    e.data = mnl_attr_nest_start(nlh, NFTA_EXPR_DATA);
    return e;
}

static void expr_end(struct expr e)
{
    mnl_attr_nest_end(e.nlh, e.data);
    mnl_attr_nest_end(e.nlh, e.item);
}

static void expr_put(struct expr e, uint16_t type, uint32_t value)
{
    mnl_attr_put_u32(e.nlh, type, htonl(value));
}

static void expr_value(struct expr e, uint16_t type, const void *data, size_t len)
{
    struct nlattr *nest = mnl_attr_nest_start(e.nlh, type);
    mnl_attr_put(e.nlh, NFTA_DATA_VALUE, len, data);
    mnl_attr_nest_end(e.nlh, nest);
}

void nftexpr_meta(struct nlmsghdr *nlh, uint32_t key)
{
    struct expr e = expr_begin(nlh, "meta");
    expr_put(e, NFTA_META_KEY, key);
    expr_put(e, NFTA_META_DREG, NFT_REG_1);
    expr_end(e);
}

static void put_meta_set(struct nlmsghdr *nlh, uint32_t key)
{
    struct expr e = expr_begin(nlh, "meta");
    expr_put(e, NFTA_META_KEY, key);
    expr_put(e, NFTA_META_SREG, NFT_REG_1);
    expr_end(e);
}

/* The register, and mask, xor value. */
static void put_bitwise(struct nlmsghdr *nlh, uint32_t mask, uint32_t xor)
{
    struct expr e = expr_begin(nlh, "bitwise");
    expr_put(e, NFTA_BITWISE_SREG, NFT_REG_1);
    expr_put(e, NFTA_BITWISE_DREG, NFT_REG_1);
    expr_put(e, NFTA_BITWISE_LEN, sizeof(mask));
    expr_value(e, NFTA_BITWISE_MASK, &mask, sizeof(mask));
    expr_value(e, NFTA_BITWISE_XOR, &xor, sizeof(xor));
    expr_end(e);
}

void nftexpr_payload(struct nlmsghdr *nlh, uint32_t base, uint32_t offset, uint32_t len)
{
    struct expr e = expr_begin(nlh, "payload");
    expr_put(e, NFTA_PAYLOAD_DREG, NFT_REG_1);
    expr_put(e, NFTA_PAYLOAD_BASE, base);
    expr_put(e, NFTA_PAYLOAD_OFFSET, offset);
    expr_put(e, NFTA_PAYLOAD_LEN, len);
    expr_end(e);
}

void nftexpr_cmp(struct nlmsghdr *nlh, uint32_t op, const void *data, size_t len)
{
    struct expr e = expr_begin(nlh, "cmp");
    expr_put(e, NFTA_CMP_SREG, NFT_REG_1);
    expr_put(e, NFTA_CMP_OP, op);
    expr_value(e, NFTA_CMP_DATA, data, len);
    expr_end(e);
}

void nftexpr_lookup(struct nlmsghdr *nlh, const char *set)
{
    struct expr e = expr_begin(nlh, "lookup");
    mnl_attr_put_strz(nlh, NFTA_LOOKUP_SET, set);
    expr_put(e, NFTA_LOOKUP_SREG, NFT_REG_1);
    expr_end(e);
}

/* A number below NFT_ALL_PPM, drawn for each packet; cmp compares as big-endian. */
void nftexpr_draw(struct nlmsghdr *nlh, uint32_t share)
{
    struct expr e = expr_begin(nlh, "numgen");
    expr_put(e, NFTA_NG_DREG, NFT_REG_1);
    expr_put(e, NFTA_NG_MODULUS, NFT_ALL_PPM);
    expr_put(e, NFTA_NG_TYPE, NFT_NG_RANDOM);
    expr_put(e, NFTA_NG_OFFSET, 0);
    expr_end(e);
    e = expr_begin(nlh, "byteorder");
    expr_put(e, NFTA_BYTEORDER_SREG, NFT_REG_1);
    expr_put(e, NFTA_BYTEORDER_DREG, NFT_REG_1);
    expr_put(e, NFTA_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    expr_put(e, NFTA_BYTEORDER_LEN, 4);
    expr_put(e, NFTA_BYTEORDER_SIZE, 4);
    expr_end(e);
    uint32_t limit = htonl(share);
    nftexpr_cmp(nlh, NFT_CMP_LT, &limit, sizeof(limit));
}

void nftexpr_counter(struct nlmsghdr *nlh)
{
    expr_end(expr_begin(nlh, "counter"));
}

void nftexpr_verdict(struct nlmsghdr *nlh, uint32_t code)
{
    struct expr e = expr_begin(nlh, "immediate");
    expr_put(e, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    struct nlattr *data = mnl_attr_nest_start(nlh, NFTA_IMMEDIATE_DATA);
    struct nlattr *verdict = mnl_attr_nest_start(nlh, NFTA_DATA_VERDICT);
    mnl_attr_put_u32(nlh, NFTA_VERDICT_CODE, htonl(code));
    mnl_attr_nest_end(nlh, verdict);
    mnl_attr_nest_end(nlh, data);
    expr_end(e);
}

static void put_drop(struct nlmsghdr *nlh, const struct nft_action *action,
                     enum nft_queue_form form)
{
    (void)action, (void)form;
    nftexpr_verdict(nlh, NF_DROP);
}

static void put_forward(struct nlmsghdr *nlh, const struct nft_action *action,
                        enum nft_queue_form form)
{
    (void)form;
    struct expr e = expr_begin(nlh, "immediate");
    expr_put(e, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    expr_value(e, NFTA_IMMEDIATE_DATA, &action->link, sizeof(action->link));
    expr_end(e);
    e = expr_begin(nlh, "fwd");
    expr_put(e, NFTA_FWD_SREG_DEV, NFT_REG_1);
    expr_end(e);
}

void nftexpr_not_a_copy(struct nlmsghdr *nlh)
{
    static const uint32_t none = 0;
    nftexpr_meta(nlh, NFT_META_MARK);
    put_bitwise(nlh, NFTEXPR_COPY_MARK, 0);
    nftexpr_cmp(nlh, NFT_CMP_EQ, &none, sizeof(none));
}

/* Out of the device where the packet is leaving: the copy comes by the same hook again. */
static void put_duplicate(struct nlmsghdr *nlh, const struct nft_action *action,
                          enum nft_queue_form form)
{
    (void)action, (void)form;
    nftexpr_meta(nlh, NFT_META_MARK);
    put_bitwise(nlh, ~(uint32_t)NFTEXPR_COPY_MARK, NFTEXPR_COPY_MARK);
    put_meta_set(nlh, NFT_META_MARK);
    nftexpr_meta(nlh, NFT_META_OIF);
    struct expr e = expr_begin(nlh, "dup");
    expr_put(e, NFTA_DUP_SREG_DEV, NFT_REG_1);
    expr_end(e);
    nftexpr_meta(nlh, NFT_META_MARK);
    put_bitwise(nlh, ~(uint32_t)NFTEXPR_COPY_MARK, 0);
    put_meta_set(nlh, NFT_META_MARK);
    nftexpr_verdict(nlh, NF_ACCEPT); /* not twice, when both its ports are meant */
}

/* With nobody listening the packet goes on, in either form. */
static void put_queue(struct nlmsghdr *nlh, const struct nft_action *action,
                      enum nft_queue_form form)
{
    if (form == NFT_QUEUE_NATIVE) {
        struct expr e = expr_begin(nlh, "queue");
        mnl_attr_put_u16(nlh, NFTA_QUEUE_NUM, htons(action->queue));
        mnl_attr_put_u16(nlh, NFTA_QUEUE_TOTAL, htons(1));
        mnl_attr_put_u16(nlh, NFTA_QUEUE_FLAGS, htons(NFT_QUEUE_FLAG_BYPASS));
        expr_end(e);
        return;
    }
    union {
        struct xt_NFQ_info_v3 nfq;
        uint64_t align; /* the kernel's XT_ALIGN of it */
    } info = {.align = 0};
    info.nfq.queuenum = action->queue;
    info.nfq.queues_total = 1;
    info.nfq.flags = NFQ_FLAG_BYPASS;
    struct expr e = expr_begin(nlh, "target");
    mnl_attr_put_strz(nlh, NFTA_TARGET_NAME, "NFQUEUE");
    expr_put(e, NFTA_TARGET_REV, 3);
    mnl_attr_put(nlh, NFTA_TARGET_INFO, sizeof(info), &info);
    expr_end(e);
}

void nftexpr_is_tcp(struct nlmsghdr *nlh)
{
    static const uint8_t tcp = IPPROTO_TCP;
    nftexpr_meta(nlh, NFT_META_L4PROTO);
    nftexpr_cmp(nlh, NFT_CMP_EQ, &tcp, sizeof(tcp));
    /* The register holds the one byte in front, whatever this machine's order of bytes. */
    static const union {
        uint8_t bytes[4];
        uint32_t value;
    } rst = {.bytes = {TH_RST}};
    static const uint8_t none = 0;
    nftexpr_payload(nlh, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS_OFFSET, 1);
    put_bitwise(nlh, rst.value, 0);
    nftexpr_cmp(nlh, NFT_CMP_EQ, &none, sizeof(none));
}

void nftexpr_is_not_tcp(struct nlmsghdr *nlh)
{
    static const uint8_t tcp = IPPROTO_TCP;
    nftexpr_meta(nlh, NFT_META_L4PROTO);
    nftexpr_cmp(nlh, NFT_CMP_NEQ, &tcp, sizeof(tcp));
}

void nftexpr_reset(struct nlmsghdr *nlh)
{
    struct expr e = expr_begin(nlh, "reject");
    expr_put(e, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
    expr_end(e);
}

static void put_reject(struct nlmsghdr *nlh, const struct nft_action *action,
                       enum nft_queue_form form)
{
    (void)form;
    struct expr e = expr_begin(nlh, "reject");
    expr_put(e, NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH);
    mnl_attr_put_u8(nlh, NFTA_REJECT_ICMP_CODE, (uint8_t)action->why);
    expr_end(e);
}

void nftexpr_action(struct nlmsghdr *nlh, const struct nft_action *action, enum nft_queue_form form)
{
    static void (*const put[])(struct nlmsghdr *, const struct nft_action *,
                               enum nft_queue_form) = {
        [NFT_DROP] = put_drop,   [NFT_FORWARD] = put_forward, [NFT_DUPLICATE] = put_duplicate,
        [NFT_QUEUE] = put_queue, [NFT_REJECT] = put_reject,   [NFT_REJECT_ROUTED] = put_reject,
    };
    put[action->verdict](nlh, action, form);
}
