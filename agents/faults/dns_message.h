/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of name servers in IP packets: whether a packet is one, whose name it answers, and the
 * packet that says something else instead. Bounded by the packet's length and by its own limits;
 * what it does not understand whole is no answer. Pure: no clock, no I/O, no malloc.
 */
#ifndef BLACKSTART_FAULTS_DNS_MESSAGE_H
#define BLACKSTART_FAULTS_DNS_MESSAGE_H

#include "base/param.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DNS_ADDRS_MAX = 8,
    DNS_NAME_MAX = 255,
    DNS_OUT_MAX = 1024 /* the longest headers, one question and DNS_ADDRS_MAX addresses */
};

struct dns_answer {
    uint32_t ip_len;             /* of the IP header */
    uint32_t message, questions; /* where they begin and end in the packet */
    uint16_t type;               /* of the question */
    char name[DNS_NAME_MAX + 1]; /* asked for: in lower case, without a last dot; "": the root */
};

/* From one of these UDP ports, whole in this packet, to exactly one question. `packet` begins with
 * the IP header. */
bool dns_find(const unsigned char *packet, uint32_t len, const struct ports *from,
              struct dns_answer *ret);

/* Of TCP, from one of these ports. */
bool dns_is_stream(const unsigned char *packet, uint32_t len, const struct ports *from);

/* Is it one of these names, or beneath one? An empty list: every name is. */
bool dns_is_named(const char *name, const struct names *names);

struct dns_addrs {
    uint32_t n;
    struct addr a[DNS_ADDRS_MAX];
};
/* Parted by commas and spaces. */
int dns_addrs_parse(const char *text, struct dns_addrs *ret, struct err *err) MUST_CHECK;

/* The packet that says that there is no such name (addrs NULL), or that it has these addresses, for
 * no longer than at this moment. Returns its length; 0: the question is not for addresses. */
uint32_t dns_rewrite(const unsigned char *packet, const struct dns_answer *answer,
                     const struct dns_addrs *addrs, unsigned char out[DNS_OUT_MAX]);

#endif
