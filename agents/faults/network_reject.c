/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_reject.h"
#include "agents/netlink/nft.h"

static const char *const reasons[] = {[NFT_NO_ROUTE] = "route",
                                      [NFT_NO_PORT] = "port",
                                      [NFT_NO_HOST] = "host",
                                      [NFT_PROHIBITED] = "prohibited",
                                      NULL};

static const char *const answers[] = {
    [NETWORK_ANSWER_RESET] = "reset", [NETWORK_ANSWER_UNREACHABLE] = "unreachable", NULL};

static const struct param params[] = {
    NETWORK_PEERS(.doc = "Only what comes from these hosts. Without it, from everyone."),
    NETWORK_SELECTION,
    NETWORK_DIRECTION(.def = "in",
                      .doc = "Which way packets are refused, seen from the host: in is what it "
                             "receives; out is what it sends, which each of its peers refuses, so "
                             "that they need an agent."),
    P(struct network_reject, PARAM_ENUM, answer, .def = "reset", .choices = answers,
      .doc = "How TCP is refused: reset, with a reset, as by a host on which nothing listens; "
             "unreachable, with ICMP unreachable like all else, as most firewalls do unless they "
             "are told otherwise."),
    P(struct network_reject, PARAM_ENUM, unreachable, .def = "port", .choices = reasons,
      .doc = "What ICMP says is unreachable: the port, the host, the route to it, or that it is "
             "prohibited."),
};

static int supported(struct fault_host *host, struct err *err)
{
    if (network_need_session(host, err) < 0)
        return -1;
    enum nft_verdict ignored;
    return nft_reject_way(host->nft, &ignored, err);
}

/* A refusal can only come from where the packet arrives. */
static int expand(const struct expand_in *in, const struct expand_out *out, struct err *err)
{
    const struct network_reject *args = in->args;
    if (args->traffic.direction != NETWORK_IN && in->n_peers == 0)
        return make_error(err, ERR_INPUT, 0,
                          "direction: what is sent to everyone cannot be refused; name peers, or "
                          "choose direction in");
    for (size_t i = 0; args->traffic.direction != NETWORK_IN && i < in->n_peers; i++)
        if (!in->peers[i].has_agent)
            return make_error(err, ERR_INPUT, 0,
                              "peers: %s has no agent, which would have to refuse what it is sent; "
                              "choose direction in",
                              in->peers[i].name);
    return network_expand(in, out, err);
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct network_reject *a = args;
    if (a->traffic.direction != NETWORK_IN)
        return make_error(err, ERR_INPUT, 0,
                          "direction: a host refuses what it receives, and nothing else");
    return network_prepare(host, args, undo, err);
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct network_reject *a = args;
    enum nft_verdict way;
    if (network_need_session(host, err) < 0 || nft_reject_way(host->nft, &way, err) < 0)
        return -1;
    const struct nft_action refuse = {.verdict = way,
                                      .why = (enum nft_unreachable)a->unreachable,
                                      .no_reset = a->answer == NETWORK_ANSWER_UNREACHABLE};
    return network_apply_action(host, &a->traffic, NFT_ALL_PPM, refuse, undo, err);
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    return network_count(host, undo, "rejected", ret, err);
}

const struct fault fault_network_reject = {
    .name = "network.reject",
    .summary = "Refuse packets, and say so: with a reset, or ICMP unreachable.",
    .doc = "Answers what a host receives, of IPv4 and IPv6, as a firewall that rejects, or a host "
           "on which nothing listens: each segment of TCP with a reset, so that connections fail "
           "at once instead of waiting, and all else with ICMP unreachable. With answer "
           "unreachable TCP is told by ICMP too: what connects fails at once (over IPv6 in a lab a "
           "second later: there ICMP comes before the call that sends is over, and IPv6 heeds the "
           "next), what is connected already is not ended but waits, as if the packets were lost. "
           "The packet itself goes no further. What the host opens by itself waits, since only the "
           "answers to it are refused; with direction both, each end refuses, and both are told. "
           "ICMP unreachable passes, a reset where TCP is answered with resets, and so do ARP and "
           "neighbour discovery. The rules stand in an nf_tables table of the agent's own, at the "
           "interfaces; where the kernel cannot refuse there (CONFIG_NFT_REJECT_NETDEV, which "
           "Debian 12 lacks), before routing, where it sends ICMP to one host only so often "
           "(net.ipv4.icmp_ratelimit), as for any firewall, and resets always. Other tables are "
           "not touched. A port matches as source or as destination.",
    .example = "- fault: network.reject\n"
               "  hosts: {label: member}\n"
               "  peers: {label: member}\n"
               "  for: 10s\n",
    .footprint = "the table netdev blackstart-<run>, or inet blackstart-<run>",
    .touches = TOUCHES_KERNEL,
    .caps = UINT64_C(1) << CAP_NET_ADMIN,
    .lifetime = LIFETIME_KERNEL,
    .evidence_class = EVIDENCE_COUNTER,
    FAULT_PARAMS(struct network_reject, params),
    .check = network_check,
    .expand = expand,
    .supported = supported,
    .prepare = prepare,
    .apply = apply,
    .verify = network_verify,
    .evidence = evidence,
    .renew = network_renew,
    .revert = network_revert,
};
