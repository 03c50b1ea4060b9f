/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"
#include "agents/netlink/nft.h"
#include "base/clock.h"

struct network_rate {
    struct network_traffic traffic;
    struct bytes rate, burst;
    struct duration backlog;
};

static const struct param params[] = {
    P(struct network_rate, PARAM_BYTES, rate, .required = true, .min = 1024, .max = 10000000000,
      .doc = "How many bytes a second pass: 125KB is a line of 1 Mbit/s."),
    P(struct network_rate, PARAM_BYTES, burst, .def = "32KiB", .min = 2048, .max = 16777216,
      .doc = "How much passes at once after a rest."),
    P(struct network_rate, PARAM_DURATION, backlog, .def = "400ms", .min = NS_PER_MS,
      .max = 60 * NS_PER_SEC,
      .doc = "How long a packet may wait in front of the line; more is dropped."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in", .doc = "Which way the line is slow, seen from the host: in is "
                                          "what it receives, out is what it sends."),
};

static struct network_want want_of(const struct network_rate *args)
{
    return (struct network_want){.work = NETWORK_RATE,
                                 .share_ppm = NFT_ALL_PPM,
                                 .rate = args->rate.n,
                                 .burst = (uint32_t)args->burst.n,
                                 .backlog_ns = args->backlog.ns};
}

NETWORK_SHAPE_CALLS(struct network_rate, NETWORK_RATE)

const struct fault fault_network_rate = {
    .name = "network.rate",
    .summary = "Make the line slow.",
    .doc = "Lets the traffic chosen, of IPv4 and IPv6, pass at no more than a "
           "rate, all of it together on each host: it is led through an interface "
           "of the agent's own with a token bucket (TBF). What exceeds it waits, "
           "and what has no room to wait is dropped. The queues of the host's own "
           "interfaces are not touched. It counts as proven when a packet had to "
           "wait. A packet passes one such line only: a second rate, or a rate after "
           "a delay by netem, for the same traffic is refused. Begin the rate "
           "first: a delay of what is received then waits in a packet queue, and "
           "both act.",
    .example = "- fault: network.rate\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  rate: 4KiB\n"
               "  burst: 2KiB\n"
               "  for: 10s\n",
    .footprint = "the table netdev blackstart-<run> and one link bs<12 hex digits>",
    NETWORK_SHAPE_ROW,
    FAULT_PARAMS(struct network_rate, params),
    .expand = network_expand,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
