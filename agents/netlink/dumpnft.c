/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/dumpnft.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/dumpnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>

enum { SETS_MAX = 1024 * 1024, AT = sizeof(struct nfgenmsg) };

static const char *family_word(const struct nlmsghdr *nlh)
{
    static const char *const words[] = {[0] = "unspec", [1] = "inet",   [2] = "ip",  [3] = "arp",
                                        [5] = "netdev", [7] = "bridge", [10] = "ip6"};
    const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
    unsigned family = nfg->nfgen_family;
    return family < sizeof(words) / sizeof(words[0]) && words[family] != NULL ? words[family] : "?";
}

/* One attribute of an object: how it is printed. */
struct column {
    uint16_t type;
    const char *name;
    void (*print)(struct buf *out, const char *name, const struct nlattr *attr);
};

static void print_columns(struct dumpnl *d, const struct nlmsghdr *nlh, const char *what,
                          const struct column *columns, size_t n)
{
    buf_printf(d->lines, "nft %s %s", what, family_word(nlh));
    for (size_t i = 0; i < n; i++)
        columns[i].print(d->lines, columns[i].name, attr_find_of(nlh, AT, columns[i].type));
}

#define PRINT_COLUMNS(d, nlh, what, columns)                                                       \
    print_columns(d, nlh, what, columns, sizeof(columns) / sizeof((columns)[0]))

static void visit_table(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_TABLE_NAME, "name", dumpnl_text},
        {NFTA_TABLE_FLAGS, "flags", dumpnl_hex},
    };
    PRINT_COLUMNS(d, nlh, "table", columns);
    buf_puts(d->lines, "\n");
}

static void visit_chain(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_CHAIN_TABLE, "table", dumpnl_text},  {NFTA_CHAIN_NAME, "name", dumpnl_text},
        {NFTA_CHAIN_TYPE, "type", dumpnl_text},    {NFTA_CHAIN_HOOK, "hook", dumpnl_hex},
        {NFTA_CHAIN_POLICY, "policy", dumpnl_hex}, {NFTA_CHAIN_FLAGS, "flags", dumpnl_hex},
    };
    PRINT_COLUMNS(d, nlh, "chain", columns);
    buf_puts(d->lines, "\n");
}

/* What it takes to ask for a set's elements. */
struct set_key {
    uint8_t family;
    char table[NFT_TABLE_MAXNAMELEN], name[NFT_SET_MAXNAMELEN];
};

static void remember_set(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct nlattr *table = attr_find_of(nlh, AT, NFTA_SET_TABLE);
    const struct nlattr *name = attr_find_of(nlh, AT, NFTA_SET_NAME);
    const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
    struct set_key key = {.family = nfg->nfgen_family};
    if (table == NULL || name == NULL)
        return;
    (void)snprintf(key.table, sizeof(key.table), "%s", mnl_attr_get_str(table));
    (void)snprintf(key.name, sizeof(key.name), "%s", mnl_attr_get_str(name));
    buf_add(d->names, &key, sizeof(key));
}

static void visit_set(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_SET_TABLE, "table", dumpnl_text},      {NFTA_SET_NAME, "name", dumpnl_text},
        {NFTA_SET_FLAGS, "flags", dumpnl_hex},       {NFTA_SET_KEY_TYPE, "key", dumpnl_hex},
        {NFTA_SET_KEY_LEN, "key_len", dumpnl_hex},   {NFTA_SET_DATA_TYPE, "data", dumpnl_hex},
        {NFTA_SET_DATA_LEN, "data_len", dumpnl_hex}, {NFTA_SET_POLICY, "policy", dumpnl_hex},
        {NFTA_SET_TIMEOUT, "timeout", dumpnl_hex},   {NFTA_SET_OBJ_TYPE, "object", dumpnl_hex},
    };
    PRINT_COLUMNS(d, nlh, "set", columns);
    buf_puts(d->lines, "\n");
    const struct nlattr *flags = attr_find_of(nlh, AT, NFTA_SET_FLAGS);
    if (flags == NULL || (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_EVAL) == 0)
        remember_set(d, nlh);
}

static void visit_element_list(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct nlattr *list = attr_find_of(nlh, AT, NFTA_SET_ELEM_LIST_ELEMENTS);
    if (list == NULL)
        return;
    ATTR_EACH (item, list) {
        if (attr_find(item, NFTA_SET_ELEM_EXPIRATION) != NULL)
            continue;
        buf_printf(d->lines, "nft element %s", family_word(nlh));
        dumpnl_text(d->lines, "table", attr_find_of(nlh, AT, NFTA_SET_ELEM_LIST_TABLE));
        dumpnl_text(d->lines, "set", attr_find_of(nlh, AT, NFTA_SET_ELEM_LIST_SET));
        dumpnl_hex(d->lines, "key", attr_find(item, NFTA_SET_ELEM_KEY));
        dumpnl_hex(d->lines, "end", attr_find(item, NFTA_SET_ELEM_KEY_END));
        dumpnl_hex(d->lines, "data", attr_find(item, NFTA_SET_ELEM_DATA));
        dumpnl_hex(d->lines, "flags", attr_find(item, NFTA_SET_ELEM_FLAGS));
        dumpnl_text(d->lines, "object", attr_find(item, NFTA_SET_ELEM_OBJREF));
        buf_puts(d->lines, "\n");
    }
}

/* Those whose data holds what they have counted. */
static bool is_counting(const char *name)
{
    static const char *const words[] = {"counter", "last", "quota", "connlimit"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(name, words[i]) == 0)
            return true;
    return false;
}

