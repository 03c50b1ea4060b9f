/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/dumproute.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/dumpnl.h"

#include <arpa/inet.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

enum { REMEMBERED_MAX = 1024 * 1024 };

/* RUNNING and LOWER_UP follow the cable. */
enum { LINK_FLAGS = IFF_UP | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_DEBUG };

static void print_ip(struct buf *out, const char *name, int family, const struct nlattr *attr)
{
    char text[INET6_ADDRSTRLEN];
    if (attr == NULL)
        return;
    size_t len = family == AF_INET ? 4 : 16;
    if (mnl_attr_get_payload_len(attr) != len ||
        inet_ntop(family, mnl_attr_get_payload(attr), text, sizeof(text)) == NULL)
        dumpnl_hex(out, name, attr);
    else
        buf_printf(out, " %s=%s", name, text);
}

static void print_number(struct buf *out, const char *name, const struct nlattr *attr)
{
    if (attr != NULL && mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
        buf_printf(out, " %s=%u", name, mnl_attr_get_u32(attr));
}

static void visit_link(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    const size_t at = sizeof(*ifi);
    if (nlh->nlmsg_type != RTM_NEWLINK || ifi->ifi_family == AF_BRIDGE)
        return;
    uint32_t index = (uint32_t)ifi->ifi_index;
    buf_puts(d->lines, "link");
    dumpnl_text(d->lines, "name", attr_find_of(nlh, at, IFLA_IFNAME));
    buf_printf(d->lines, " index=%u flags=%x", index, ifi->ifi_flags & LINK_FLAGS);
    print_number(d->lines, "mtu", attr_find_of(nlh, at, IFLA_MTU));
    print_number(d->lines, "txqueuelen", attr_find_of(nlh, at, IFLA_TXQLEN));
    dumpnl_hex(d->lines, "address", attr_find_of(nlh, at, IFLA_ADDRESS));
    print_number(d->lines, "master", attr_find_of(nlh, at, IFLA_MASTER));
    print_number(d->lines, "link", attr_find_of(nlh, at, IFLA_LINK));
    dumpnl_text(d->lines, "alias", attr_find_of(nlh, at, IFLA_IFALIAS));
    dumpnl_hex(d->lines, "xdp", attr_find_of(nlh, at, IFLA_XDP));
    const struct nlattr *info = attr_find_of(nlh, at, IFLA_LINKINFO);
    if (info != NULL)
        dumpnl_text(d->lines, "kind", attr_find(info, IFLA_INFO_KIND));
    buf_puts(d->lines, "\n");
    buf_add(d->names, &index, sizeof(index));
}

/* Addresses that the kernel makes by itself: it does so up to a second after a link has its
 * carrier, or whenever a router tells it to. */
static bool is_from_kernel(const struct nlattr *proto)
{
    uint8_t value = proto != NULL ? mnl_attr_get_u8(proto) : IFAPROT_UNSPEC;
    return value == IFAPROT_KERNEL_LL || value == IFAPROT_KERNEL_RA;
}

static void visit_addr(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    const size_t at = sizeof(*ifa);
    if (nlh->nlmsg_type != RTM_NEWADDR || is_from_kernel(attr_find_of(nlh, at, IFA_PROTO)))
        return;
    buf_puts(d->lines, "addr");
    dumpnl_device(d->lines, "dev", ifa->ifa_index);
    print_ip(d->lines, "local", ifa->ifa_family, attr_find_of(nlh, at, IFA_LOCAL));
    print_ip(d->lines, "address", ifa->ifa_family, attr_find_of(nlh, at, IFA_ADDRESS));
    print_ip(d->lines, "broadcast", ifa->ifa_family, attr_find_of(nlh, at, IFA_BROADCAST));
    dumpnl_text(d->lines, "label", attr_find_of(nlh, at, IFA_LABEL));
    buf_printf(d->lines, " prefix=%u scope=%u\n", ifa->ifa_prefixlen, ifa->ifa_scope);
}

/* Routes that follow addresses and links, some of them a second later, or a router's word. */
static bool is_by_itself(const struct rtmsg *r, const struct nlattr *table,
                         const struct nlattr *dst)
{
    static const unsigned char link_local[8] = {0xfe, 0x80};
    if (r->rtm_protocol == RTPROT_RA)
        return true;
    if (r->rtm_protocol != RTPROT_KERNEL)
        return false;
    if (table != NULL && mnl_attr_get_u32(table) == RT_TABLE_LOCAL)
        return true;
    return r->rtm_family == AF_INET6 && dst != NULL &&
           mnl_attr_get_payload_len(dst) >= sizeof(link_local) &&
           memcmp(mnl_attr_get_payload(dst), link_local, sizeof(link_local)) == 0;
}

static void visit_route(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct rtmsg *r = mnl_nlmsg_get_payload(nlh);
    const size_t at = sizeof(*r);
    if (nlh->nlmsg_type != RTM_NEWROUTE || r->rtm_flags & RTM_F_CLONED)
        return;
    const struct nlattr *table = attr_find_of(nlh, at, RTA_TABLE);
    if (is_by_itself(r, table, attr_find_of(nlh, at, RTA_DST)))
        return;
    /* The table's number is an attribute as well, and there it is whole. */
    buf_printf(d->lines,
               "route family=%u dst_len=%u src_len=%u tos=%u protocol=%u scope=%u type=%u",
               r->rtm_family, r->rtm_dst_len, r->rtm_src_len, r->rtm_tos, r->rtm_protocol,
               r->rtm_scope, r->rtm_type);
    print_number(d->lines, "table", table);
    print_ip(d->lines, "dst", r->rtm_family, attr_find_of(nlh, at, RTA_DST));
    print_ip(d->lines, "src", r->rtm_family, attr_find_of(nlh, at, RTA_SRC));
    print_ip(d->lines, "via", r->rtm_family, attr_find_of(nlh, at, RTA_GATEWAY));
    print_ip(d->lines, "from", r->rtm_family, attr_find_of(nlh, at, RTA_PREFSRC));
    print_number(d->lines, "metric", attr_find_of(nlh, at, RTA_PRIORITY));
    const struct nlattr *oif = attr_find_of(nlh, at, RTA_OIF);
    if (oif != NULL)
        dumpnl_device(d->lines, "dev", mnl_attr_get_u32(oif));
    dumpnl_hex(d->lines, "metrics", attr_find_of(nlh, at, RTA_METRICS));
    dumpnl_hex(d->lines, "encap", attr_find_of(nlh, at, RTA_ENCAP));
    dumpnl_hex(d->lines, "via", attr_find_of(nlh, at, RTA_VIA));
    print_number(d->lines, "nexthop", attr_find_of(nlh, at, RTA_NH_ID));
    const struct nlattr *paths = attr_find_of(nlh, at, RTA_MULTIPATH);
    if (paths != NULL)
        dumpnl_hex(d->lines, "paths", paths);
    buf_puts(d->lines, "\n");
}

static void visit_rule(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct fib_rule_hdr *r = mnl_nlmsg_get_payload(nlh);
    if (nlh->nlmsg_type != RTM_NEWRULE)
        return;
    buf_printf(d->lines, "rule family=%u dst_len=%u src_len=%u tos=%u action=%u", r->family,
               r->dst_len, r->src_len, r->tos, r->action);
    ATTR_EACH_OF (attr, nlh, sizeof(*r)) {
        char name[8];
        (void)snprintf(name, sizeof(name), "a%u", mnl_attr_get_type(attr));
        dumpnl_hex(d->lines, name, attr);
    }
    buf_puts(d->lines, "\n");
}

/* Where filters can hang: a device and a parent. */
struct place {
    int index;
    uint32_t parent;
};

static void remember(struct dumpnl *d, int index, uint32_t parent)
{
    struct place place = {index, parent};
    buf_add(d->names, &place, sizeof(place));
}

/* HTB's options hold a count of packets. */
static void print_options(struct buf *out, const struct nlmsghdr *nlh, const char *kind)
{
    const struct nlattr *options = attr_find_of(nlh, sizeof(struct tcmsg), TCA_OPTIONS);
    if (options == NULL)
        return;
    if (strcmp(kind, "htb") != 0 || nlh->nlmsg_type != RTM_NEWQDISC) {
        dumpnl_hex(out, "options", options);
        return;
    }
    const struct nlattr *init = attr_find(options, TCA_HTB_INIT);
    if (init == NULL || mnl_attr_get_payload_len(init) < sizeof(struct tc_htb_glob))
        return;
    const struct tc_htb_glob *glob = mnl_attr_get_payload(init);
    buf_printf(out, " default=%x r2q=%u", glob->defcls, glob->rate2quantum);
}

static void visit_tc(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *kind = attr_find_of(nlh, sizeof(*tc), TCA_KIND);
    const char *word = kind != NULL ? mnl_attr_get_str(kind) : "";
    bool is_class = nlh->nlmsg_type == RTM_NEWTCLASS;
    /* Flows that these show as classes come and go with the traffic. */
    if (is_class && (strcmp(word, "fq_codel") == 0 || strcmp(word, "sfq") == 0 ||
                     strcmp(word, "cake") == 0 || strcmp(word, "fq_pie") == 0))
        return;
    buf_puts(d->lines, is_class ? "class" : "qdisc");
    dumpnl_device(d->lines, "dev", (uint32_t)tc->tcm_ifindex);
    buf_printf(d->lines, " kind=%s handle=%x:%x parent=%x:%x", word, tc->tcm_handle >> 16,
               tc->tcm_handle & 0xffff, tc->tcm_parent >> 16, tc->tcm_parent & 0xffff);
    print_options(d->lines, nlh, word);
    buf_puts(d->lines, "\n");
    if (tc->tcm_handle != 0)
        remember(d, tc->tcm_ifindex, tc->tcm_handle);
    if (strcmp(word, "clsact") == 0) {
        remember(d, tc->tcm_ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS));
        remember(d, tc->tcm_ifindex, TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS));
    }
}

