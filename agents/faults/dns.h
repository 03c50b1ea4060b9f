/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bearer that serves a packet queue of name servers' answers: drops them, holds them back, or
 * sends them on with something else in them. What is no answer, or to another name, goes on as it
 * is. Knows no rules: which packets come is decided by whoever sends them to the queue.
 */
#ifndef BLACKSTART_FAULTS_DNS_H
#define BLACKSTART_FAULTS_DNS_H

#include "agents/faults/dns_message.h"
#include "agents/host/bearer.h"

enum dns_mode { DNS_SILENCE, DNS_NXDOMAIN, DNS_WRONG, DNS_SLOW };

struct dns_spec {
    enum dns_mode mode;
    struct names names;
    struct ports ports;     /* at which name servers listen */
    struct dns_addrs addrs; /* DNS_WRONG */
    int64_t delay_ns;       /* DNS_SLOW */
    uint16_t number;        /* of the queue, whose socket is BEARER_FD */
};

/* Counters of the bearer. */
enum dns_counter {
    DNS_SEEN,    /* answers, also to other names */
    DNS_CHANGED, /* dropped, rewritten, or held and let go */
    DNS_STREAMS  /* packets of TCP that were dropped */
};

/* struct bearer_spec's body; arg is the dns_spec. */
void dns_run(struct bearer *self, void *arg);

#endif
