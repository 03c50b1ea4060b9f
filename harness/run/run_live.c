/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run/run_live.h"

#include <stdlib.h>

enum { RING_MIN = 64, RING_MAX = 1 << 16 };

struct live_slot {
    uint16_t done, good, gaps; /* endpoints */
    uint64_t holder_good;      /* bit per endpoint, the first 64 */
    struct sample last;        /* what decided for people: the first bad one, else the newest */
};

struct live_probe {
    const struct scenario_probe *probe;
    size_t n_endpoints, holder;
    struct live_slot *ring;
    uint32_t size; /* a power of two */
    uint32_t head; /* the slot that comes next */
    bool begun;
};

struct run_live {
    void (*slot)(void *ctx, size_t probe, bool good, const struct sample *last);
    void *ctx;
    struct live_probe *probes;
    size_t n;
};

int run_live_new(const struct scenario *scenario, const size_t *n_endpoints,
                 void (*slot)(void *ctx, size_t probe, bool good, const struct sample *last),
                 void *ctx, struct run_live **ret, struct err *err)
{
    struct run_live *live = calloc(1, sizeof(*live));
    if (live != NULL)
        live->probes = calloc(scenario->n_probes + 1, sizeof(*live->probes));
    if (live == NULL || live->probes == NULL) {
        run_live_free(live);
        return make_error(err, ERR_LIMIT, 0, "out of memory for the probes' states");
    }
    live->slot = slot;
    live->ctx = ctx;
    for (size_t i = 0; i < scenario->n_probes; i++) {
        struct live_probe *p = &live->probes[i];
        const struct scenario_probe *s = &scenario->probes[i];
        int64_t flight = s->every.ns > 0 ? 2 * s->timeout.ns / s->every.ns : 0;
        p->probe = s;
        p->n_endpoints = n_endpoints[i];
        p->holder = SIZE_MAX;
        p->size = RING_MIN;
        while (p->size < RING_MAX && (int64_t)p->size < flight + RING_MIN)
            p->size *= 2;
        p->ring = calloc(p->size, sizeof(*p->ring));
        live->n++;
        if (p->ring == NULL) {
            run_live_free(live);
            return make_error(err, ERR_LIMIT, 0, "out of memory for the probes' states");
        }
    }
    *ret = live;
    return 0;
}

void run_live_free(struct run_live *live)
{
    if (live == NULL)
        return;
    for (size_t i = 0; live->probes != NULL && i < live->n; i++)
        free(live->probes[i].ring);
    free(live->probes);
    free(live);
}

void run_live_set_holder(struct run_live *live, size_t probe, size_t endpoint)
{
    live->probes[probe].holder = endpoint;
}

static bool slot_is_good(const struct live_probe *p, const struct live_slot *s)
{
    switch (p->probe->endpoints) {
    case ENDPOINTS_EACH:
        return s->good + s->gaps == s->done;
    case ENDPOINTS_ROLE:
        if (p->holder < 64)
            return (s->holder_good >> p->holder & 1) != 0;
        return s->good > 0;
    default:
        return s->good > 0;
    }
}

static void leave_head(struct run_live *live, struct live_probe *p)
{
    struct live_slot *s = &p->ring[p->head & (p->size - 1)];
    if (s->done > s->gaps)
        live->slot(live->ctx, (size_t)(p - live->probes), slot_is_good(p, s), &s->last);
    *s = (struct live_slot){0};
    p->head++;
}

void run_live_add(struct run_live *live, const struct sample *sample)
{
    if (sample->probe >= live->n)
        return;
    struct live_probe *p = &live->probes[sample->probe];
    /* Slots count on over the trials: the very first is 0. */
    if (!p->begun && sample->slot >= p->size)
        p->head = sample->slot;
    p->begun = true;
    if (sample->slot < p->head)
        return;
    for (uint32_t left = 0; sample->slot - p->head >= p->size; left++) {
        if (left == p->size) /* the whole ring is empty now */
            p->head = sample->slot;
        else
            leave_head(live, p);
    }
    struct live_slot *s = &p->ring[sample->slot & (p->size - 1)];
    bool good = sample->result == SAMPLE_GOOD;
    bool had_bad = s->done > s->good + s->gaps;
    if (!had_bad)
        s->last = *sample;
    s->done++;
    s->good = (uint16_t)(s->good + good);
    s->gaps = (uint16_t)(s->gaps + (sample->result == SAMPLE_GAP));
    if (good && sample->endpoint < 64)
        s->holder_good |= UINT64_C(1) << sample->endpoint;
    while (p->ring[p->head & (p->size - 1)].done >= p->n_endpoints)
        leave_head(live, p);
}
