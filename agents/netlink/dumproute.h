/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses, routes, routing rules, qdiscs, classes and filters as lines of text.
 */
#ifndef BLACKSTART_NETLINK_DUMPROUTE_H
#define BLACKSTART_NETLINK_DUMPROUTE_H

#include "base/buf.h"

int dumproute_take(struct buf *lines, struct err *err) MUST_CHECK;

#endif
