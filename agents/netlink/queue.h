/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet queue (NFQUEUE) of this network namespace: a socket on which the kernel hands over
 * packets and waits for what shall become of each. Whoever has the socket serves it; when the last
 * one closes it, what is still held is dropped, and rules with bypass let packets through. Serve it
 * on the receiving side: at a sender held packets stay charged to the socket that sent them. Knows
 * no rules and no faults; no malloc.
 */
#ifndef BLACKSTART_NETLINK_QUEUE_H
#define BLACKSTART_NETLINK_QUEUE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    QUEUE_HELD_MAX = 32768,   /* what the kernel holds at most; more passes by */
    QUEUE_PACKET_MAX = 65535, /* of the bytes of one */
    QUEUE_BUFFER = 70 * 1024, /* takes one packet whole */
    QUEUE_ANSWERS_MAX = 80 * 1024
};

/* May this namespace have one? ERR_UNSUPPORTED with the reason. */
int queue_supported(struct err *err) MUST_CHECK;

/*
 * Takes the first free number from `first` on. copy: how many bytes of each packet come with it; 0:
 * none, and batches of segments (GSO) stay whole; else they come apart, with checksums filled in.
 * The socket is close-on-exec and does not block.
 */
int queue_open(uint16_t first, uint32_t copy, int *ret_fd, uint16_t *ret_number,
               struct err *err) MUST_CHECK;

struct queue_packet {
    uint32_t id;
    uint16_t ether;            /* ETH_P_IP, ETH_P_IPV6 */
    const unsigned char *data; /* from the IP header on; len 0: not asked for */
    uint32_t len;
};

/* Takes what is there, at most one datagram of the kernel's: 1 with a packet, 0 when nothing is
 * there or nothing for us, -1 when the socket is of no use any more. The packet lies in buf. */
int queue_read(int fd, void *buf, size_t size, struct queue_packet *ret,
               struct err *err) MUST_CHECK;

/* Answers, gathered and sent together. */
struct queue_answers {
    int fd;
    uint16_t number;
    size_t len;
    char data[QUEUE_ANSWERS_MAX] __attribute__((aligned(8)));
};
void queue_answers_init(struct queue_answers *a, int fd, uint16_t number);
/* Lets a packet go on; with data (len bytes, from the IP header on) it goes on as that. What is
 * gathered goes out when there is no more room. */
int queue_accept(struct queue_answers *a, uint32_t id, const void *data, uint32_t len,
                 struct err *err) MUST_CHECK;
int queue_drop(struct queue_answers *a, uint32_t id, struct err *err) MUST_CHECK;
int queue_flush(struct queue_answers *a, struct err *err) MUST_CHECK;

#endif
