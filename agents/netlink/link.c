/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/link.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/route.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ALIAS_MAX = 64, QUEUES_TOO_MANY = 5000 };

struct link {
    uint32_t index, flags, master;
    char name[IFNAMSIZ], kind[16], alias[ALIAS_MAX];
};

static struct ifinfomsg *request_begin(struct route_request *q, uint16_t type, uint16_t flags)
{
    route_begin(q, type, flags, sizeof(struct ifinfomsg));
    return q->head;
}

static void put_string(char *out, size_t size, const struct nlattr *attr)
{
    (void)snprintf(out, size, "%.*s", (int)mnl_attr_get_payload_len(attr),
                   (const char *)mnl_attr_get_payload(attr));
}

static struct link link_of(const struct nlmsghdr *nlh)
{
    const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
    struct link l = {.index = (uint32_t)ifi->ifi_index, .flags = ifi->ifi_flags};
    ATTR_EACH_OF (attr, nlh, sizeof(*ifi)) {
        uint16_t type = mnl_attr_get_type(attr);
        if (type == IFLA_IFNAME)
            put_string(l.name, sizeof(l.name), attr);
        else if (type == IFLA_IFALIAS)
            put_string(l.alias, sizeof(l.alias), attr);
        else if (type == IFLA_MASTER)
            l.master = mnl_attr_get_u32(attr);
        else if (type == IFLA_LINKINFO)
            ATTR_EACH (info, attr) {
                if (mnl_attr_get_type(info) == IFLA_INFO_KIND)
                    put_string(l.kind, sizeof(l.kind), info);
            }
    }
    return l;
}

static bool is_sink_name(const char *name)
{
    return strlen(name) == 14 && strncmp(name, "bs", 2) == 0 &&
           strspn(name + 2, "0123456789abcdef") == 12;
}

static void visit_carrier(void *ctx, const struct nlmsghdr *nlh)
{
    struct nft_devices *d = ctx;
    struct link l = link_of(nlh);
    if ((l.flags & IFF_UP) == 0 || (l.flags & IFF_LOOPBACK) != 0 || l.master != 0 ||
        is_sink_name(l.name))
        return;
    if (d->n < NFT_DEVICES_MAX)
        memcpy(d->name[d->n], l.name, IFNAMSIZ);
    d->n++;
}