static void visit_filter(struct dumpnl *d, const struct nlmsghdr *nlh)
{
    const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
    if (nlh->nlmsg_type != RTM_NEWTFILTER)
        return;
    buf_puts(d->lines, "filter");
    dumpnl_device(d->lines, "dev", (uint32_t)tc->tcm_ifindex);
    dumpnl_text(d->lines, "kind", attr_find_of(nlh, sizeof(*tc), TCA_KIND));
    print_number(d->lines, "chain", attr_find_of(nlh, sizeof(*tc), TCA_CHAIN));
    buf_printf(d->lines, " handle=%x parent=%x:%x priority=%u protocol=%04x\n", tc->tcm_handle,
               tc->tcm_parent >> 16, tc->tcm_parent & 0xffff, tc->tcm_info >> 16,
               ntohs((uint16_t)tc->tcm_info));
}

static int take_classes(struct dumpnl *d, const struct buf *links, struct err *err)
{
    d->what = "classes";
    for (size_t at = 0; at + sizeof(uint32_t) <= links->len; at += sizeof(uint32_t)) {
        uint32_t index;
        memcpy(&index, links->data + at, sizeof(index));
        struct tcmsg tc = {.tcm_ifindex = (int)index};
        if (dumpnl_each(d, RTM_GETTCLASS, &tc, sizeof(tc), visit_tc, err) < 0)
            return -1;
    }
    return 0;
}

