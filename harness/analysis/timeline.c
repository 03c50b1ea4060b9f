/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A slot's bin follows from its number, not from the time at which it was due: that is jittered,
 * and would leave holes where a bin is as wide as the interval.
 */
#include "analysis/timeline.h"

#include "analysis/analysis_parts.h"
#include "analysis/stats.h"

#include <stdlib.h>

enum { SERIES_BINS = 200000 };

size_t timeline_bins(size_t series)
{
    size_t bins = SERIES_BINS / (series != 0 ? series : 1);
    bins = bins < TIMELINE_BINS ? bins : TIMELINE_BINS;
    return bins > TIMELINE_BINS_LEAST ? bins : TIMELINE_BINS_LEAST;
}

/* Slots behind the last known; one interval and its jitter may pass without one. */
static uint64_t tail(const struct slot *last, const struct timeline_shape *shape)
{
    if (shape->every <= 0 || shape->until <= last->due)
        return 0;
    uint64_t left = (uint64_t)shape->until - (uint64_t)last->due;
    uint64_t every = (uint64_t)shape->every;
    uint64_t n = left > every / 5 ? (left - every / 5) / every : 0;
    return n < UINT32_MAX ? n : UINT32_MAX;
}

/* Slots that are missing share out over the bins that they span. */
static void gaps_add(struct timeline *t, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t bin = from / t->bin_slots, end = (bin + 1) * t->bin_slots;
        uint64_t upto = end < to ? end : to;
        if (bin >= t->n)
            return;
        t->bins[bin].gaps += (uint32_t)(upto - from);
        from = upto;
    }
}

static void slot_add(struct timeline_bin *b, const struct slot *s)
{
    b->good += s->state == SLOT_GOOD;
    b->gaps += s->state == SLOT_GAP;
    if (s->state == SLOT_BAD && b->bad++ == 0)
        b->first_result = s->result;
}

static void latency_fill(struct timeline_bin *b, int64_t *took, size_t n)
{
    b->p50_ns = b->p99_ns = b->most_ns = -1;
    if (n == 0)
        return;
    b->p50_ns = stats_percentile(took, n, 50); /* and now they are in order */
    b->p99_ns = took[(n * 99 + 99) / 100 - 1];
    b->most_ns = took[n - 1];
}

static void bins_fill(struct timeline *t, const struct slot *slots, size_t n, int64_t *took)
{
    uint64_t first = slots[0].number, next = first;
    size_t at = 0;
    for (size_t k = 0; k < t->n; k++) {
        size_t n_took = 0;
        for (; at < n && (slots[at].number - first) / t->bin_slots == k; at++) {
            gaps_add(t, next - first, slots[at].number - first);
            next = (uint64_t)slots[at].number + 1;
            slot_add(&t->bins[k], &slots[at]);
            if (slots[at].state == SLOT_GOOD)
                took[n_took++] =
                    slots[at].done > slots[at].due ? slots[at].done - slots[at].due : 0;
        }
        latency_fill(&t->bins[k], took, n_took);
    }
}

bool timeline_make(const struct slot *slots, size_t n, const struct timeline_shape *shape,
                   struct timeline_bin *bins, struct timeline *ret)
{
    *ret = (struct timeline){.bins = bins};
    if (n == 0 || shape->bins == 0)
        return true;
    uint64_t known = (uint64_t)slots[n - 1].number - slots[0].number + 1;
    uint64_t all = known + tail(&slots[n - 1], shape);
    /* Times so far apart that they cannot be: nothing is drawn. */
    if (shape->every <= 0 || all > (uint64_t)(INT64_MAX / 4 / shape->every) ||
        slots[0].due > INT64_MAX / 4 || slots[0].due < INT64_MIN / 4)
        return true;
    uint64_t each = (all + shape->bins - 1) / shape->bins;
    size_t room = n < each ? n : (size_t)each;
    int64_t *took = calloc(room, sizeof(*took));
    if (took == NULL)
        return false;
    ret->from_ns = slots[0].due;
    ret->bin_slots = each;
    ret->bin_ns = (int64_t)each * shape->every;
    ret->n = (size_t)((all + each - 1) / each);
    for (size_t k = 0; k < ret->n; k++)
        bins[k] = (struct timeline_bin){.good = 0};
    bins_fill(ret, slots, n, took);
    gaps_add(ret, known, all);
    free(took);
    return true;
}
