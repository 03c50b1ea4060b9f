/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP connections of this network namespace, over a socket-diagnosis socket opened for each call:
 * chosen ones are destroyed, as their own programs would by aborting them: the program sees
 * ECONNABORTED, the other end a reset, if it arrives. Listening sockets, and connections within the
 * host over its loopback addresses, are left alone. Knows no faults; no malloc.
 */
#ifndef BLACKSTART_NETLINK_SOCKDIAG_H
#define BLACKSTART_NETLINK_SOCKDIAG_H

#include "base/err.h"
#include "base/param.h"

#include <stdint.h>

/* Pointers are borrowed for the call. */
struct sockdiag_choice {
    const struct addrs *peers; /* the other end; n == 0: any */
    const struct ports *ports; /* n == 0: any; else of this end or the other */
    uint8_t family;            /* 4, 6; 0: both. One of IPv4 on an IPv6 socket is of IPv4 */
};

/* ERR_UNSUPPORTED with the reason. Changes nothing. */
int sockdiag_supported(struct err *err) MUST_CHECK;

/* Destroys what is established when it is called. *ret_n: how many were. One that ends meanwhile
 * is no failure and not counted. */
int sockdiag_destroy(const struct sockdiag_choice *choice, uint32_t *ret_n,
                     struct err *err) MUST_CHECK;

/* The far ends of what is established to a port of this host; *ret_n may pass max. */
int sockdiag_clients(uint16_t port, struct addr *ret, uint32_t max, uint32_t *ret_n,
                     struct err *err) MUST_CHECK;

/* The choice alone: addresses as the kernel has them, ports in the host's order of bytes. */
struct sockdiag_ends {
    uint8_t family; /* of the socket: 4, 6 */
    unsigned char local[16], remote[16];
    uint16_t local_port, remote_port;
};
bool sockdiag_is_chosen(const struct sockdiag_choice *choice, const struct sockdiag_ends *ends);

#endif
