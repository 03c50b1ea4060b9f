/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/nullroute.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static struct rtmsg *begin(struct route_request *q, uint16_t type, uint16_t flags,
                           const struct addr *to)
{
    route_begin(q, type, flags, sizeof(struct rtmsg));
    struct rtmsg *rtm = q->head;
    rtm->rtm_family = to->family == 4 ? AF_INET : AF_INET6;
    rtm->rtm_dst_len = to->prefix;
    mnl_attr_put(q->nlh, RTA_DST, to->family == 4 ? 4 : 16, to->ip);
    return rtm;
}

static void describe(struct route_request *q, struct rtmsg *rtm, const struct nullroute *r)
{
    static const uint8_t types[] = {[NULLROUTE_BLACKHOLE] = RTN_BLACKHOLE,
                                    [NULLROUTE_UNREACHABLE] = RTN_UNREACHABLE,
                                    [NULLROUTE_PROHIBIT] = RTN_PROHIBIT};
    rtm->rtm_type = types[r->kind];
    rtm->rtm_table = RT_TABLE_MAIN;
    rtm->rtm_protocol = NULLROUTE_PROTOCOL;
    rtm->rtm_scope = RT_SCOPE_UNIVERSE;
    mnl_attr_put_u32(q->nlh, RTA_PRIORITY, r->metric);
}

static int route_error(int sys, const char *what, const struct addr *to, struct err *err)
{
    char text[64];
    (void)addr_print(to, text, sizeof(text));
    if (sys == EEXIST)
        return make_error(err, ERR_REFUSED, 0, "there is such a route to %s already", text);
    return make_error(err, ERR_SYSTEM, sys, "%s the route to %s", what, text);
}

int nullroute_add(const struct nullroute *r, struct err *err)
{
    struct route_request q;
    int sys;
    describe(&q, begin(&q, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &r->to), r);
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : route_error(sys, "add", &r->to, err);
}

int nullroute_delete(const struct nullroute *r, struct err *err)
{
    struct route_request q;
    int sys;
    describe(&q, begin(&q, RTM_DELROUTE, NLM_F_ACK, &r->to), r);
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    return sys == 0 || sys == ESRCH ? 0 : route_error(sys, "delete", &r->to, err);
}

struct counting {
    uint32_t metric, n;
};

static void count_one(void *ctx, const struct nlmsghdr *nlh)
{
    struct counting *c = ctx;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *metric = attr_find_of(nlh, sizeof(*rtm), RTA_PRIORITY);
    if (nlh->nlmsg_type == RTM_NEWROUTE && rtm->rtm_protocol == NULLROUTE_PROTOCOL &&
        metric != NULL && mnl_attr_get_u32(metric) == c->metric)
        c->n++;
}

static int visit_routes(uint8_t family, route_visit *visit, void *ctx, struct err *err)
{
    struct route_request q;
    int sys;
    route_begin(&q, RTM_GETROUTE, NLM_F_DUMP, sizeof(struct rtmsg));
    ((struct rtmsg *)q.head)->rtm_family = family;
    if (route_exchange(&q, visit, ctx, &sys, err) < 0)
        return -1;
    if (sys != 0 && sys != EOPNOTSUPP && sys != EAFNOSUPPORT)
        return make_error(err, ERR_SYSTEM, sys, "read the routes");
    return 0;
}

int nullroute_count(uint32_t metric, uint32_t *ret, struct err *err)
{
    struct counting c = {.metric = metric};
    if (visit_routes(AF_INET, count_one, &c, err) < 0 ||
        visit_routes(AF_INET6, count_one, &c, err) < 0)
        return -1;
    *ret = c.n;
    return 0;
}

struct seeking {
    struct addr net, found;
    bool any;
};

static void seek_one(void *ctx, const struct nlmsghdr *nlh)
{
    struct seeking *s = ctx;
    const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *dst = attr_find_of(nlh, sizeof(*rtm), RTA_DST);
    size_t len = s->net.family == 4 ? 4 : 16;
    if (s->any || nlh->nlmsg_type != RTM_NEWROUTE || rtm->rtm_table != RT_TABLE_MAIN ||
        rtm->rtm_protocol == NULLROUTE_PROTOCOL || rtm->rtm_dst_len <= s->net.prefix ||
        dst == NULL || mnl_attr_get_payload_len(dst) < len)
        return;
    struct addr to = {.family = s->net.family, .prefix = rtm->rtm_dst_len};
    memcpy(to.ip, mnl_attr_get_payload(dst), len);
    s->any = addr_contains(&s->net, &to);
    s->found = to;
}

int nullroute_within(const struct addr *net, bool *ret_any, struct addr *ret, struct err *err)
{
    struct seeking s = {.net = *net};
    *ret_any = false;
    if (net->prefix == (net->family == 4 ? 32 : 128))
        return 0;
    if (visit_routes(net->family == 4 ? AF_INET : AF_INET6, seek_one, &s, err) < 0)
        return -1;
    *ret_any = s.any;
    *ret = s.found;
    return 0;
}

int nullroute_holds(const struct addr *to, bool *ret, struct err *err)
{
    const uint8_t full = to->family == 4 ? 32 : 128;
    const unsigned n = to->prefix + 2 <= full ? 4 : 1u << (full - to->prefix);
    *ret = false;
    for (unsigned i = 0; i < n && !*ret; i++) {
        struct addr one = *to;
        struct route_request q;
        int sys;
        one.prefix = full;
        one.ip[full / 8 - 1] |= (uint8_t)i;
        (void)begin(&q, RTM_GETROUTE, 0, &one);
        if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
            return -1;
        *ret = sys == EINVAL || sys == EHOSTUNREACH || sys == EACCES || sys == ENETUNREACH;
    }
    return 0;
}
