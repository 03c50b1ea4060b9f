/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads back from nf_tables: a table's owner, a chain's rule counters, a set's elements. No malloc,
 * no state of its own.
 */
#ifndef BLACKSTART_NETLINK_NFTREAD_H
#define BLACKSTART_NETLINK_NFTREAD_H

#include "agents/netlink/nft.h"

struct nftread {
    int fd;         /* a netfilter socket */
    uint32_t *seq;  /* its next sequence number */
    uint8_t family; /* NFPROTO_* of the table */
    const char *table;
};

int nftread_table(struct nftread *r, bool *ret_there, uint32_t *ret_owner,
                  struct err *err) MUST_CHECK;
int nftread_chain(struct nftread *r, const char *chain, bool *ret_there,
                  struct err *err) MUST_CHECK;
/* Adds to rules, packets and bytes. ERR_NOT_FOUND when the chain is not there. */
int nftread_counters(struct nftread *r, const char *chain, struct nft_reading *sum,
                     struct err *err) MUST_CHECK;
/* Adds the number of elements (ends of intervals not counted) to *count, and puts the least time
 * that is left to one of them into *ret_left_ms (0: there is none); both may be NULL. */
int nftread_elements(struct nftread *r, const char *set, uint32_t *count, int64_t *ret_left_ms,
                     struct err *err) MUST_CHECK;

#endif
