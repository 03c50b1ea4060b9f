/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many values lie where, in fixed memory: buckets a 32nd of their value wide, so that a
 * percentile is at most 3 % too great; the greatest value is exact. Knows nothing of what is
 * counted. All bits zero is an empty one.
 */
#ifndef BLACKSTART_BASE_HISTOGRAM_H
#define BLACKSTART_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_FINE = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_FINE };

struct histogram {
    uint64_t n;
    int64_t most;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, int64_t value); /* below 0 counts as 0 */
void histogram_join(struct histogram *h, const struct histogram *more);
/* The value that `percent` of them do not exceed, rounded up; -1 when there is none. */
int64_t histogram_percentile(const struct histogram *h, unsigned percent);

#endif
