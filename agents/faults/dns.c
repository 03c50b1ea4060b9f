/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/dns.h"

#include "agents/faults/shape.h"
#include "agents/netlink/queue.h"
#include "base/clock.h"

#include <poll.h>

enum { HELD_MAX = 4096, TAKE_AT_ONCE = 64 };

/* One per process: the bearer's own. */
static struct {
    struct shape_heap heap;
    struct queue_answers answers;
    struct shape_item items[HELD_MAX];
    unsigned char out[DNS_OUT_MAX];
    char buf[QUEUE_BUFFER] __attribute__((aligned(8)));
} dns;

static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

static int pass(const struct queue_packet *p, struct err *err)
{
    return queue_accept(&dns.answers, p->id, NULL, 0, err);
}

static int drop(struct bearer *self, enum dns_counter counter, const struct queue_packet *p,
                struct err *err)
{
    bearer_count(self, counter, 1);
    return queue_drop(&dns.answers, p->id, err);
}

/* Counted when it is let go. */
static int hold(const struct dns_spec *spec, const struct queue_packet *p, struct err *err)
{
    const struct shape_item item = {now() + spec->delay_ns, p->id};
    return shape_push(&dns.heap, item) ? 0 : pass(p, err);
}

static int rewrite(struct bearer *self, const struct dns_spec *spec, const struct queue_packet *p,
                   const struct dns_answer *answer, struct err *err)
{
    uint32_t len =
        dns_rewrite(p->data, answer, spec->mode == DNS_WRONG ? &spec->addrs : NULL, dns.out);
    if (len == 0)
        return pass(p, err);
    bearer_count(self, DNS_CHANGED, 1);
    return queue_accept(&dns.answers, p->id, dns.out, len, err);
}

static int serve(struct bearer *self, const struct dns_spec *spec, const struct queue_packet *p,
                 struct err *err)
{
    struct dns_answer answer;
    if (!dns_find(p->data, p->len, &spec->ports, &answer)) {
        bool lost = spec->mode == DNS_SILENCE && spec->names.n == 0;
        return lost && dns_is_stream(p->data, p->len, &spec->ports)
                   ? drop(self, DNS_STREAMS, p, err)
                   : pass(p, err);
    }
    bearer_count(self, DNS_SEEN, 1);
    if (!dns_is_named(answer.name, &spec->names))
        return pass(p, err);
    if (spec->mode == DNS_SILENCE)
        return drop(self, DNS_CHANGED, p, err);
    if (spec->mode == DNS_SLOW)
        return hold(spec, p, err);
    return rewrite(self, spec, p, &answer, err);
}

/* How many came; -1: the queue is of no use any more. */
static int take(struct bearer *self, const struct dns_spec *spec, struct err *err)
{
    int n = 0;
    for (; n < TAKE_AT_ONCE; n++) {
        struct queue_packet p;
        int got = queue_read(BEARER_FD, dns.buf, sizeof(dns.buf), &p, err);
        if (got < 0 || (got > 0 && serve(self, spec, &p, err) < 0))
            return -1;
        if (got == 0)
            break;
    }
    return queue_flush(&dns.answers, err) < 0 ? -1 : n;
}

/* Those that are due by `limit`. */
static int release(struct bearer *self, int64_t limit, struct err *err)
{
    for (const struct shape_item *first;
         (first = shape_first(&dns.heap)) != NULL && first->due <= limit; shape_pop(&dns.heap)) {
        bearer_count(self, DNS_CHANGED, 1);
        if (queue_accept(&dns.answers, first->id, NULL, 0, err) < 0)
            return -1;
    }
    return queue_flush(&dns.answers, err);
}

static int64_t time_left(void)
{
    const struct shape_item *first = shape_first(&dns.heap);
    if (first == NULL)
        return -1;
    int64_t left = first->due - now();
    return left > 0 ? left : 0;
}

/* Nothing is sent here any more: what is held, or on its way to us, goes on as it is. */
static void let_go(struct bearer *self)
{
    static const struct dns_spec nobody = {.mode = DNS_NXDOMAIN,
                                           .names = {.n = 1, .v = {{"-"}}}}; /* no name is that */
    struct err err;
    while (take(self, &nobody, &err) > 0)
        ;
    (void)!release(self, INT64_MAX, &err);
}

void dns_run(struct bearer *self, void *arg)
{
    const struct dns_spec *spec = arg;
    struct err err;
    dns.heap = (struct shape_heap){.items = dns.items, .max = HELD_MAX};
    queue_answers_init(&dns.answers, BEARER_FD, spec->number);
    bearer_ready(self);
    for (int n = 0; n >= 0;) {
        if (bearer_wait(self, BEARER_FD, POLLIN, n == TAKE_AT_ONCE ? 0 : time_left()) < 0)
            break;
        n = take(self, spec, &err);
        if (n >= 0 && release(self, now(), &err) < 0)
            n = -1;
    }
    let_go(self);
}
