/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of the legacy iptables and ip6tables tables that exist in this namespace, a line each.
 * Makes no table: asking the kernel for one by name would.
 */
#ifndef BLACKSTART_NETLINK_DUMPLEGACY_H
#define BLACKSTART_NETLINK_DUMPLEGACY_H

#include "base/buf.h"

int dumplegacy_take(struct buf *lines, struct err *err) MUST_CHECK;

#endif
