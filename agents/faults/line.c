/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/line.h"

#include "agents/netlink/queue.h"
#include "base/clock.h"

#include <linux/netfilter.h>
#include <poll.h>
#include <sys/prctl.h>

enum { TAKE_AT_ONCE = 256, RELEASE_AT_ONCE = 256, PUBLISH_EVERY_MS = 20 };

/* One per process: the bearer's own. Pages that nobody touches cost nothing in the agent. */
static struct {
    struct shape_heap heap;
    struct shape_lateness late;
    struct queue_answers answers;
    uint64_t random;
    int64_t published;
    struct shape_item items[QUEUE_HELD_MAX];
    char buf[QUEUE_BUFFER] __attribute__((aligned(8)));
} line;

static int64_t now(void)
{
    return clock_system(CLOCK_MONOTONIC);
}

static int corrupt(struct bearer *self, const struct queue_packet *p, struct err *err)
{
    int64_t start = now();
    unsigned char *data = (unsigned char *)line.buf + (p->data - (unsigned char *)line.buf);
    if (p->len == 0 || !shape_corrupt(data, p->len, &line.random))
        return queue_accept(&line.answers, p->id, NULL, 0, err);
    bearer_count(self, LINE_CORRUPTED, 1);
    if (queue_accept(&line.answers, p->id, data, p->len, err) < 0 ||
        queue_flush(&line.answers, err) < 0)
        return -1;
    shape_late(&line.late, now() - start);
    return 0;
}

static int hold(struct bearer *self, const struct line_spec *spec, const struct queue_packet *p,
                struct err *err)
{
    const struct shape_item item = {now() + shape_draw(&spec->delay, &line.random), p->id};
    if (shape_push(&line.heap, item))
        return 0;
    bearer_count(self, LINE_PASSED, 1);
    return queue_accept(&line.answers, p->id, NULL, 0, err);
}

/* How many came; -1: the queue is of no use any more. */
static int take(struct bearer *self, const struct line_spec *spec, struct err *err)
{
    int n = 0;
    for (int got = 1; n < TAKE_AT_ONCE && got != 0; n += got) {
        struct queue_packet p;
        got = queue_read(BEARER_FD, line.buf, sizeof(line.buf), &p, err);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        bearer_count(self, LINE_TAKEN, 1);
        if ((spec->corrupt ? corrupt(self, &p, err) : hold(self, spec, &p, err)) < 0)
            return -1;
    }
    return n;
}

/* Those that are due by `limit`. */
static int release(struct bearer *self, int64_t limit, struct err *err)
{
    int64_t due[RELEASE_AT_ONCE];
    for (size_t n = RELEASE_AT_ONCE; n == RELEASE_AT_ONCE;) {
        const struct shape_item *first;
        for (n = 0; n < RELEASE_AT_ONCE && (first = shape_first(&line.heap)) != NULL &&
                    first->due <= limit;
             n++) {
            due[n] = first->due;
            if (queue_accept(&line.answers, first->id, NULL, 0, err) < 0)
                return -1;
            shape_pop(&line.heap);
        }
        bearer_count(self, LINE_RELEASED, n); /* before anyone can see the packets */
        if (queue_flush(&line.answers, err) < 0)
            return -1;
        int64_t at = now();
        for (size_t i = 0; i < n; i++)
            if (due[i] <= at)
                shape_late(&line.late, at - due[i]);
    }
    return 0;
}

static void publish(struct bearer *self)
{
    bearer_set(self, LINE_LATE_MEDIAN, shape_late_us(&line.late, 0.5));
    bearer_set(self, LINE_LATE_P99, shape_late_us(&line.late, 0.99));
    line.published = now();
}

/* -1: the end has come. */
static int wait_next(struct bearer *self, bool more)
{
    const struct shape_item *first = shape_first(&line.heap);
    int64_t at = now();
    int64_t left = first == NULL ? -1 : (first->due > at ? first->due - at : 0);
    if (at - line.published > PUBLISH_EVERY_MS * NS_PER_MS)
        publish(self);
    return bearer_wait(self, BEARER_FD, POLLIN, more ? 0 : left);
}

/* Nothing is sent here any more: what is held, or on its way to us, goes on at once. */
static void let_go(struct bearer *self)
{
    const struct line_spec none = {.delay = {0}};
    struct err err;
    while (take(self, &none, &err) > 0 && release(self, INT64_MAX, &err) == 0)
        ;
    (void)!release(self, INT64_MAX, &err);
}

void line_run(struct bearer *self, void *arg)
{
    const struct line_spec *spec = arg;
    struct err err;
    line.heap = (struct shape_heap){.items = line.items, .max = QUEUE_HELD_MAX};
    line.random = spec->seed;
    queue_answers_init(&line.answers, BEARER_FD, spec->number);
    (void)prctl(PR_SET_TIMERSLACK, 1); /* the usual 50 us would be added to each packet */
    bearer_ready(self);
    for (int n = 0; n >= 0;) {
        if (wait_next(self, n == TAKE_AT_ONCE) < 0)
            break;
        n = take(self, spec, &err);
        if (n < 0 || release(self, now(), &err) < 0)
            break;
    }
    publish(self);
    let_go(self);
}
