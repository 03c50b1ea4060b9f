/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults on packets share: which traffic they mean, as parameters and as a struct, where
 * each piece of a request is injected, and the calls of the fault contract, for which a partition
 * is a loss of everything. A kind of this family is its own parameters, NETWORK_ROW and an apply.
 */
#ifndef BLACKSTART_FAULTS_NETWORK_H
#define BLACKSTART_FAULTS_NETWORK_H

#include "base/fault.h"

#include <linux/capability.h>

enum network_direction { NETWORK_BOTH, NETWORK_IN, NETWORK_OUT };
enum network_family { NETWORK_ANY, NETWORK_IPV4, NETWORK_IPV6 };

/* Which traffic. The args struct of each kind starts with it. `in`: what the host receives from its
 * peers, `out`: what it sends to them. An injection, which expand has made, says only one of the
 * two: `out` is then the silent drop at the sender. */
struct network_traffic {
    struct addrs peers;
    struct ports ports;
    int protocol;  /* enum nft_protocol */
    int family;    /* enum network_family */
    int direction; /* enum network_direction */
};

struct network_loss {
    struct network_traffic traffic;
    struct ratio share;
};

enum network_connections { NETWORK_KEEP, NETWORK_DESTROY };
struct network_partition {
    struct network_traffic traffic;
    int connections; /* enum network_connections */
};

extern const char *const network_protocols[];
extern const char *const network_families[];
extern const char *const network_directions[];

/* The rows of struct network_traffic. What the peers and the direction mean, and whether they must
 * be given, each kind says itself. */
#define NETWORK_PEERS(...) P(struct network_traffic, PARAM_HOSTS, peers, __VA_ARGS__)
#define NETWORK_PORTS(...) P(struct network_traffic, PARAM_PORTS, ports, __VA_ARGS__)
#define NETWORK_FAMILY                                                                             \
    P(struct network_traffic, PARAM_ENUM, family, .def = "any", .choices = network_families,       \
      .doc = "Only IPv4 or only IPv6.")
#define NETWORK_SELECTION                                                                          \
    NETWORK_PORTS(.doc = "Only traffic whose source or destination port is one of these: flows "   \
                         "to a service that listens there, and its answers. Without it, all "      \
                         "traffic."),                                                              \
        P(struct network_traffic, PARAM_ENUM, protocol, .def = "any",                              \
          .choices = network_protocols,                                                            \
          .doc = "Only this protocol. With ports, any means each protocol that has ports."),       \
        NETWORK_FAMILY
#define NETWORK_DIRECTION(...)                                                                     \
    P(struct network_traffic, PARAM_ENUM, direction, .choices = network_directions, __VA_ARGS__)

/* What the rows of the kinds that drop packets have in common, but for texts, parameters, supported
 * and apply. */
#define NETWORK_ROW                                                                                \
    .touches = TOUCHES_KERNEL, .caps = UINT64_C(1) << CAP_NET_ADMIN, .lifetime = LIFETIME_KERNEL,  \
    .evidence_class = EVIDENCE_COUNTER, .check = network_check, .expand = network_expand,          \
    .verify = network_verify, .evidence = network_evidence, .renew = network_renew,                \
    .revert = network_revert

struct nft_devices;
struct nft_injection;
struct nft_action;

int network_supported(struct fault_host *host, bool draw, struct err *err);
/* As network_expand, but each piece is done where it is sent, not where it is received. */
int network_expand_senders(const struct expand_in *in, const struct expand_out *out,
                           struct err *err);

/* Each pair of a host and a peer once, at the host. */
int network_expand_pairs(const struct expand_in *in, const struct expand_out *out, struct err *err);

/* For kinds that do something else than drop. */
int network_need_session(const struct fault_host *host, struct err *err);
int network_devices(struct nft_devices *ret, struct err *err);
/* Which packets and for how long; what becomes of them is the caller's. */
int network_injection(struct fault_host *host, const struct network_traffic *args,
                      const struct undo *undo, const struct nft_devices *devices,
                      struct nft_injection *ret, struct err *err);
/* Destroys the host's established connections of that traffic; *ret_n is raised by how many. */
int network_destroy(const struct network_traffic *args, uint32_t *ret_n, struct err *err);
int network_rules_active(struct fault_host *host, const struct undo *undo, uint32_t peers,
                         bool *ret, struct err *err);
/* Its rules match no more; they stand until they are removed. */
int network_disarm(struct fault_host *host, const struct undo *undo, struct err *err);
int network_remove_rules(struct fault_host *host, const struct undo *undo,
                         struct revert_report *ret, struct err *err);
/* After the rules. `link` may be empty. */
int network_remove_link(const struct undo *undo, const char *link, struct revert_report *ret,
                        struct err *err);

int network_check(const void *args, struct err *err);
/* Of it, what is about the peers alone. */
int network_peers_check(const void *args, struct err *err);
int network_expand(const struct expand_in *in, const struct expand_out *out, struct err *err);
int network_prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err);
int network_apply(struct fault_host *host, const struct network_traffic *args, uint32_t share_ppm,
                  struct undo *undo, struct err *err);
/* The same with another end for what the host receives. */
int network_apply_action(struct fault_host *host, const struct network_traffic *args,
                         uint32_t share_ppm, struct nft_action on_in, struct undo *undo,
                         struct err *err);
/* Evidence of packets that matched; `done`: the word for what became of them. */
int network_count(struct fault_host *host, const struct undo *undo, const char *done,
                  struct evidence *ret, struct err *err);
/* In the record: how many connections this injection destroyed. */
uint32_t *network_destroyed(struct undo *undo);
int network_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                   struct err *err);
int network_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                     struct err *err);
int network_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                  struct err *err);
int network_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                   struct err *err);

#endif
