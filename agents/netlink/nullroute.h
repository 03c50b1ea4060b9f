/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of ours that lead nowhere, each to one address or network, in the main table. They bear a
 * protocol number of our own and the metric that the caller gave them: by both, and by what it
 * leads to, one is known, and nothing else is ever touched. No malloc.
 */
#ifndef BLACKSTART_NETLINK_NULLROUTE_H
#define BLACKSTART_NETLINK_NULLROUTE_H

#include "base/err.h"
#include "base/param.h"

#include <stdint.h>

enum {
    NULLROUTE_PROTOCOL = 0xb5, /* no other program's: see rt_protos of iproute2 */
    /* Below what a route of IPv6 has unless it is told otherwise: 1024. */
    NULLROUTE_METRICS = 1000
};

enum nullroute_kind {
    NULLROUTE_BLACKHOLE,   /* silent, but senders of this host are told EINVAL */
    NULLROUTE_UNREACHABLE, /* EHOSTUNREACH, and ICMP to those whose packets pass through */
    NULLROUTE_PROHIBIT     /* EACCES, and ICMP */
};

struct nullroute {
    struct addr to;
    enum nullroute_kind kind;
    uint32_t metric; /* 1..NULLROUTE_METRICS */
};

/* ERR_REFUSED when it is there already. */
int nullroute_add(const struct nullroute *r, struct err *err) MUST_CHECK;
/* Not there: success. */
int nullroute_delete(const struct nullroute *r, struct err *err) MUST_CHECK;
/* How many of that metric there are. */
int nullroute_count(uint32_t metric, uint32_t *ret, struct err *err) MUST_CHECK;
/* A route of others to a part of that network, which would go on leading there; false: there is
 * none. Those to this host itself, and of other tables than the main one, do not count. */
int nullroute_within(const struct addr *net, bool *ret_any, struct addr *ret,
                     struct err *err) MUST_CHECK;
/* Is an address unreachable by whatever the kernel looks up? Of a network: any of its first ones,
 * some of which may be this host's own. */
int nullroute_holds(const struct addr *to, bool *ret, struct err *err) MUST_CHECK;

#endif
