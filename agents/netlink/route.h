/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One question to the kernel's route socket and its answers, over a socket opened for it. What is
 * asked, and what the answers mean, is the caller's. No malloc.
 */
#ifndef BLACKSTART_NETLINK_ROUTE_H
#define BLACKSTART_NETLINK_ROUTE_H

#include "base/err.h"

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

enum { ROUTE_REQUEST_MAX = 10 * 1024 };

struct route_request {
    char data[ROUTE_REQUEST_MAX] __attribute__((aligned(8)));
    struct nlmsghdr *nlh;
    void *head;
};

/* `head` bytes of the message's own header, zeroed, behind the netlink one. */
void route_begin(struct route_request *q, uint16_t type, uint16_t flags, size_t head);

typedef void route_visit(void *ctx, const struct nlmsghdr *nlh);

/* Sends it and takes the answers; visit may be NULL. *ret_sys is the kernel's errno, 0 when it
 * agreed. */
int route_exchange(const struct route_request *q, route_visit *visit, void *ctx, int *ret_sys,
                   struct err *err) MUST_CHECK;

#endif
