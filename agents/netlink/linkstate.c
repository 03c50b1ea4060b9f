/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/linkstate.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/route.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

enum { PASSES = 3 };

/* Before each entry's own header and attributes. */
struct entry {
    uint16_t type; /* RTM_NEWADDR, RTM_NEWROUTE */
    uint16_t head; /* bytes of the header */
    uint32_t len;  /* header and attributes, a multiple of four */
};

struct saving {
    uint32_t index;
    struct linkstate *to;
    bool full, by_id;
};

/* What is not told again: how old it is, or what the kernel makes of it. */
static bool is_told(uint16_t message, uint16_t type)
{
    return message != RTM_NEWROUTE || (type != RTA_CACHEINFO && type != RTA_EXPIRES);
}

/* Before those that are there: the kernel lists the newest address first. */
static void add_entry(struct saving *s, const struct nlmsghdr *nlh, uint16_t head)
{
    struct linkstate *to = s->to;
    struct entry e = {.type = nlh->nlmsg_type, .head = head, .len = (uint32_t)ATTR_ALIGN(head)};
    ATTR_EACH_OF (attr, nlh, head)
        if (is_told(nlh->nlmsg_type, mnl_attr_get_type(attr)))
            e.len += (uint32_t)ATTR_ALIGN(attr->nla_len);
    if (sizeof(to->data) - to->len < sizeof(e) + e.len) {
        s->full = true;
        return;
    }
    unsigned char *at = to->data;
    memmove(at + sizeof(e) + e.len, at, to->len);
    to->len += (uint32_t)sizeof(e) + e.len;
    memset(at, 0, sizeof(e) + e.len);
    memcpy(at, &e, sizeof(e));
    at += sizeof(e);
    memcpy(at, mnl_nlmsg_get_payload(nlh), head);
    at += ATTR_ALIGN(head);
    ATTR_EACH_OF (attr, nlh, head) {
        if (!is_told(nlh->nlmsg_type, mnl_attr_get_type(attr)))
            continue;
        memcpy(at, attr, attr->nla_len);
        at += ATTR_ALIGN(attr->nla_len);
    }
}

static uint32_t addr_flags(const struct nlmsghdr *nlh, const struct ifaddrmsg *ifa)
{
    const struct nlattr *flags = attr_find_of(nlh, sizeof(*ifa), IFA_FLAGS);
    return flags != NULL ? mnl_attr_get_u32(flags) : ifa->ifa_flags;
}

/* Those of link scope come by themselves, and so do those of router advertisements, which are not
 * permanent. */
static void visit_addr(void *ctx, const struct nlmsghdr *nlh)
{
    struct saving *s = ctx;
    const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
    if (nlh->nlmsg_type != RTM_NEWADDR || ifa->ifa_index != s->index ||
        ifa->ifa_family != AF_INET6 || ifa->ifa_scope == RT_SCOPE_LINK ||
        (addr_flags(nlh, ifa) & IFA_F_PERMANENT) == 0)
        return;
    s->to->addrs++;
    add_entry(s, nlh, sizeof(*ifa));
}

static bool is_through(const struct nlmsghdr *nlh, uint32_t index)
{
    const struct nlattr *oif = attr_find_of(nlh, sizeof(struct rtmsg), RTA_OIF);
    const struct nlattr *multi = attr_find_of(nlh, sizeof(struct rtmsg), RTA_MULTIPATH);
    if (oif != NULL && mnl_attr_get_u32(oif) == index)
        return true;
    if (multi == NULL)
        return false;
    int left = mnl_attr_get_payload_len(multi);
    for (const struct rtnexthop *hop = mnl_attr_get_payload(multi); RTNH_OK(hop, left);
         left -= (int)RTNH_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop))
        if ((uint32_t)hop->rtnh_ifindex == index)
            return true;
    return false;
}

static void visit_route(void *ctx, const struct nlmsghdr *nlh)
{
    struct saving *s = ctx;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    if (nlh->nlmsg_type != RTM_NEWROUTE || (rtm->rtm_flags & RTM_F_CLONED) != 0 ||
        rtm->rtm_protocol == RTPROT_KERNEL || rtm->rtm_protocol == RTPROT_RA ||
        rtm->rtm_protocol == RTPROT_REDIRECT || !is_through(nlh, s->index))
        return;
    s->to->routes++;
    s->to->gateways += rtm->rtm_dst_len == 0;
    s->by_id = s->by_id || attr_find_of(nlh, sizeof(*rtm), RTA_NH_ID) != NULL;
    add_entry(s, nlh, sizeof(*rtm));
}