static void print_expressions(struct buf *out, const struct nlattr *list)
{
    if (list == NULL)
        return;
    ATTR_EACH (item, list) {
        const struct nlattr *name = attr_find(item, NFTA_EXPR_NAME);
        if (name == NULL)
            continue;
        const char *word = mnl_attr_get_str(name);
        if (is_counting(word))
            buf_printf(out, " %s", word);
        else
            dumpnl_hex(out, word, attr_find(item, NFTA_EXPR_DATA));
    }
}

/* Rules come in their chain's order, which is part of what they mean: each says how many stand
 * before it. */
struct rule_place {
    char chain[NFT_TABLE_MAXNAMELEN + NFT_CHAIN_MAXNAMELEN + 16];
    unsigned n;
};

static void visit_rule(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_RULE_TABLE, "table", dumpnl_text},
        {NFTA_RULE_CHAIN, "chain", dumpnl_text},
        {NFTA_RULE_USERDATA, "userdata", dumpnl_hex},
    };
    struct rule_place *place = d->ctx;
    const struct nlattr *table = attr_find_of(nlh, AT, NFTA_RULE_TABLE);
    const struct nlattr *chain = attr_find_of(nlh, AT, NFTA_RULE_CHAIN);
    if (table == NULL || chain == NULL)
        return;
    char key[sizeof(place->chain)];
    (void)snprintf(key, sizeof(key), "%s %s %s", family_word(nlh), mnl_attr_get_str(table),
                   mnl_attr_get_str(chain));
    if (strcmp(key, place->chain) != 0)
        place->n = 0;
    memcpy(place->chain, key, sizeof(key));
    char what[32];
    (void)snprintf(what, sizeof(what), "rule %04u", place->n++);
    PRINT_COLUMNS(d, nlh, what, columns);
    print_expressions(d->lines, attr_find_of(nlh, AT, NFTA_RULE_EXPRESSIONS));
    buf_puts(d->lines, "\n");
}

static void visit_object(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_OBJ_TABLE, "table", dumpnl_text},
        {NFTA_OBJ_NAME, "name", dumpnl_text},
        {NFTA_OBJ_TYPE, "type", dumpnl_hex},
    };
    PRINT_COLUMNS(d, nlh, "object", columns);
    buf_puts(d->lines, "\n");
}

static void visit_flowtable(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const struct column columns[] = {
        {NFTA_FLOWTABLE_TABLE, "table", dumpnl_text},
        {NFTA_FLOWTABLE_NAME, "name", dumpnl_text},
        {NFTA_FLOWTABLE_HOOK, "hook", dumpnl_hex},
    };
    PRINT_COLUMNS(d, nlh, "flowtable", columns);
    buf_puts(d->lines, "\n");
}

static uint16_t message_type(uint16_t type)
{
    return (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
}

static int take_elements(struct dumpnl *d, const struct buf *sets, struct err *err)
{
    d->what = "nf_tables elements";
    for (size_t at = 0; at + sizeof(struct set_key) <= sets->len; at += sizeof(struct set_key)) {
        struct set_key key;
        /* The request's fixed header and its attributes are made as one message, and the part
         * behind the netlink header is what the dump wants. */
        char request[1024] __attribute__((aligned(8)));
        memcpy(&key, sets->data + at, sizeof(key));
        struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
        struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
        nfg->nfgen_family = key.family;
        mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_TABLE, key.table);
        mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, key.name);
        if (dumpnl_each(d, message_type(NFT_MSG_GETSETELEM), mnl_nlmsg_get_payload(nlh),
                        mnl_nlmsg_get_payload_len(nlh), visit_element_list, err) < 0)
            return -1;
    }
    return 0;
}

int dumpnft_take(struct buf *lines, struct err *err)
{
    static const struct {
        uint16_t type;
        dumpnl_visit *visit;
        const char *what;
    } kinds[] = {
        {NFT_MSG_GETTABLE, visit_table, "nf_tables tables"},
        {NFT_MSG_GETCHAIN, visit_chain, "nf_tables chains"},
        {NFT_MSG_GETSET, visit_set, "nf_tables sets"},
        {NFT_MSG_GETRULE, visit_rule, "nf_tables rules"},
        {NFT_MSG_GETOBJ, visit_object, "nf_tables objects"},
        {NFT_MSG_GETFLOWTABLE, visit_flowtable, "nf_tables flow tables"},
    };
    static const struct nfgenmsg any = {0};
    CLEANUP_BUF struct buf sets = BUF_INIT(SETS_MAX);
    struct rule_place place = {.n = 0};
    CLEANUP_DUMPNL struct dumpnl d = {.fd = -1, .lines = lines, .names = &sets, .ctx = &place};
    if (dumpnl_open(&d, NETLINK_NETFILTER, err) < 0) {
        if (err->sys != EPROTONOSUPPORT)
            return -1;
        buf_puts(lines, "nft none\n");
        return 0;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        d.what = kinds[i].what;
        if (dumpnl_each(&d, message_type(kinds[i].type), &any, sizeof(any), kinds[i].visit, err) ==
            0)
            continue;
        if (err->sys != EPERM)
            return -1;
        buf_puts(lines, "nft cannot be read without CAP_NET_ADMIN\n");
        return 0;
    }
    if (!buf_ok(&sets))
        return make_error(err, ERR_LIMIT, 0, "too many nf_tables sets");
    return take_elements(&d, &sets, err);
}
