/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults share that shape traffic instead of dropping it: delay, reorder, corrupt,
 * duplicate, rate. Each says what it wants of which packets; here it is decided how this host can
 * do it, and done by one of the mechanisms below, for all calls of the fault contract. A kind of
 * this family is its own parameters, NETWORK_SHAPE_ROW, a prepare and an apply.
 */
#ifndef BLACKSTART_FAULTS_NETWORK_SHAPE_H
#define BLACKSTART_FAULTS_NETWORK_SHAPE_H

#include "agents/faults/network.h"
#include "agents/faults/shape.h"

enum network_work { NETWORK_DELAY, NETWORK_CORRUPT, NETWORK_DUPLICATE, NETWORK_RATE };

struct network_want {
    enum network_work work;
    uint32_t share_ppm;
    struct shape_delay delay;
    uint64_t rate;      /* bytes a second */
    uint32_t burst;     /* bytes that pass at once */
    int64_t backlog_ns; /* how long a packet may wait before it is dropped */
};

/* How. What the kernel has decides; the evidence says which it was. */
enum network_mechanism {
    NETWORK_BY_NETEM = 1, /* packets are forwarded to an ifb of ours with netem */
    NETWORK_BY_TBF,       /* the same with a token bucket */
    NETWORK_BY_QUEUE,     /* a packet queue on the receiving side, served by a process of ours */
    NETWORK_BY_COPY       /* nf_tables sends a copy out of the same interface */
};

#define NETWORK_SHAPE_ROW                                                                          \
    .touches = TOUCHES_KERNEL, .caps = UINT64_C(1) << CAP_NET_ADMIN, .lifetime = LIFETIME_KERNEL,  \
    .evidence_class = EVIDENCE_COUNTER, .check = network_check, .verify = network_shape_verify,    \
    .evidence = network_shape_evidence, .renew = network_shape_renew,                              \
    .revert = network_shape_revert, .bound_ms = 2000, .how = how

/* The calls that differ only in what is wanted: want_of(args) says it. */
#define NETWORK_SHAPE_CALLS(ARGS, WORK)                                                            \
    static int supported(struct fault_host *host, struct err *err)                                 \
    {                                                                                              \
        return network_shape_supported(host, WORK, err);                                           \
    }                                                                                              \
    static const char *how(struct fault_host *host)                                                \
    {                                                                                              \
        return network_shape_how(host, WORK);                                                      \
    }                                                                                              \
    static int prepare(struct fault_host *host, const void *data, struct undo *undo,               \
                       struct err *err)                                                            \
    {                                                                                              \
        const ARGS *args = data;                                                                   \
        const struct network_want want = want_of(args);                                            \
        return network_shape_prepare(host, &args->traffic, &want, undo, err);                      \
    }                                                                                              \
    static int apply(struct fault_host *host, const void *data, struct undo *undo,                 \
                     struct err *err)                                                              \
    {                                                                                              \
        const ARGS *args = data;                                                                   \
        const struct network_want want = want_of(args);                                            \
        return network_shape_apply(host, &args->traffic, &want, undo, err);                        \
    }

#define NETWORK_SHAPE_FOOTPRINT                                                                    \
    "the table netdev blackstart-<run> and one link bs<12 hex digits>; without netem the table "   \
    "inet blackstart-<run>, a packet queue and the process that serves it"

/* Can this host do that work in any way? ERR_UNSUPPORTED with the reason. */
int network_shape_supported(struct fault_host *host, enum network_work work, struct err *err);
const char *network_shape_how(struct fault_host *host, enum network_work work);
int network_shape_prepare(struct fault_host *host, const struct network_traffic *args,
                          const struct network_want *want, struct undo *undo, struct err *err);
int network_shape_apply(struct fault_host *host, const struct network_traffic *args,
                        const struct network_want *want, struct undo *undo, struct err *err);
int network_shape_verify(struct fault_host *host, const struct undo *undo, bool *ret_active,
                         struct err *err);
int network_shape_evidence(struct fault_host *host, const struct undo *undo, struct evidence *ret,
                           struct err *err);
int network_shape_renew(struct fault_host *host, const struct undo *undo, int64_t lease_ns,
                        struct err *err);
int network_shape_revert(struct fault_host *host, const struct undo *undo,
                         struct revert_report *ret, struct err *err);

#endif
