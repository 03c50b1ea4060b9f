/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"
#include "agents/netlink/sockdiag.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { UNDO_VERSION = 1, BOUND_MS = 5000, PAUSE_NS = 5 * 1000 * 1000 };
/* A client may be between two connections. */
static const int64_t WAIT_NS = 250 * NS_PER_MS;

struct reset_undo {
    uint32_t version;
    uint32_t destroyed; /* noted by apply */
};

static const struct param params[] = {
    NETWORK_PEERS(.doc = "Only connections with these hosts. Without it, with everyone."),
    NETWORK_PORTS(.doc = "Only connections in which one end has one of these ports. Without it, "
                         "all."),
    NETWORK_FAMILY,
};

static int supported(struct fault_host *host, struct err *err)
{
    (void)host;
    return sockdiag_supported(err);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    struct reset_undo *u = (struct reset_undo *)undo->data;
    (void)host, (void)args, (void)err;
    *u = (struct reset_undo){.version = UNDO_VERSION};
    undo->size = sizeof(*u);
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    static const struct timespec pause = {.tv_nsec = PAUSE_NS};
    struct reset_undo *u = (struct reset_undo *)undo->data;
    int64_t end = host->now() + WAIT_NS;
    for (;;) {
        if (network_destroy(args, &u->destroyed, err) < 0)
            return -1;
        if (u->destroyed != 0)
            return 0;
        if (host->now() >= end)
            return make_error(err, ERR_NOT_FOUND, 0,
                              "this host has no established connection of that kind: see ss -tn");
        (void)nanosleep(&pause, NULL);
    }
}

static const struct reset_undo *undo_read(const struct undo *undo, struct err *err)
{
    return undo_record(undo, UNDO_VERSION, sizeof(struct reset_undo), err);
}

/* What was destroyed stays so. */
static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct reset_undo *u = undo_read(undo, err);
    (void)host;
    *ret_active = u != NULL && u->destroyed != 0;
    return u != NULL ? 0 : -1;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    const struct reset_undo *u = undo_read(undo, err);
    (void)host;
    if (u == NULL)
        return -1;
    *ret = (struct evidence){
        .items = {{"destroyed", u->destroyed}}, .n = 1, .proven = u->destroyed != 0};
    (void)snprintf(ret->what, sizeof(ret->what), "%u connection%s destroyed", u->destroyed,
                   u->destroyed == 1 ? "" : "s");
    return 0;
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct reset_undo *u = undo_read(undo, err);
    (void)host;
    *ret = (struct revert_report){0};
    if (u == NULL)
        return -1;
    (void)snprintf(ret->what, sizeof(ret->what),
                   "nothing to put back: programs open new connections");
    return 0;
}

const struct fault fault_network_reset = {
    .name = "network.reset",
    .summary = "End established TCP connections, once.",
    .doc = "Destroys the TCP connections that are established at that moment, of IPv4 and IPv6, as "
           "a firewall or load balancer does that forgets its connections: the host's program sees "
           "ECONNABORTED, the other end a reset. It happens once; new connections are not "
           "hindered. A quarter of a second it waits for one to come, then it is an error that "
           "there is none. Of two hosts that are each other's peers one does it. Listening "
           "sockets, other protocols, and connections within the host over its loopback "
           "addresses, are left alone. There is no protocol to choose, since only TCP has "
           "connections to end, and no direction: the kernel does not keep who opened one. Where "
           "it matters, the service's port in `ports` tells its connections from the others.",
    .example = "- fault: network.reset\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n",
    .footprint = "the connections that the parameters name",
    .touches = TOUCHES_KERNEL,
    .caps = UINT64_C(1) << CAP_NET_ADMIN,
    .lifetime = LIFETIME_INSTANT,
    .evidence_class = EVIDENCE_EVENT,
    .bound_ms = BOUND_MS,
    FAULT_PARAMS(struct network_traffic, params),
    .check = network_peers_check,
    .expand = network_expand_pairs,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .revert = revert,
};
