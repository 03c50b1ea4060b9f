/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"
#include "agents/netlink/nft.h"
#include "agents/netlink/sockdiag.h"

static const char *const connections[] = {
    [NETWORK_KEEP] = "keep", [NETWORK_DESTROY] = "destroy", NULL};

static const struct param params[] = {
    NETWORK_PEERS(.required = true, .doc = "The hosts to cut off from this one."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "both",
                      .doc = "Which way packets are dropped, seen from the host: in is what it "
                             "receives from its peers, out is what it sends to them."),
    P(struct network_partition, PARAM_ENUM, connections, .def = "keep", .choices = connections,
      .doc = "What becomes of TCP connections with the peers that are established when the fault "
             "begins: keep leaves them to stall; destroy ends them, once packets are dropped, at "
             "each host where they are: programs there see an error at once, the other end "
             "nothing, as when a machine's network is lost."),
};

static int supported(struct fault_host *host, struct err *err)
{
    return network_supported(host, false, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct network_partition *a = args;
    if (network_apply(host, &a->traffic, NFT_ALL_PPM, undo, err) < 0)
        return -1;
    if (a->connections == NETWORK_KEEP || a->traffic.protocol > NFT_PROTO_TCP)
        return 0;
    /* Behind the rules: none can be made again meanwhile. */
    return network_destroy(&a->traffic, network_destroyed(undo), err);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct network_partition *a = args;
    if (a->connections == NETWORK_DESTROY && sockdiag_supported(err) < 0)
        return -1;
    return network_prepare(host, args, undo, err);
}

const struct fault fault_network_partition = {
    .name = "network.partition",
    .summary = "Cut hosts off from each other: their packets vanish.",
    .doc = "Drops, for IPv4 and IPv6, what the hosts receive from each other, on every network "
           "interface that is up, as a cable that was pulled would: established connections stall "
           "and resend, nobody is told. Each end drops what arrives there; towards a peer without "
           "an agent, the host itself lets packets vanish after sending them. ARP and IPv6 "
           "neighbour discovery pass, and so does every other host. The rules stand in an "
           "nf_tables table of the agent's own; other tables, and the interfaces' queues, are not "
           "touched. A port matches as source or as destination; of a fragmented packet only the "
           "first fragment has ports.",
    .example = "- fault: network.partition\n"
               "  hosts: {role: leader}\n"
               "  peers: {all_but: {role: leader}}\n"
               "  for: 8s\n",
    .footprint = "the table netdev blackstart-<run>; towards peers without an agent also one link "
                 "bs<12 hex digits> that is down",
    NETWORK_ROW,
    FAULT_PARAMS(struct network_partition, params),
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