int link_carriers(struct nft_devices *ret, struct err *err)
{
    struct route_request q;
    int sys;
    *ret = (struct nft_devices){0};
    request_begin(&q, RTM_GETLINK, NLM_F_DUMP)->ifi_family = AF_UNSPEC;
    /* Without statistics the answer of a link is a third as long. */
    mnl_attr_put_u32(q.nlh, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    if (route_exchange(&q, visit_carrier, ret, &sys, err) < 0)
        return -1;
    if (sys != 0)
        return make_error(err, ERR_SYSTEM, sys, "list the network interfaces");
    if (ret->n > NFT_DEVICES_MAX)
        return make_error(err, ERR_LIMIT, 0,
                          "this host has %u network interfaces that are up, "
                          "more than %d",
                          ret->n, (int)NFT_DEVICES_MAX);
    return 0;
}

static void visit_link(void *ctx, const struct nlmsghdr *nlh)
{
    *(struct link *)ctx = link_of(nlh);
}

/* index 0: it is not there. */
static int find_link(const char *name, struct link *ret, struct err *err)
{
    struct route_request q;
    int sys;
    *ret = (struct link){0};
    (void)request_begin(&q, RTM_GETLINK, 0);
    mnl_attr_put_strz(q.nlh, IFLA_IFNAME, name);
    if (route_exchange(&q, visit_link, ret, &sys, err) < 0)
        return -1;
    return sys == 0 || sys == ENODEV ? 0
                                     : make_error(err, ERR_SYSTEM, sys, "look for link %s", name);
}

static int set_alias(uint32_t index, const char *run, int *ret_sys, struct err *err)
{
    struct route_request q;
    char alias[ALIAS_MAX];
    int n = snprintf(alias, sizeof(alias), "blackstart-%s", run);
    request_begin(&q, RTM_SETLINK, NLM_F_ACK)->ifi_index = (int)index;
    mnl_attr_put(q.nlh, IFLA_IFALIAS, (size_t)n, alias);
    return route_exchange(&q, NULL, NULL, ret_sys, err);
}

static void put_kind(struct route_request *q, const char *kind)
{
    struct nlattr *info = mnl_attr_nest_start(q->nlh, IFLA_LINKINFO);
    mnl_attr_put_str(q->nlh, IFLA_INFO_KIND, kind);
    mnl_attr_nest_end(q->nlh, info);
}

static int add_link(const char *name, const char *kind, int *ret_sys, struct err *err)
{
    struct route_request q;
    (void)request_begin(&q, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    mnl_attr_put_strz(q.nlh, IFLA_IFNAME, name);
    put_kind(&q, kind);
    return route_exchange(&q, NULL, NULL, ret_sys, err);
}

/* What an attempt to add one came to, and its mark. */
static int mark_added(int sys, const char *name, const char *run, uint32_t *ret_index,
                      struct err *err)
{
    struct link l;
    if (sys != 0)
        return make_error(err, ERR_SYSTEM, sys, "add link %s", name);
    if (find_link(name, &l, err) < 0 || set_alias(l.index, run, &sys, err) < 0)
        return -1;
    if (sys != 0)
        return make_error(err, ERR_SYSTEM, sys, "name link %s", name);
    *ret_index = l.index;
    return 0;
}

int link_sink_add(const char *name, const char *run, uint32_t *ret_index, struct err *err)
{
    int sys = 0;
    if (add_link(name, "ifb", &sys, err) < 0)
        return -1;
    if (sys == EOPNOTSUPP && add_link(name, "dummy", &sys, err) < 0)
        return -1;
    if (sys == EOPNOTSUPP)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "this kernel has neither ifb nor dummy links, so traffic to a peer "
                          "without an agent cannot be stopped silently");
    return mark_added(sys, name, run, ret_index, err);
}

int link_line_supported(struct err *err)
{
    struct route_request q;
    int sys;
    (void)request_begin(&q, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
    /* The kind is looked for first; then this is refused, so that no link comes. */
    mnl_attr_put_u32(q.nlh, IFLA_NUM_TX_QUEUES, QUEUES_TOO_MANY);
    put_kind(&q, "ifb");
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    if (sys == EOPNOTSUPP)
        return make_error(err, ERR_UNSUPPORTED, 0, "this kernel has no ifb links (CONFIG_IFB)");
    if (sys == EPERM)
        return make_error(err, ERR_UNSUPPORTED, sys,
                          "links need CAP_NET_ADMIN in the host's network namespace");
    return 0;
}

int link_line_add(const char *name, const char *run, uint32_t *ret_index, struct err *err)
{
    int sys;
    return add_link(name, "ifb", &sys, err) < 0 ? -1 : mark_added(sys, name, run, ret_index, err);
}

/* No address of its own, of which its neighbours would be told. A kernel without IPv6 refuses,
 * which is as well. */
static int keep_addressless(uint32_t index, struct err *err)
{
    struct route_request q;
    int sys;
    request_begin(&q, RTM_SETLINK, NLM_F_ACK)->ifi_index = (int)index;
    struct nlattr *spec = mnl_attr_nest_start(q.nlh, IFLA_AF_SPEC);
    struct nlattr *inet6 = mnl_attr_nest_start(q.nlh, AF_INET6);
    mnl_attr_put_u8(q.nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    mnl_attr_nest_end(q.nlh, inet6);
    mnl_attr_nest_end(q.nlh, spec);
    return route_exchange(&q, NULL, NULL, &sys, err);
}

int link_look(const char *name, struct link_look *ret, struct err *err)
{
    struct link l;
    if (find_link(name, &l, err) < 0)
        return -1;
    *ret = (struct link_look){.index = l.index,
                              .up = (l.flags & IFF_UP) != 0,
                              .loopback = (l.flags & IFF_LOOPBACK) != 0,
                              .ours = is_sink_name(l.name)};
    return 0;
}

static void visit_way(void *ctx, const struct nlmsghdr *nlh)
{
    const struct nlattr *oif = attr_find_of(nlh, sizeof(struct rtmsg), RTA_OIF);
    if (nlh->nlmsg_type == RTM_NEWROUTE && oif != NULL)
        *(uint32_t *)ctx = mnl_attr_get_u32(oif);
}

int link_towards(const struct addr *to, uint32_t *ret_index, struct err *err)
{
    struct route_request q;
    int sys;
    *ret_index = 0;
    route_begin(&q, RTM_GETROUTE, 0, sizeof(struct rtmsg));
    struct rtmsg *rtm = q.head;
    rtm->rtm_family = to->family == 4 ? AF_INET : AF_INET6;
    rtm->rtm_dst_len = to->prefix;
    mnl_attr_put(q.nlh, RTA_DST, to->family == 4 ? 4 : 16, to->ip);
    return route_exchange(&q, visit_way, ret_index, &sys, err);
}

int link_set(uint32_t index, bool up, struct err *err)
{
    struct route_request q;
    int sys;
    struct ifinfomsg *ifi = request_begin(&q, RTM_SETLINK, NLM_F_ACK);
    ifi->ifi_index = (int)index;
    ifi->ifi_change = IFF_UP;
    ifi->ifi_flags = up ? IFF_UP : 0;
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    return sys == 0
               ? 0
               : make_error(err, ERR_SYSTEM, sys, "bring link %u %s", index, up ? "up" : "down");
}

int link_line_up(uint32_t index, struct err *err)
{
    if (keep_addressless(index, err) < 0)
        return -1;
    return link_set(index, true, err);
}

static bool is_ours(const struct link *l, const char *run)
{
    char alias[ALIAS_MAX];
    (void)snprintf(alias, sizeof(alias), "blackstart-%s", run);
    if (strcmp(l->kind, "ifb") != 0 && strcmp(l->kind, "dummy") != 0)
        return false;
    /* An agent that died between the two calls of link_sink_add left it without an alias. */
    return l->alias[0] == '\0' || strcmp(l->alias, alias) == 0;
}

int link_sink_delete(const char *name, const char *run, bool *ret_foreign, struct err *err)
{
    struct link l;
    struct route_request q;
    int sys;
    *ret_foreign = false;
    if (find_link(name, &l, err) < 0)
        return -1;
    if (l.index == 0)
        return 0;
    if (!is_ours(&l, run)) {
        *ret_foreign = true;
        return 0;
    }
    request_begin(&q, RTM_DELLINK, NLM_F_ACK)->ifi_index = (int)l.index;
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    return sys == 0 || sys == ENODEV ? 0 : make_error(err, ERR_SYSTEM, sys, "delete link %s", name);
}

static void visit_sink(void *ctx, const struct nlmsghdr *nlh)
{
    static const char alias[] = "blackstart-";
    struct link_sinks *s = ctx;
    const struct link l = link_of(nlh);
    const char *run = l.alias + sizeof(alias) - 1;
    if (!is_sink_name(l.name) || strncmp(l.alias, alias, sizeof(alias) - 1) != 0 ||
        run[0] == '\0' || strlen(run) > RUN_ID_MAX || !is_ours(&l, run))
        return;
    if (s->n < LINK_SINKS_MAX) {
        memcpy(s->list[s->n].name, l.name, IFNAMSIZ);
        (void)snprintf(s->list[s->n].run, sizeof(s->list[s->n].run), "%s", run);
    }
    s->n++;
}

int link_sinks(struct link_sinks *ret, struct err *err)
{
    struct route_request q;
    int sys;
    *ret = (struct link_sinks){0};
    request_begin(&q, RTM_GETLINK, NLM_F_DUMP)->ifi_family = AF_UNSPEC;
    if (route_exchange(&q, visit_sink, ret, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : make_error(err, ERR_SYSTEM, sys, "read the network interfaces");
}

static int is_there(const char *name, uint32_t index, unsigned up, bool *ret, struct err *err)
{
    struct link l;
    if (find_link(name, &l, err) < 0)
        return -1;
    *ret = l.index == index && (l.flags & IFF_UP) == up;
    return 0;
}

int link_sink_ready(const char *name, uint32_t index, bool *ret, struct err *err)
{
    return is_there(name, index, 0, ret, err);
}

int link_line_ready(const char *name, uint32_t index, bool *ret, struct err *err)
{
    return is_there(name, index, IFF_UP, ret, err);
}
