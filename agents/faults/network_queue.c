/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/network_queue.h"

#include "agents/faults/network.h"
#include "agents/netlink/nft.h"
#include "agents/netlink/queue.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>

enum {
    QUEUE_FIRST = 42000, /* the first free from here on */
    END_GRACE_MS = 300
};
/* Longer than the kernel's own lease, which starts a little later and is rounded up: the rule ends
 * first, and nothing is sent to a queue that has just lost its process. */
static const int64_t BEARER_LEASE_NS = 30 * NS_PER_MS;

int network_queue_supported(struct fault_host *host, bool draw, struct err *err)
{
    return nft_supported(host->nft, draw, NFT_QUEUE, err) < 0 ? -1 : queue_supported(err);
}

int network_queue_start(const struct fault_host *host, const struct undo *undo,
                        const struct network_server *server, struct proc_id *ret_bearer,
                        struct err *err)
{
    int fd;
    if (queue_open(QUEUE_FIRST, server->copy, &fd, server->number, err) < 0)
        return -1;
    CLEANUP_FD int socket = fd;
    const struct bearer_spec spec = {.run = undo->run,
                                     .injection = undo->injection,
                                     .fds = &socket,
                                     .n_fds = 1,
                                     .caps = UINT64_C(1) << CAP_NET_ADMIN,
                                     .lease_ns = undo->lease_ns + BEARER_LEASE_NS,
                                     .body = server->body,
                                     .arg = server->arg};
    return bearer_start(host, &spec, ret_bearer, err);
}

int network_queue_renew(const struct fault_host *host, const struct undo *undo,
                        const struct proc_id *bearer, int64_t lease_ns, struct err *err)
{
    return bearer_renew(host, undo, bearer, lease_ns + BEARER_LEASE_NS, err);
}

/* First no packet goes there any more, then those that are there come out, and only then the chain
 * may go, which empties the queue. */
int network_queue_end(struct fault_host *host, const struct undo *undo,
                      const struct proc_id *bearer, struct revert_report *ret, struct err *err)
{
    if (network_disarm(host, undo, err) < 0)
        return -1;
    if (bearer_end(host, undo, bearer, END_GRACE_MS, err) == 0)
        return 0;
    (void)snprintf(ret->manual, sizeof(ret->manual), "kill -KILL %d", bearer->pid);
    return -1;
}
