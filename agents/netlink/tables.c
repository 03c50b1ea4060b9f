/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/tables.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/dumpnl.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

static const char *family_word(unsigned family)
{
    static const char *const words[] = {
        [1] = "inet", [2] = "ip", [3] = "arp", [5] = "netdev", [7] = "bridge", [10] = "ip6"};
    return family < sizeof(words) / sizeof(words[0]) ? words[family] : NULL;
}

static void visit(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    static const char ours[] = "blackstart-";
    struct tables *t = d->ctx;
    const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *name = attr_find_of(nlh, sizeof(*nfg), NFTA_TABLE_NAME);
    const char *family = family_word(nfg->nfgen_family);
    if (name == NULL || family == NULL)
        return;
    const char *text = mnl_attr_get_payload(name);
    size_t len = strnlen(text, mnl_attr_get_payload_len(name));
    if (len >= NFT_TABLE_LEN || strncmp(text, ours, sizeof(ours) - 1) != 0)
        return;
    if (t->n < TABLES_MAX) {
        t->list[t->n].family = family;
        (void)snprintf(t->list[t->n].name, NFT_TABLE_LEN, "%.*s", (int)len, text);
        t->list[t->n].owned = attr_find_of(nlh, sizeof(*nfg), NFTA_TABLE_OWNER) != NULL;
    }
    t->n++;
}

int tables_take(struct tables *ret, struct err *err)
{
    static const struct nfgenmsg any = {0};
    CLEANUP_BUF struct buf none = BUF_INIT(64);
    *ret = (struct tables){0};
    CLEANUP_DUMPNL struct dumpnl d = {
        .fd = -1, .lines = &none, .names = &none, .ctx = ret, .what = "nf_tables tables"};
    if (dumpnl_open(&d, NETLINK_NETFILTER, err) < 0)
        return err->sys == EPROTONOSUPPORT ? 0 : -1; /* a kernel without them has none */
    return dumpnl_each(&d, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE), &any,
                       sizeof(any), visit, err);
}
