/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/histogram.h"

#include <stddef.h>

enum { FINE_BITS = 5 };

/* Below HISTOGRAM_FINE each value has a bucket; from there on each power of two has as many. */
static size_t bucket_of(int64_t value)
{
    uint64_t v = (uint64_t)value;
    if (v < HISTOGRAM_FINE)
        return (size_t)v;
    unsigned shift = 63U - (unsigned)__builtin_clzll(v) - FINE_BITS;
    return (size_t)(shift * HISTOGRAM_FINE + (v >> shift));
}

/* The greatest value of a bucket. */
static int64_t bucket_end(size_t bucket)
{
    if (bucket < HISTOGRAM_FINE)
        return (int64_t)bucket;
    size_t shift = bucket / HISTOGRAM_FINE - 1;
    uint64_t head = bucket % HISTOGRAM_FINE + HISTOGRAM_FINE;
    return (int64_t)(((head + 1) << shift) - 1);
}

void histogram_add(struct histogram *h, int64_t value)
{
    if (value < 0)
        value = 0;
    h->n++;
    h->most = value > h->most ? value : h->most;
    h->buckets[bucket_of(value)]++;
}

void histogram_join(struct histogram *h, const struct histogram *more)
{
    h->n += more->n;
    h->most = more->most > h->most ? more->most : h->most;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        h->buckets[i] += more->buckets[i];
}

int64_t histogram_percentile(const struct histogram *h, unsigned percent)
{
    uint64_t rank = (h->n * percent + 99) / 100, seen = 0;
    if (h->n == 0)
        return -1;
    rank = rank == 0 ? 1 : rank;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank)
            return bucket_end(i) < h->most ? bucket_end(i) : h->most;
    }
    return h->most;
}
