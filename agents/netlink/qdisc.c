/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/netlink/qdisc.h"

#include "agents/netlink/attr.h"
#include "agents/netlink/route.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum { LOOPBACK_INDEX = 1, PPM = 1000000 };

static void request_begin(struct route_request *q, uint16_t type, uint16_t flags, uint32_t index)
{
    route_begin(q, type, flags, sizeof(struct tcmsg));
    struct tcmsg *tc = q->head;
    tc->tcm_ifindex = (int)index;
    tc->tcm_parent = TC_H_ROOT;
}

/* The root of a link, where none of anybody's may be yet. */
static void new_begin(struct route_request *q, uint32_t index, const char *kind)
{
    request_begin(q, RTM_NEWQDISC, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, index);
    mnl_attr_put_strz(q->nlh, TCA_KIND, kind);
}

int qdisc_supported(const char *kind, bool *ret, struct err *err)
{
    struct route_request q;
    int sys;
    new_begin(&q, LOOPBACK_INDEX, kind);
    if (route_exchange(&q, NULL, NULL, &sys, err) < 0)
        return -1;
    /* Both kinds want options; that they miss them says that they are there. */
    *ret = sys == EINVAL;
    return 0;
}

static int set(struct route_request *q, uint32_t index, const char *kind, struct err *err)
{
    int sys;
    if (route_exchange(q, NULL, NULL, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : make_error(err, ERR_SYSTEM, sys, "set %s on link %u", kind, index);
}

static uint32_t probability(uint32_t ppm)
{
    return (uint32_t)((uint64_t)ppm * UINT32_MAX / PPM);
}

int qdisc_set_netem(uint32_t index, const struct qdisc_netem *netem, struct err *err)
{
    struct route_request q;
    new_begin(&q, index, "netem");
    /* Its attributes follow the struct inside the one attribute. */
    struct nlattr *options = mnl_attr_nest_start(q.nlh, TCA_OPTIONS);
    options->nla_type = TCA_OPTIONS;
    const struct tc_netem_qopt head = {.limit = QDISC_NETEM_LIMIT,
                                       .duplicate = probability(netem->duplicate_ppm)};
    memcpy(mnl_nlmsg_get_payload_tail(q.nlh), &head, sizeof(head));
    q.nlh->nlmsg_len += (uint32_t)ATTR_ALIGN(sizeof(head));
    const struct tc_netem_corrupt corrupt = {.probability = probability(netem->corrupt_ppm)};
    if (netem->corrupt_ppm != 0)
        mnl_attr_put(q.nlh, TCA_NETEM_CORRUPT, sizeof(corrupt), &corrupt);
    if (netem->delay_ns != 0)
        mnl_attr_put(q.nlh, TCA_NETEM_LATENCY64, sizeof(int64_t), &netem->delay_ns);
    if (netem->jitter_ns != 0)
        mnl_attr_put(q.nlh, TCA_NETEM_JITTER64, sizeof(int64_t), &netem->jitter_ns);
    if (netem->n_table != 0)
        mnl_attr_put(q.nlh, TCA_NETEM_DELAY_DIST, netem->n_table * sizeof(*netem->table),
                     netem->table);
    mnl_attr_nest_end(q.nlh, options);
    return set(&q, index, "netem", err);
}

int qdisc_set_rate(uint32_t index, uint64_t rate, uint32_t burst, uint32_t limit, struct err *err)
{
    struct route_request q;
    new_begin(&q, index, "tbf");
    struct nlattr *options = mnl_attr_nest_start(q.nlh, TCA_OPTIONS);
    options->nla_type = TCA_OPTIONS;
    const struct tc_tbf_qopt head = {
        .rate = {.rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate,
                 .linklayer = TC_LINKLAYER_ETHERNET}, /* no table of sizes is wanted then */
        .limit = limit};
    mnl_attr_put(q.nlh, TCA_TBF_PARMS, sizeof(head), &head);
    mnl_attr_put_u64(q.nlh, TCA_TBF_RATE64, rate);
    mnl_attr_put_u32(q.nlh, TCA_TBF_BURST, burst);
    mnl_attr_nest_end(q.nlh, options);
    return set(&q, index, "tbf", err);
}

struct answer {
    uint32_t index;
    const char *kind;
    struct qdisc_reading *ret;
};

static void take_stats(const struct nlattr *stats, struct qdisc_reading *ret)
{
    const struct nlattr *queue = attr_find(stats, TCA_STATS_QUEUE);
    struct gnet_stats_queue q;
    if (queue == NULL || mnl_attr_get_payload_len(queue) < sizeof(q))
        return;
    memcpy(&q, mnl_attr_get_payload(queue), sizeof(q));
    ret->held = q.overlimits;
    ret->dropped = q.drops;
    ret->waiting = q.qlen;
}

static void visit_qdisc(void *ctx, const struct nlmsghdr *nlh)
{
    struct answer *a = ctx;
    const struct tcmsg *tc = mnl_nlmsg_get_payload(nlh);
    const struct nlattr *kind = attr_find_of(nlh, sizeof(*tc), TCA_KIND);
    const struct nlattr *stats = attr_find_of(nlh, sizeof(*tc), TCA_STATS2);
    if ((uint32_t)tc->tcm_ifindex != a->index || tc->tcm_parent != TC_H_ROOT || kind == NULL ||
        strcmp(mnl_attr_get_str(kind), a->kind) != 0)
        return;
    a->ret->there = true;
    if (stats != NULL)
        take_stats(stats, a->ret);
}

int qdisc_read(uint32_t index, const char *kind, struct qdisc_reading *ret, struct err *err)
{
    struct route_request q;
    struct answer a = {.index = index, .kind = kind, .ret = ret};
    int sys;
    *ret = (struct qdisc_reading){0};
    request_begin(&q, RTM_GETQDISC, NLM_F_DUMP, index);
    if (route_exchange(&q, visit_qdisc, &a, &sys, err) < 0)
        return -1;
    return sys == 0 ? 0 : make_error(err, ERR_SYSTEM, sys, "read the queues of link %u", index);
}