static int take_filters(struct dumpnl *d, const struct buf *places, struct err *err)
{
    d->what = "filters";
    for (size_t at = 0; at + sizeof(struct place) <= places->len; at += sizeof(struct place)) {
        struct place place;
        memcpy(&place, places->data + at, sizeof(place));
        struct tcmsg tc = {.tcm_ifindex = place.index, .tcm_parent = place.parent};
        if (dumpnl_each(d, RTM_GETTFILTER, &tc, sizeof(tc), visit_filter, err) < 0)
            return -1;
    }
    return 0;
}

int dumproute_take(struct buf *lines, struct err *err)
{
    static const struct {
        uint16_t type;
        size_t size; /* of the header that the kernel expects; zero bytes are fine in all of them */
        dumpnl_visit *visit;
        const char *what;
    } kinds[] = {
        {RTM_GETADDR, sizeof(struct ifaddrmsg), visit_addr, "addresses"},
        {RTM_GETROUTE, sizeof(struct rtmsg), visit_route, "routes"},
        {RTM_GETRULE, sizeof(struct fib_rule_hdr), visit_rule, "routing rules"},
    };
    static const char zero[64];
    CLEANUP_BUF struct buf links = BUF_INIT(REMEMBERED_MAX);
    CLEANUP_BUF struct buf places = BUF_INIT(REMEMBERED_MAX);
    CLEANUP_DUMPNL struct dumpnl d = {.fd = -1, .lines = lines, .names = &links, .what = "links"};
    if (dumpnl_open(&d, NETLINK_ROUTE, err) < 0)
        return -1;
    if (dumpnl_each(&d, RTM_GETLINK, zero, sizeof(struct ifinfomsg), visit_link, err) < 0)
        return -1;
    d.names = &places;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        d.what = kinds[i].what;
        if (dumpnl_each(&d, kinds[i].type, zero, kinds[i].size, kinds[i].visit, err) < 0)
            return -1;
    }
    d.what = "qdiscs";
    if (dumpnl_each(&d, RTM_GETQDISC, zero, sizeof(struct tcmsg), visit_tc, err) < 0 ||
        take_classes(&d, &links, err) < 0 || take_filters(&d, &places, err) < 0)
        return -1;
    if (!buf_ok(&links) || !buf_ok(&places))
        return make_error(err, ERR_LIMIT, 0, "too many links, qdiscs or classes");
    return 0;
}
