/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What network faults share that work by a packet queue on the receiving side: its socket, the
 * bearer that serves it, and the order in which both end. What the bearer does is its own.
 */
#ifndef BLACKSTART_FAULTS_NETWORK_QUEUE_H
#define BLACKSTART_FAULTS_NETWORK_QUEUE_H

#include "agents/host/bearer.h"

struct network_server {
    void (*body)(struct bearer *self, void *arg);
    void *arg;
    uint16_t *number; /* of the queue; written before the body starts, and in arg, for it to read */
    uint32_t copy;    /* how many bytes of each packet it gets; 0: none */
};

/* Has this host packet queues, and nf_tables a way to them? */
int network_queue_supported(struct fault_host *host, bool draw, struct err *err);

int network_queue_start(const struct fault_host *host, const struct undo *undo,
                        const struct network_server *server, struct proc_id *ret_bearer,
                        struct err *err);
int network_queue_renew(const struct fault_host *host, const struct undo *undo,
                        const struct proc_id *bearer, int64_t lease_ns, struct err *err);
/* No packet comes any more, then the bearer ends; the rules are still to be removed. */
int network_queue_end(struct fault_host *host, const struct undo *undo,
                      const struct proc_id *bearer, struct revert_report *ret, struct err *err);

#endif
