/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to name servers and what they answer (RFC 1035), as text. Bounded by the message's
 * length and by its own limits; names point backwards only. Pure: no clock, no I/O.
 */
#ifndef BLACKSTART_PROBER_DNS_MESSAGE_H
#define BLACKSTART_PROBER_DNS_MESSAGE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DNS_MESSAGE_MAX = 65535,
    DNS_WIRE_NAME_MAX = 255,
    DNS_QUERY_MAX = 12 + DNS_WIRE_NAME_MAX + 4 /* header, name, type and class */
};

/* NULL-terminated, as a person writes them, in the order of dns_type_numbers. */
extern const char *const dns_types[];
extern const uint16_t dns_type_numbers[];
/* NOERROR, FORMERR ... by their numbers, NULL-terminated. */
extern const char *const dns_rcodes[];

struct dns_query {
    size_t len;
    unsigned char bytes[DNS_QUERY_MAX]; /* the id is the first two */
};
/* ERR_INPUT: no name of at most 253 characters with labels of 1 to 63; a dot at its end may stand,
 * "." is the root. */
int dns_query_make(const char *name, uint16_t type, bool recursion, struct dns_query *ret,
                   struct err *err) MUST_CHECK;
void dns_query_number(struct dns_query *q, uint16_t id);

enum dns_reading {
    DNS_OTHER, /* no answer to this question */
    DNS_BROKEN,
    DNS_ANSWER
};
struct dns_reply {
    uint8_t rcode;
    bool truncated;
};

/*
 * The answers as text into body, one a line: NAME TTL TYPE DATA, as zone files have them, names
 * without a last dot. What does not fit into body is left out. For DNS_ANSWER alone *ret is filled.
 */
enum dns_reading dns_read(const struct dns_query *q, const unsigned char *message, size_t len,
                          struct dns_reply *ret, struct buf *body);

#endif
