/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nf_tables side of network faults: one netfilter socket per agent, and a `netdev` and an
 * `inet` table `blackstart-<run>`, each when it is needed, that this socket owns, so that the
 * kernel deletes them with the socket. Each injection has base chains and sets of its own in one of
 * them, named after its id, and one timed set, its lease: rules match only while the lease's
 * elements live, so every injection ends in the kernel by itself and is renewed by two elements,
 * however many peers it has. The first injection brings a table, the last takes it away. Knows
 * nothing of faults, plans or the wire.
 */
#ifndef BLACKSTART_NETLINK_NFT_H
#define BLACKSTART_NETLINK_NFT_H

#include "base/err.h"
#include "base/fault.h"
#include "base/param.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    NFT_TABLE_LEN = sizeof("blackstart-") + RUN_ID_MAX,
    NFT_DEVICES_MAX = 64,
    NFT_INJECTIONS_MAX = 64, /* at once */
    NFT_ALL_PPM = 1000000,
};

struct nft_devices {
    uint32_t n;
    char name[NFT_DEVICES_MAX][IFNAMSIZ];
};

/* 0: any. Ports imply those protocols that have them. */
enum nft_protocol {
    NFT_PROTO_ANY,
    NFT_PROTO_TCP,
    NFT_PROTO_UDP,
    NFT_PROTO_SCTP,
    NFT_PROTO_ICMP /* of either family, but for neighbour discovery */
};

/* What NFT_REJECT says, of either family. The kernel's own numbers (enum nft_reject_inet_code). */
enum nft_unreachable { NFT_NO_ROUTE, NFT_NO_PORT, NFT_NO_HOST, NFT_PROHIBITED };

/* What becomes of a packet. */
enum nft_verdict {
    NFT_DROP,    /* at the device, on receiving only: elsewhere the sender's stack would be told */
    NFT_FORWARD, /* at the device: to a link of ours, a line or one that is down */
    NFT_DUPLICATE, /* at the device, on sending only: it leaves twice */
    NFT_QUEUE,     /* before routing, on receiving only: to a packet queue; on if nobody listens */
    NFT_REJECT, /* at the device, on receiving only: TCP is reset, unless it is to be told as well,
                   the rest told why; what is such an answer passes */
    NFT_REJECT_ROUTED /* the same before routing, where the kernel limits how much ICMP it sends
                         (net.ipv4.icmp_ratelimit); for kernels that cannot at the device */
};

struct nft_action {
    enum nft_verdict verdict;
    uint32_t link;            /* NFT_FORWARD: its interface index */
    uint16_t queue;           /* NFT_QUEUE: its number */
    enum nft_unreachable why; /* of a rejection */
    bool no_reset;            /* of a rejection: TCP is told why, too */
};

/* Where several rules want a packet they act in this order; nothing acts on what NFT_FORWARD has
 * taken but what stands before routing. */
enum nft_order { NFT_FIRST, NFT_COPIES, NFT_LINES };

/* By which expression this kernel hands a packet to a queue. */
enum nft_queue_form { NFT_QUEUE_UNKNOWN, NFT_QUEUE_NATIVE, NFT_QUEUE_TARGET };

/* Which packets, and what becomes of them. Pointers are borrowed for the call. */
struct nft_injection {
    const char *id; /* [a-z0-9-], at most INJECTION_ID_MAX */
    const struct nft_devices *devices;
    const struct addrs *peers; /* n == 0: everyone */
    const struct ports *ports; /* n == 0: all; else source or destination port in the list */
    enum nft_protocol protocol;
    uint8_t family; /* 4, 6; 0: both */
    bool in, out;   /* from peers at ingress; to peers at egress */
    uint32_t share; /* of a million, drawn for each packet; NFT_ALL_PPM: all of them */
    struct nft_action on_in, on_out; /* both of one table: both at the device, or neither */
    enum nft_order order;
    int64_t lease_ms; /* from now; at least 1 */
};

struct nft_reading {
    uint32_t rules;          /* of this injection, that count */
    uint32_t peers;          /* elements of its address sets */
    uint64_t packets, bytes; /* that matched; one packet may be a batch of up to 64 kB (GSO) */
    int64_t lease_left_ms;   /* 0: it has run out */
};

struct nft_session;

int nft_open(const char *run, struct nft_session **ret, struct err *err) MUST_CHECK;
void nft_close(struct nft_session *s); /* NULL is fine; waits 10-20 ms when something was deleted */
const char *nft_table(const struct nft_session *s);

/* Tries, in one batch that ends by deleting it again, a table as we use it, with a draw or without;
 * nothing is ever seen of it. ERR_UNSUPPORTED with the reason. */
int nft_supported(struct nft_session *s, bool draw, enum nft_verdict verdict,
                  struct err *err) MUST_CHECK;

/* Which of the two ways to reject this kernel has; found once for a session. */
int nft_reject_way(struct nft_session *s, enum nft_verdict *ret, struct err *err) MUST_CHECK;

/* All of it or nothing. */
int nft_inject(struct nft_session *s, const struct nft_injection *in, struct err *err) MUST_CHECK;

/* The lease ends lease_ms from now. ERR_LAPSED if it had run out: then nothing is armed again. */
int nft_renew(struct nft_session *s, const char *id, int64_t lease_ms, struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND when it is not there. `peers` are only counted if asked. */
int nft_read(struct nft_session *s, const char *id, bool count_peers, struct nft_reading *ret,
             struct err *err) MUST_CHECK;

/* Does any injection of it forward to a line? */
bool nft_has_lines(const struct nft_session *s);

/* ERR_REFUSED when one of them takes some of the packets that this one means: a second line would
 * do nothing to them. */
int nft_check_line(const struct nft_session *s, const struct nft_injection *in,
                   struct err *err) MUST_CHECK;

/* Is this the session whose table bears that run's name? */
bool nft_holds(const struct nft_session *s, const char *run);

/* No packet matches any more; its rules, and what a queue holds, stay until it is withdrawn. What
 * is not there, or has lapsed, is success. Without malloc. */
int nft_disarm(struct nft_session *s, const char *id, struct err *err) MUST_CHECK;

/* Takes it away; what is not there is success. Without malloc. The kernel empties every packet
 * queue of the namespace when a chain goes: while another injection has a queue, chains stay,
 * empty. */
int nft_withdraw(struct nft_session *s, const char *id, struct err *err) MUST_CHECK;

/* Are there rules of that injection here, whoever made them? `owner` is then the port of the socket
 * that owns their table. For an agent that replays a record: needs no session and no malloc. */
int nft_find(const char *run, const char *id, bool *ret_there, uint32_t *ret_owner,
             struct err *err) MUST_CHECK;

static inline void nft_close_at(struct nft_session **s)
{
    nft_close(*s);
}
#define CLEANUP_NFT __attribute__((cleanup(nft_close_at)))

#endif
