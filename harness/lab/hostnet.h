/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links and addresses of a lab, as rtnetlink messages sent in one batch. Works in the network
 * namespace that the caller is in, which is never the machine's. Knows nothing of hosts' files or
 * processes.
 */
#ifndef BLACKSTART_LAB_HOSTNET_H
#define BLACKSTART_LAB_HOSTNET_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { HOSTNET_MTU = 1500 };

/* In the fabric's namespace: loopback and the bridge. Returns the bridge's index. */
int hostnet_make_bridge(int *ret_index, struct err *err) MUST_CHECK;

/* One veth for each host in one batch: this end, named by numbers[i], joins the bridge, the other
 * is "eth0" in the network namespace that net_fds[i] is open on, which need not have a process. */
int hostnet_make_links(int bridge_index, const int *net_fds, const size_t *numbers, size_t n,
                       struct err *err) MUST_CHECK;

/* In a host's namespace: loopback up, and the addresses (text) on eth0; ip6 may be NULL. */
int hostnet_configure(const char *ip, const char *ip6, struct err *err) MUST_CHECK;

/* Before links exist in this namespace: addresses are usable at once, without duplicate address
 * detection. False when the kernel has no IPv6. */
bool hostnet_prepare_ipv6(bool enabled);

#endif
