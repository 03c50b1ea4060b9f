/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"

struct network_duplicate {
    struct network_traffic traffic;
    struct ratio share;
};

static const struct param params[] = {
    P(struct network_duplicate, PARAM_RATIO, share, .required = true, .min = 1, .max = 1000000,
      .doc = "How many of the packets come twice, each drawn by itself."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "out", .doc = "Which way packets are duplicated, seen from the host: "
                                           "out is what it sends, in is what it receives."),
};

static struct network_want want_of(const struct network_duplicate *args)
{
    return (struct network_want){.work = NETWORK_DUPLICATE, .share_ppm = args->share.ppm};
}

NETWORK_SHAPE_CALLS(struct network_duplicate, NETWORK_DUPLICATE)

const struct fault fault_network_duplicate = {
    .name = "network.duplicate",
    .summary = "Send packets twice.",
    .doc = "Sends a copy of each packet drawn, of IPv4 and IPv6, out of the same "
           "interface. It is done where packets are sent, by a rule in an "
           "nf_tables table of the agent's own; what comes from peers without an "
           "agent, or from everyone, is duplicated on receiving, which needs "
           "netem, on an interface of the agent's own. TCP drops a duplicate by "
           "itself and answers it; a program sees duplicates on UDP only. Copies "
           "carry bit 0x40000000 in their firewall mark on their way out.",
    .example = "- fault: network.duplicate\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  share: 20%\n"
               "  for: 10s\n",
    .footprint =
        "the table netdev blackstart-<run>; for what is duplicated on receiving also one link "
        "bs<12 hex digits>",
    NETWORK_SHAPE_ROW,
    FAULT_PARAMS(struct network_duplicate, params),
    .expand = network_expand_senders,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
