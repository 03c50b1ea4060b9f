/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real hosts: their names, how to reach each one's agent, their labels. Read from a file of its
 * own, so that one scenario can run against several environments. Knows nothing of connections.
 */
#ifndef BLACKSTART_INVENTORY_H
#define BLACKSTART_INVENTORY_H

#include "base/param.h"
#include "scenario/problem.h"

struct inventory_host {
    const char *name;
    const char *const *addresses; /* of the host as its peers see it, IPv4 or IPv6 */
    size_t n_addresses;
    struct addr addrs[2];
    const char *connect; /* what ssh is called with: "host", "user@host" or "user@host:port" */
    const char *const *labels;
    size_t n_labels;
    struct pos pos;
};

struct inventory {
    const char *file;
    const struct inventory_host *hosts;
    size_t n_hosts;
};

#endif
