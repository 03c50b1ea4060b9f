/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"
#include "base/clock.h"

struct network_reorder {
    struct network_traffic traffic;
    struct ratio share;
    struct duration by;
};

static const struct param params[] = {
    P(struct network_reorder, PARAM_RATIO, share, .required = true, .min = 1, .max = 1000000,
      .doc = "How many of the packets are held back, each drawn by itself."),
    P(struct network_reorder, PARAM_DURATION, by, .def = "20ms", .min = NS_PER_MS / 10,
      .max = 60 * NS_PER_SEC,
      .doc = "For how long: what comes within that time overtakes the packet."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in", .doc = "Which way packets are reordered, seen from the host: in "
                                          "is what it receives, out is what it sends."),
};

static struct network_want want_of(const struct network_reorder *args)
{
    return (struct network_want){
        .work = NETWORK_DELAY, .share_ppm = args->share.ppm, .delay = {.delay_ns = args->by.ns}};
}

NETWORK_SHAPE_CALLS(struct network_reorder, NETWORK_DELAY)

const struct fault fault_network_reorder = {
    .name = "network.reorder",
    .summary = "Let packets overtake others.",
    .doc = "Holds a share of the packets back for a while, of IPv4 and IPv6, so "
           "that those behind overtake them; the others are not touched at all. It "
           "is network.delay for a share of the traffic, and done in the same way: "
           "by netem on an interface of the agent's own or, without netem, by a "
           "packet queue for what is received. A connection on which little is "
           "sent at a time sees a delay, since nothing is there to overtake. A "
           "packet is what the kernel handles as one: on virtual interfaces a "
           "batch of up to 64 kB of one connection.",
    .example = "- fault: network.reorder\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  share: 25%\n"
               "  by: 20ms\n"
               "  for: 10s\n",
    .footprint = NETWORK_SHAPE_FOOTPRINT,
    NETWORK_SHAPE_ROW,
    FAULT_PARAMS(struct network_reorder, params),
    .expand = network_expand,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
