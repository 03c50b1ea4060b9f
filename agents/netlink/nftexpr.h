/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expressions of a rule as attributes of its message: what is looked at, what it is compared
 * with, and what becomes of the packet. All work on one register. Knows no table and no injection.
 */
#ifndef BLACKSTART_NETLINK_NFTEXPR_H
#define BLACKSTART_NETLINK_NFTEXPR_H

#include "agents/netlink/nft.h"

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

void nftexpr_meta(struct nlmsghdr *nlh, uint32_t key);
void nftexpr_payload(struct nlmsghdr *nlh, uint32_t base, uint32_t offset, uint32_t len);
void nftexpr_cmp(struct nlmsghdr *nlh, uint32_t op, const void *data, size_t len);
void nftexpr_lookup(struct nlmsghdr *nlh, const char *set);
/* Goes on for this many of a million packets. */
void nftexpr_draw(struct nlmsghdr *nlh, uint32_t share);
void nftexpr_counter(struct nlmsghdr *nlh);
void nftexpr_verdict(struct nlmsghdr *nlh, uint32_t code);

/* A copy made by NFTEXPR_DUPLICATE meets the rule again, with this bit in its mark. */
enum { NFTEXPR_COPY_MARK = 0x40000000 };
void nftexpr_not_a_copy(struct nlmsghdr *nlh);

/* Goes on for a segment of TCP without RST, or for what is no TCP at all. */
void nftexpr_is_tcp(struct nlmsghdr *nlh);
void nftexpr_is_not_tcp(struct nlmsghdr *nlh);
void nftexpr_reset(struct nlmsghdr *nlh);

void nftexpr_action(struct nlmsghdr *nlh, const struct nft_action *action,
                    enum nft_queue_form form);

#endif
