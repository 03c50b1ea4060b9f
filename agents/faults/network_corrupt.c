/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"

struct network_corrupt {
    struct network_traffic traffic;
    struct ratio share;
};

static const struct param params[] = {
    P(struct network_corrupt, PARAM_RATIO, share, .required = true, .min = 1, .max = 1000000,
      .doc = "How many of the packets are damaged, each drawn by itself."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in", .doc = "Which way packets are damaged, seen from the host: in "
                                          "is what it receives, out is what it sends."),
};

static struct network_want want_of(const struct network_corrupt *args)
{
    return (struct network_want){.work = NETWORK_CORRUPT, .share_ppm = args->share.ppm};
}

NETWORK_SHAPE_CALLS(struct network_corrupt, NETWORK_CORRUPT)

const struct fault fault_network_corrupt = {
    .name = "network.corrupt",
    .summary = "Flip a bit in packets.",
    .doc = "Flips one bit in each packet drawn, of IPv4 and IPv6, as bad memory or "
           "a bad cable would. Its checksum then no longer fits, so that TCP and "
           "UDP drop the packet and programs see a loss, as they do in reality; "
           "what has no checksum, such as UDP over IPv4 without one, reaches its "
           "program damaged. Without netem, by a packet queue for what is "
           "received: the bit lies behind the IP header, and batches of segments "
           "come apart on the way there. With netem, on an interface of the "
           "agent's own, it may lie anywhere in the packet.",
    .example = "- fault: network.corrupt\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  share: 10%\n"
               "  for: 10s\n",
    .footprint = NETWORK_SHAPE_FOOTPRINT,
    NETWORK_SHAPE_ROW,
    FAULT_PARAMS(struct network_corrupt, params),
    .expand = network_expand,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
