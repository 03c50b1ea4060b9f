/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network.h"
#include "agents/netlink/nft.h"

static const struct param params[] = {
    P(struct network_loss, PARAM_RATIO, share, .required = true, .min = 1, .max = NFT_ALL_PPM,
      .doc = "How many of the packets are lost, each drawn by itself."),
    NETWORK_PEERS(.doc = "Only traffic with these hosts. Without it, with everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in",
                      .doc = "Which way packets are lost, seen from the host: in is what it "
                             "receives, out is what it sends, both draws once for each way."),
};

static int supported(struct fault_host *host, struct err *err)
{
    return network_supported(host, true, err);
}

static int apply(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct network_loss *args = data;
    return network_apply(host, &args->traffic, args->share.ppm, undo, err);
}

const struct fault fault_network_loss = {
    .name = "network.loss",
    .summary = "Lose a share of the packets at random.",
    .doc = "Drops each packet with the given probability, for IPv4 and IPv6, where it is received; "
           "towards peers without an agent, and towards everyone, the host itself lets packets "
           "vanish after sending them. A packet here is what the kernel handles as one: on "
           "virtual interfaces that can be a batch of up to 64 kB of one TCP connection. ARP and "
           "IPv6 neighbour discovery are not lost. The rules stand in an nf_tables table of the "
           "agent's own; other tables, and the interfaces' queues, are not touched.",
    .example = "- fault: network.loss\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  share: 30%\n"
               "  for: 10s\n",
    .footprint = "the table netdev blackstart-<run>; for what is lost on sending also one link "
                 "bs<12 hex digits> that is down",
    NETWORK_ROW,
    FAULT_PARAMS(struct network_loss, params),
    .supported = supported,
    .prepare = network_prepare,
    .apply = apply,
};
