/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Builds one nf_tables batch: messages for one table in a caller's buffer, each with a word
 * that says what it is for, so that the kernel's answer can be told to a person. No I/O, no malloc;
 * what does not fit makes the batch `full`, checked once at the end.
 */
#ifndef BLACKSTART_NETLINK_NFTBATCH_H
#define BLACKSTART_NETLINK_NFTBATCH_H

#include "base/param.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NFTBATCH_MESSAGES = 64, NFTBATCH_BYTES = 384 * 1024 };

struct nftbatch {
    char *data;
    size_t size, len;
    const char *table;
    uint8_t family; /* NFPROTO_* of the table; may change between two messages */
    uint32_t seq;   /* of the batch's first message; the others follow one by one */
    uint32_t n;
    bool full;
    struct nlmsghdr *last;
    const char *what[NFTBATCH_MESSAGES];
};

void nftbatch_begin(struct nftbatch *b, void *data, size_t size, uint32_t seq, uint8_t family,
                    const char *table);
/* Closes the batch; the last message asks for an acknowledgement. False: it did not fit. */
bool nftbatch_end(struct nftbatch *b);
/* What the message with this number is for. */
const char *nftbatch_what(const struct nftbatch *b, uint32_t seq);

/* A message of the table's family, NULL when the batch is full: room for a few kB of attributes. */
struct nlmsghdr *nftbatch_message(struct nftbatch *b, uint16_t type, uint16_t flags,
                                  const char *what);

void nftbatch_add_table(struct nftbatch *b);
void nftbatch_delete_table(struct nftbatch *b);
void nftbatch_delete_chain(struct nftbatch *b, const char *chain);
/* All of the chain's. */
void nftbatch_delete_rules(struct nftbatch *b, const char *chain);
void nftbatch_delete_set(struct nftbatch *b, const char *set);

enum nftbatch_key {
    NFTBATCH_IPV4,
    NFTBATCH_IPV6,
    NFTBATCH_ETHERTYPE,
    NFTBATCH_PROTO,
    NFTBATCH_PORT
};

/* size: how many elements at most, 0: a timed set, of any size. */
void nftbatch_add_set(struct nftbatch *b, const char *set, enum nftbatch_key key, uint32_t flags,
                      uint32_t size);
/* Elements of `len` bytes each, one behind the other. */
void nftbatch_add_elements(struct nftbatch *b, const char *set, const void *keys, size_t len,
                           size_t n);
/* The addresses of one family; as pairs of start and end when `intervals`. They may repeat unless
 * they are intervals. */
void nftbatch_add_addrs(struct nftbatch *b, const char *set, const struct addrs *addrs,
                        uint8_t family, bool intervals);
void nftbatch_add_ports(struct nftbatch *b, const char *set, const struct ports *ports);
/* The two elements of a lease set. */
void nftbatch_add_lease(struct nftbatch *b, const char *set, int64_t lease_ms);
void nftbatch_delete_lease(struct nftbatch *b, const char *set);

#endif
