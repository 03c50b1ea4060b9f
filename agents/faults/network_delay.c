/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_shape.h"
#include "base/clock.h"

struct network_delay {
    struct network_traffic traffic;
    struct duration delay, jitter;
    int distribution;
    struct ratio share;
};

static const char *const distributions[] = {
    [SHAPE_UNIFORM] = "uniform", [SHAPE_NORMAL] = "normal", [SHAPE_PARETO] = "pareto", NULL};

static const struct param params[] = {
    P(struct network_delay, PARAM_DURATION, delay, .required = true, .min = NS_PER_MS / 10,
      .max = 60 * NS_PER_SEC, .doc = "By how much packets are delayed, on the mean."),
    P(struct network_delay, PARAM_DURATION, jitter, .def = "0ms", .max = 60 * NS_PER_SEC,
      .doc = "How far the delay varies from packet to packet, so that some overtake others."),
    P(struct network_delay, PARAM_ENUM, distribution, .def = "uniform", .choices = distributions,
      .doc = "How it varies: evenly up to the jitter either way; normal, with the jitter as the "
             "standard deviation; pareto, the same deviation, but with a long tail of packets that "
             "come very late. No packet is delayed by less than nothing."),
    P(struct network_delay, PARAM_RATIO, share, .def = "100%", .min = 1, .max = 1000000,
      .doc = "How many of the packets are delayed, each drawn by itself; the others pass at once."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in",
                      .doc = "Which way packets are delayed, seen from the host: in is what it "
                             "receives, out is what it sends, both delays a round trip twice."),
};

static struct network_want want_of(const struct network_delay *args)
{
    return (struct network_want){
        .work = NETWORK_DELAY,
        .share_ppm = args->share.ppm,
        .delay = {.delay_ns = args->delay.ns,
                  .jitter_ns = args->jitter.ns,
                  .distribution = (enum shape_distribution)args->distribution}};
}

NETWORK_SHAPE_CALLS(struct network_delay, NETWORK_DELAY)

const struct fault fault_network_delay = {
    .name = "network.delay",
    .summary = "Delay packets, with jitter.",
    .doc =
        "Holds packets, of IPv4 and IPv6, where they are received, and lets them go when their "
        "time has come; with jitter they may overtake each other. Where the kernel has netem it "
        "works on an interface of the agent's own, through which the packets are led, never in "
        "the queue of the host's interfaces. Where it has not, packets wait in a packet queue "
        "(NFQUEUE) that a process of the agent's serves; the evidence says which it was, and how "
        "late that process let packets go. A packet queue delays what is received only: traffic "
        "towards peers without an agent, or towards everyone, then cannot be delayed. At the end a "
        "packet queue lets go at once what it holds, netem lets it go when it is due if that is "
        "less than a second; when the agent is killed, what a packet queue holds is lost. "
        "A packet is what the kernel handles as one: on virtual interfaces a batch of up to "
        "64 kB of one connection. ARP and IPv6 neighbour discovery are not delayed.",
    .example = "- fault: network.delay\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  delay: 50ms\n"
               "  jitter: 10ms\n"
               "  for: 10s\n",
    .footprint = NETWORK_SHAPE_FOOTPRINT,
    NETWORK_SHAPE_ROW,
    FAULT_PARAMS(struct network_delay, params),
    .expand = network_expand,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
};
