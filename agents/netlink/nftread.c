/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nftread.h"

#include "agents/netlink/attr.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUEST_MAX = 512, ANSWER_MAX = 32768 };

struct request {
    char data[REQUEST_MAX] __attribute__((aligned(8)));
    struct nlmsghdr *nlh;
};

static void request_begin(struct request *q, struct nftread *r, uint16_t type, uint16_t flags)
{
    q->nlh = mnl_nlmsg_put_header(q->data);
    q->nlh->nlmsg_type = (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
    q->nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    q->nlh->nlmsg_seq = (*r->seq)++;
    struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(q->nlh, sizeof(*nfg));
    nfg->nfgen_family = r->family;
    nfg->version = NFNETLINK_V0;
}

typedef void nftread_visit(void *ctx, const struct nlmsghdr *nlh);

/* One message of an answer; 1: more to come, 0: it was the last. *ret_sys: the kernel's errno. */
static int take_message(const struct nlmsghdr *nlh, nftread_visit *visit, void *ctx, int *ret_sys)
{
    if (nlh->nlmsg_type == NLMSG_ERROR) {
        const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
        *ret_sys = -e->error;
        return 0;
    }
    if (nlh->nlmsg_type == NLMSG_DONE)
        return 0;
    visit(ctx, nlh);
    return (nlh->nlmsg_flags & NLM_F_MULTI) != 0;
}

/* The kernel makes the parts of a dump while we read, so a read never has to wait. */
static int exchange(struct nftread *r, struct request *q, nftread_visit *visit, void *ctx,
                    int *ret_sys, struct err *err)
{
    char answer[ANSWER_MAX] __attribute__((aligned(8)));
    *ret_sys = 0;
    if (send(r->fd, q->data, q->nlh->nlmsg_len, 0) < 0)
        return make_error(err, ERR_SYSTEM, errno, "ask nf_tables");
    for (int more = 1; more != 0;) {
        ssize_t got = recv(r->fd, answer, sizeof(answer), MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return make_error(err, ERR_SYSTEM, errno, "read nf_tables' answer");
        int left = (int)got;
        for (struct nlmsghdr *nlh = (struct nlmsghdr *)answer; more != 0 && mnl_nlmsg_ok(nlh, left);
             nlh = mnl_nlmsg_next(nlh, &left))
            if (nlh->nlmsg_seq == q->nlh->nlmsg_seq)
                more = take_message(nlh, visit, ctx, ret_sys);
    }
    return 0;
}

static void visit_table(void *ctx, const struct nlmsghdr *nlh)
{
    const struct nlattr *owner = attr_find_of(nlh, sizeof(struct nfgenmsg), NFTA_TABLE_OWNER);
    if (owner != NULL)
        *(uint32_t *)ctx = ntohl(mnl_attr_get_u32(owner));
}

int nftread_table(struct nftread *r, bool *ret_there, uint32_t *ret_owner, struct err *err)
{
    struct request q;
    uint32_t owner = 0;
    int sys;
    request_begin(&q, r, NFT_MSG_GETTABLE, 0);
    mnl_attr_put_strz(q.nlh, NFTA_TABLE_NAME, r->table);
    if (exchange(r, &q, visit_table, &owner, &sys, err) < 0)
        return -1;
    if (sys != 0 && sys != ENOENT)
        return make_error(err, ERR_SYSTEM, sys, "read table %s", r->table);
    *ret_there = sys == 0;
    *ret_owner = owner;
    return 0;
}

static void visit_nothing(void *ctx, const struct nlmsghdr *nlh)
{
    (void)ctx;
    (void)nlh;
}

int nftread_chain(struct nftread *r, const char *chain, bool *ret_there, struct err *err)
{
    struct request q;
    int sys;
    request_begin(&q, r, NFT_MSG_GETCHAIN, 0);
    mnl_attr_put_strz(q.nlh, NFTA_CHAIN_TABLE, r->table);
    mnl_attr_put_strz(q.nlh, NFTA_CHAIN_NAME, chain);
    if (exchange(r, &q, visit_nothing, NULL, &sys, err) < 0)
        return -1;
    if (sys != 0 && sys != ENOENT)
        return make_error(err, ERR_SYSTEM, sys, "look for chain %s", chain);
    *ret_there = sys == 0;
    return 0;
}

static uint64_t get_number(const struct nlattr *nest, uint16_t type)
{
    const struct nlattr *attr = attr_find(nest, type);
    return attr != NULL ? be64toh(mnl_attr_get_u64(attr)) : 0;
}

static void visit_rule(void *ctx, const struct nlmsghdr *nlh)
{
    struct nft_reading *sum = ctx;
    const struct nlattr *list = attr_find_of(nlh, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS);
    if (list == NULL)
        return;
    ATTR_EACH (item, list) {
        const struct nlattr *name = attr_find(item, NFTA_EXPR_NAME);
        const struct nlattr *data = attr_find(item, NFTA_EXPR_DATA);
        if (name == NULL || data == NULL || strcmp(mnl_attr_get_str(name), "counter") != 0)
            continue;
        sum->rules++;
        sum->packets += get_number(data, NFTA_COUNTER_PACKETS);
        sum->bytes += get_number(data, NFTA_COUNTER_BYTES);
    }
}

int nftread_counters(struct nftread *r, const char *chain, struct nft_reading *sum, struct err *err)
{
    struct request q;
    int sys;
    uint32_t before = sum->rules;
    request_begin(&q, r, NFT_MSG_GETRULE, NLM_F_DUMP);
    mnl_attr_put_strz(q.nlh, NFTA_RULE_TABLE, r->table);
    mnl_attr_put_strz(q.nlh, NFTA_RULE_CHAIN, chain);
    if (exchange(r, &q, visit_rule, sum, &sys, err) < 0)
        return -1;
    if (sys != 0 && sys != ENOENT)
        return make_error(err, ERR_SYSTEM, sys, "read the rules of chain %s", chain);
    if (sys == ENOENT || sum->rules == before)
        return make_error(err, ERR_NOT_FOUND, 0, "chain %s of table %s has no rules", chain,
                          r->table);
    return 0;
}

struct elements_answer {
    uint32_t n;
    int64_t left_ms;
};

static void visit_elements(void *ctx, const struct nlmsghdr *nlh)
{
    struct elements_answer *a = ctx;
    const struct nlattr *list =
        attr_find_of(nlh, sizeof(struct nfgenmsg), NFTA_SET_ELEM_LIST_ELEMENTS);
    if (list == NULL)
        return;
    ATTR_EACH (item, list) {
        const struct nlattr *flags = attr_find(item, NFTA_SET_ELEM_FLAGS);
        if (flags != NULL && (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ELEM_INTERVAL_END))
            continue;
        const struct nlattr *left = attr_find(item, NFTA_SET_ELEM_EXPIRATION);
        int64_t ms = left != NULL ? (int64_t)be64toh(mnl_attr_get_u64(left)) : 0;
        a->left_ms = a->n == 0 || ms < a->left_ms ? ms : a->left_ms;
        a->n++;
    }
}

int nftread_elements(struct nftread *r, const char *set, uint32_t *count, int64_t *ret_left_ms,
                     struct err *err)
{
    struct request q;
    struct elements_answer a = {0};
    int sys;
    request_begin(&q, r, NFT_MSG_GETSETELEM, NLM_F_DUMP);
    mnl_attr_put_strz(q.nlh, NFTA_SET_ELEM_LIST_TABLE, r->table);
    mnl_attr_put_strz(q.nlh, NFTA_SET_ELEM_LIST_SET, set);
    if (exchange(r, &q, visit_elements, &a, &sys, err) < 0)
        return -1;
    if (sys == ENOENT)
        return make_error(err, ERR_NOT_FOUND, 0, "table %s has no set %s", r->table, set);
    if (sys != 0)
        return make_error(err, ERR_SYSTEM, sys, "read set %s", set);
    if (count != NULL)
        *count += a.n;
    if (ret_left_ms != NULL)
        *ret_left_ms = a.left_ms;
    return 0;
}
