/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_dns.h"
#include "agents/faults/dns.h"
#include "agents/faults/network_queue.h"
#include "agents/netlink/nft.h"
#include "agents/netlink/queue.h"
#include "base/clock.h"

#include <stdio.h>
#include <string.h>

enum { UNDO_VERSION = 1 };

struct dns_undo {
    uint32_t version;
    uint32_t mode;
    uint32_t peers; /* addresses, 0: everyone */
    struct proc_id bearer;
    struct nft_devices devices;
};

_Static_assert(sizeof(struct dns_undo) <= UNDO_DATA_MAX, "fits into an undo record");

static const char *const modes[] = {[DNS_SILENCE] = "silence",
                                    [DNS_NXDOMAIN] = "nxdomain",
                                    [DNS_WRONG] = "wrong",
                                    [DNS_SLOW] = "slow",
                                    NULL};

static const struct param params[] = {
    P(struct network_dns, PARAM_ENUM, mode, .required = true, .choices = modes,
      .doc =
          "What becomes of answers: silence, none comes; nxdomain, there is no such name; wrong, "
          "the addresses given; slow, they come late."),
    P(struct network_dns, PARAM_NAMES, names,
      .doc = "Only answers for these names and all beneath them: example.com means www.example.com "
             "too. Without it, all."),
    P(struct network_dns, PARAM_TEXT, addresses, .def = "",
      .doc = "With wrong: IPv4 and IPv6 addresses, up to 8, parted by commas. A family of which "
             "none is given has no address then; questions for other things than addresses are "
             "answered as they are."),
    P(struct network_dns, PARAM_DURATION, delay, .def = "0ms", .max = 60 * NS_PER_SEC,
      .doc = "With slow: by how much."),
    NETWORK_PEERS(.doc = "Only answers from these name servers. Without it, from all."),
    NETWORK_PORTS(.def = "53", .min = 1, .doc = "The ports at which the name servers listen."),
    NETWORK_FAMILY,
};

static int supported(struct fault_host *host, struct err *err)
{
    return network_need_session(host, err) < 0 ? -1 : network_queue_supported(host, false, err);
}

static int check(const void *data, struct err *err)
{
    const struct network_dns *args = data;
    struct dns_addrs addrs;
    if (network_peers_check(data, err) < 0)
        return -1;
    if (dns_addrs_parse(args->addresses.s, &addrs, err) < 0)
        return -1;
    if (args->mode == DNS_WRONG && addrs.n == 0)
        return make_error(err, ERR_INPUT, 0, "addresses: mode wrong needs one at least");
    if (args->mode != DNS_WRONG && addrs.n != 0)
        return make_error(err, ERR_INPUT, 0, "addresses: only mode wrong has them");
    if (args->mode == DNS_SLOW && args->delay.ns == 0)
        return make_error(err, ERR_INPUT, 0, "delay: mode slow needs one");
    if (args->mode != DNS_SLOW && args->delay.ns != 0)
        return make_error(err, ERR_INPUT, 0, "delay: only mode slow has one");
    return 0;
}

static int prepare(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct network_dns *args = data;
    struct dns_undo *u = (struct dns_undo *)undo->data;
    if (supported(host, err) < 0)
        return -1;
    memset(u, 0, sizeof(*u));
    u->version = UNDO_VERSION;
    u->mode = (uint32_t)args->mode;
    u->peers = args->traffic.peers.n;
    undo->size = sizeof(*u);
    return network_devices(&u->devices, err);
}

static int apply(struct fault_host *host, const void *data, struct undo *undo, struct err *err)
{
    const struct network_dns *args = data;
    struct dns_undo *u = (struct dns_undo *)undo->data;
    struct nft_injection in;
    struct dns_spec spec = {.mode = (enum dns_mode)args->mode,
                            .names = args->names,
                            .ports = args->traffic.ports,
                            .delay_ns = args->delay.ns};
    const struct network_server server = {
        .body = dns_run, .arg = &spec, .number = &spec.number, .copy = QUEUE_PACKET_MAX};
    if (dns_addrs_parse(args->addresses.s, &spec.addrs, err) < 0 ||
        network_need_session(host, err) < 0 ||
        network_injection(host, &args->traffic, undo, &u->devices, &in, err) < 0 ||
        network_queue_start(host, undo, &server, &u->bearer, err) < 0)
        return -1;
    in.protocol = spec.mode == DNS_SILENCE ? NFT_PROTO_ANY : NFT_PROTO_UDP;
    in.share = NFT_ALL_PPM;
    in.in = true;
    in.on_in = (struct nft_action){.verdict = NFT_QUEUE, .queue = spec.number};
    return nft_inject(host->nft, &in, err);
}

