/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel forgets when a link goes down, and does not bring back by itself when it is up
 * again: its IPv6 addresses, and the routes through it that somebody has set. Saved in a struct of
 * fixed size, and put back from it alone. What comes by itself, from addresses or router
 * advertisements, is not saved. No malloc.
 */
#ifndef BLACKSTART_NETLINK_LINKSTATE_H
#define BLACKSTART_NETLINK_LINKSTATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { LINKSTATE_BYTES = 11 * 1024 };

struct linkstate {
    uint32_t addrs, routes; /* how many of each there are */
    uint32_t gateways;      /* of the routes: default routes */
    uint32_t len;
    /* Entries one behind the other: what the kernel says of each, as it is told again. */
    _Alignas(8) unsigned char data[LINKSTATE_BYTES];
};

/* ERR_LIMIT when there is more than fits, ERR_UNSUPPORTED when there is what could not be put back.
 */
int linkstate_save(uint32_t index, struct linkstate *ret, struct err *err) MUST_CHECK;

/* The link is up. What is there already stays; *ret_n: how many were put back. */
int linkstate_restore(const struct linkstate *s, uint32_t *ret_n, struct err *err) MUST_CHECK;

#endif
