/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network interfaces of this namespace, over a route socket opened for each call: which ones carry
 * the host's traffic; the sink, a link of ours that is down, into which packets vanish without the
 * sender's TCP being told; and the line, an ifb of ours that is up, whose queue (qdisc.h) packets
 * pass on their way. Touches no link but its own.
 */
#ifndef BLACKSTART_NETLINK_LINK_H
#define BLACKSTART_NETLINK_LINK_H

#include "agents/netlink/nft.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* Up, not loopback, not enslaved (its bridge or bond stands for it), not a sink. ERR_LIMIT when
 * there are more than NFT_DEVICES_MAX. */
int link_carriers(struct nft_devices *ret, struct err *err) MUST_CHECK;

/* Any link. */
struct link_look {
    uint32_t index; /* 0: it is not there */
    bool up, loopback, ours;
};
int link_look(const char *name, struct link_look *ret, struct err *err) MUST_CHECK;
/* Through which packets to an address leave; 0: there is no route. */
int link_towards(const struct addr *to, uint32_t *ret_index, struct err *err) MUST_CHECK;
int link_set(uint32_t index, bool up, struct err *err) MUST_CHECK;

/* Makes it, an ifb or else a dummy, down, with the alias "blackstart-<run>"; ERR_UNSUPPORTED when
 * the kernel has neither. */
int link_sink_add(const char *name, const char *run, uint32_t *ret_index,
                  struct err *err) MUST_CHECK;

/* May this kernel have a line? ERR_UNSUPPORTED with the reason. Changes nothing. */
int link_line_supported(struct err *err) MUST_CHECK;
/* As a sink, and still down, so that it can get its queue first. */
int link_line_add(const char *name, const char *run, uint32_t *ret_index,
                  struct err *err) MUST_CHECK;
int link_line_up(uint32_t index, struct err *err) MUST_CHECK;
/* Is it there and up? */
int link_line_ready(const char *name, uint32_t index, bool *ret, struct err *err) MUST_CHECK;

/* Deletes the link of that name if it is a sink or line of that run; *ret_foreign when something
 * else has the name now. Not there: success. Without malloc. */
int link_sink_delete(const char *name, const char *run, bool *ret_foreign,
                     struct err *err) MUST_CHECK;

enum { LINK_SINKS_MAX = 64 };

/* Links that are ours by name, kind and alias, and the run that the alias says. */
struct link_sinks {
    uint32_t n; /* may pass LINK_SINKS_MAX: those beyond it are not listed */
    struct {
        char name[IFNAMSIZ], run[RUN_ID_MAX + 1];
    } list[LINK_SINKS_MAX];
};
int link_sinks(struct link_sinks *ret, struct err *err) MUST_CHECK;

/* Is it there and down? */
int link_sink_ready(const char *name, uint32_t index, bool *ret, struct err *err) MUST_CHECK;

#endif