static const struct dns_undo *undo_read(const struct undo *undo, struct err *err)
{
    return undo_record(undo, UNDO_VERSION, sizeof(struct dns_undo), err);
}

static int verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                  struct err *err)
{
    const struct dns_undo *u = undo_read(undo, err);
    *ret_active = false;
    if (u == NULL || network_rules_active(host, undo, u->peers, ret_active, err) < 0)
        return -1;
    *ret_active = *ret_active && bearer_lives(host, &u->bearer);
    return 0;
}

static int evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                    struct err *err)
{
    static const char *const done[] = {[DNS_SILENCE] = "dropped",
                                       [DNS_NXDOMAIN] = "denied",
                                       [DNS_WRONG] = "wrong",
                                       [DNS_SLOW] = "delayed"};
    const struct dns_undo *u = undo_read(undo, err);
    const struct bearer_counters *c = bearer_read(undo);
    (void)host;
    *ret = (struct evidence){.n = 0};
    if (u == NULL)
        return -1;
    if (c == NULL || u->mode > DNS_SLOW)
        return make_error(err, ERR_NOT_FOUND, 0, "the process that serves the queue has ended");
    uint64_t changed = bearer_value(c, DNS_CHANGED), seen = bearer_value(c, DNS_SEEN),
             streams = bearer_value(c, DNS_STREAMS);
    ret->n = 3;
    ret->items[0] = (struct evidence_item){"changed", changed};
    ret->items[1] = (struct evidence_item){"seen", seen};
    ret->items[2] = (struct evidence_item){"tcp_dropped", streams};
    ret->proven = changed != 0 || streams != 0;
    (void)snprintf(ret->what, sizeof(ret->what), "%llu of %llu answers of name servers %s%s",
                   (unsigned long long)changed, (unsigned long long)seen, done[u->mode],
                   streams != 0 ? ", and packets of TCP" : "");
    return 0;
}

static int renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                 struct err *err)
{
    const struct dns_undo *u = undo_read(undo, err);
    if (u == NULL || network_queue_renew(host, undo, &u->bearer, lease_ns, err) < 0)
        return -1;
    return network_renew(host, undo, lease_ns, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    const struct dns_undo *u = undo_read(undo, err);
    *ret = (struct revert_report){0};
    if (u == NULL || network_queue_end(host, undo, &u->bearer, ret, err) < 0 ||
        network_remove_rules(host, undo, ret, err) < 0)
        return -1;
    return network_remove_link(undo, "", ret, err);
}

const struct fault fault_network_dns = {
    .name = "network.dns",
    .summary = "Name servers do not answer, deny names, lie, or are slow.",
    .doc =
        "Takes the answers of name servers, from their UDP port, of IPv4 and IPv6, where the host "
        "receives them, before any program does: drops them, or lets them go on with another "
        "content, or late. There is no direction to choose, since only an answer that arrives can "
        "be changed, and no protocol: UDP it is. With mode silence and no names, answers over TCP "
        "are dropped as "
        "well; else TCP passes, and so do messages in several fragments, and answers from the "
        "host itself (127.0.0.53, say), whose own questions to others are reached. What was "
        "changed may not be kept by caches: it has no time to live. Names that are in /etc/hosts "
        "or in a cache ask no server. A process of the agent's serves a packet queue (NFQUEUE); "
        "when it dies, answers pass.",
    .example = "- fault: network.dns\n"
               "  hosts: {label: member}\n"
               "  mode: nxdomain\n"
               "  names: [example.com]\n"
               "  for: 10s\n",
    .footprint = "the table inet blackstart-<run>, a packet queue and the process that serves it",
    .touches = TOUCHES_KERNEL,
    .caps = UINT64_C(1) << CAP_NET_ADMIN,
    .lifetime = LIFETIME_KERNEL,
    .evidence_class = EVIDENCE_COUNTER,
    FAULT_PARAMS(struct network_dns, params),
    .supported = supported,
    .check = check,
    .prepare = prepare,
    .apply = apply,
    .verify = verify,
    .evidence = evidence,
    .renew = renew,
    .revert = revert,
};