static int ask(struct saving *s, uint16_t type, uint8_t family, route_visit *visit, struct err *err)
{
    struct route_request q;
    int sys;
    /* rtmsg and ifaddrmsg both begin with the family. */
    route_begin(&q, type, NLM_F_DUMP,
                type == RTM_GETADDR ? sizeof(struct ifaddrmsg) : sizeof(struct rtmsg));
    *(uint8_t *)q.head = family;
    if (route_exchange(&q, visit, s, &sys, err) < 0)
        return -1;
    if (sys != 0 && sys != EOPNOTSUPP && sys != EAFNOSUPPORT)
        return make_error(err, ERR_SYSTEM, sys, "read addresses and routes");
    return 0;
}

int linkstate_save(uint32_t index, struct linkstate *ret, struct err *err)
{
    struct saving s = {.index = index, .to = ret};
    memset(ret, 0, sizeof(*ret));
    /* Backwards: addresses are put back first. */
    if (ask(&s, RTM_GETROUTE, AF_INET6, visit_route, err) < 0 ||
        ask(&s, RTM_GETROUTE, AF_INET, visit_route, err) < 0 ||
        ask(&s, RTM_GETADDR, AF_INET6, visit_addr, err) < 0)
        return -1;
    if (s.full)
        return make_error(err, ERR_LIMIT, 0,
                          "the interface has %u IPv6 addresses and %u routes, more than can be "
                          "remembered",
                          ret->addrs, ret->routes);
    if (s.by_id)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "a route through the interface uses a nexthop object, which could not "
                          "be put back: ip nexthop show");
    return 0;
}

static void clear_flags(const struct entry *e, struct route_request *q)
{
    if (e->type == RTM_NEWROUTE)
        ((struct rtmsg *)q->head)->rtm_flags &= RTNH_F_ONLINK;
    else
        ((struct ifaddrmsg *)q->head)->ifa_flags &= (uint8_t) ~(IFA_F_TENTATIVE | IFA_F_DADFAILED);
}

/* *ret_sys: the kernel's errno. */
static int tell(const struct entry *e, const unsigned char *data, int *ret_sys, struct err *err)
{
    struct route_request q;
    route_begin(&q, e->type, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, e->head);
    memcpy(q.head, data, e->head);
    clear_flags(e, &q);
    size_t head = ATTR_ALIGN(e->head), attrs = e->len - head;
    if (attrs > sizeof(q.data) - q.nlh->nlmsg_len)
        return make_error(err, ERR_DIRTY, 0, "a saved route is damaged");
    memcpy(mnl_nlmsg_get_payload_tail(q.nlh), data + head, attrs);
    q.nlh->nlmsg_len += (uint32_t)attrs;
    return route_exchange(&q, NULL, NULL, ret_sys, err);
}

/* *ret_failed: the errno of one that could not be, which may need one that comes behind it. */
static int pass(const struct linkstate *s, uint32_t *ret_n, int *ret_failed, struct err *err)
{
    struct entry e;
    *ret_failed = 0;
    for (uint32_t at = 0; at < s->len; at += (uint32_t)sizeof(e) + e.len) {
        int sys = 0;
        if (s->len > sizeof(s->data) || s->len - at < sizeof(e))
            return make_error(err, ERR_DIRTY, 0, "the saved routes are damaged");
        memcpy(&e, s->data + at, sizeof(e));
        if (e.len > s->len - at - sizeof(e) || ATTR_ALIGN(e.head) > e.len ||
            e.head < sizeof(struct ifaddrmsg) || e.head > sizeof(struct rtmsg))
            return make_error(err, ERR_DIRTY, 0, "the saved routes are damaged");
        if (tell(&e, s->data + at + sizeof(e), &sys, err) < 0)
            return -1;
        *ret_n += sys == 0;
        if (sys != 0 && sys != EEXIST)
            *ret_failed = sys;
    }
    return 0;
}

int linkstate_restore(const struct linkstate *s, uint32_t *ret_n, struct err *err)
{
    int failed = 0;
    *ret_n = 0;
    for (int i = 0; i < PASSES; i++) {
        if (pass(s, ret_n, &failed, err) < 0)
            return -1;
        if (failed == 0)
            return 0;
    }
    return make_error(err, ERR_SYSTEM, failed, "put an address or a route back");
}
