/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queueing on a link of ours: netem's delay and corruption, TBF's rate. The link goes with all of
 * it; no other link's queue is ever set or deleted. No malloc.
 */
#ifndef BLACKSTART_NETLINK_QDISC_H
#define BLACKSTART_NETLINK_QDISC_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QDISC_NETEM_LIMIT = 32768 /* packets that wait at most */ };

/* Has this kernel the discipline ("netem", "tbf")? Asked on loopback with options that every kernel
 * refuses, so nothing changes. */
int qdisc_supported(const char *kind, bool *ret, struct err *err) MUST_CHECK;

struct qdisc_netem {
    int64_t delay_ns, jitter_ns;
    /* The jitter's distribution: its quantiles at equal steps, in 1/8192 of the jitter; n 0: evenly
     * between minus and plus the jitter. */
    const int16_t *table;
    size_t n_table;
    uint32_t corrupt_ppm, duplicate_ppm;
};
int qdisc_set_netem(uint32_t index, const struct qdisc_netem *netem, struct err *err) MUST_CHECK;

/* Bytes a second; what may pass at once; what may wait before packets are dropped. */
int qdisc_set_rate(uint32_t index, uint64_t rate, uint32_t burst, uint32_t limit,
                   struct err *err) MUST_CHECK;

struct qdisc_reading {
    bool there;
    uint32_t held;    /* how often a packet had to wait */
    uint32_t dropped; /* for want of room */
    uint32_t waiting; /* packets, now */
};
int qdisc_read(uint32_t index, const char *kind, struct qdisc_reading *ret,
               struct err *err) MUST_CHECK;

#endif
