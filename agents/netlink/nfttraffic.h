/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which packets an injection means, remembered while it lasts, so that another one can be asked
 * whether it means some of the same. Pure but for the memory of the copy; knows no socket.
 */
#ifndef BLACKSTART_NETLINK_NFTTRAFFIC_H
#define BLACKSTART_NETLINK_NFTTRAFFIC_H

#include "agents/netlink/nft.h"

struct nft_traffic;

/* The caller's, to be freed by free(); NULL: no memory. */
struct nft_traffic *nfttraffic_copy(const struct nft_injection *in) MUST_CHECK;

/* May one packet be meant by both? Lists of ports without a common one count as apart, though a
 * packet has two ports. */
bool nfttraffic_meets(const struct nft_traffic *t, const struct nft_injection *in);

#endif
