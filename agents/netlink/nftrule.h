/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One injection's chains, sets and rules as messages of a batch. What matches: the lease lives, the
 * address, the protocol, source or destination port; then the draw, the counter and the verdict.
 * Neighbour discovery passes always. No I/O.
 */
#ifndef BLACKSTART_NETLINK_NFTRULE_H
#define BLACKSTART_NETLINK_NFTRULE_H

#include "agents/netlink/nft.h"
#include "agents/netlink/nftbatch.h"

enum { NFTRULE_NAME_LEN = INJECTION_ID_MAX + 8 };

/* The sets and chains of an injection, by name. */
enum nftrule_part {
    NFTRULE_LEASE,
    NFTRULE_PEERS4,
    NFTRULE_PEERS6,
    NFTRULE_PORTS,
    NFTRULE_PROTOS,
    NFTRULE_IN,
    NFTRULE_OUT,
    NFTRULE_PARTS
};
const char *nftrule_name(char out[NFTRULE_NAME_LEN], const char *id, enum nftrule_part part);

/* NFPROTO_* of the table in which it stands. */
uint8_t nftrule_family(const struct nft_injection *in);
bool nftrule_is_rejection(const struct nft_action *action);

/* Which parts the injection has: bit 1 << part. */
uint32_t nftrule_parts(const struct nft_injection *in);

void nftrule_add(struct nftbatch *b, const struct nft_injection *in, enum nft_queue_form form);
/* Chains, or only their rules, first, then the sets. */
void nftrule_delete(struct nftbatch *b, const char *id, uint32_t parts, bool keep_chains);

#endif
