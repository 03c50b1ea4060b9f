/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One probe's slots in one trial, in at most a few hundred bins, for drawing: however many slots
 * there are, every bad one and every gap stands in the counts of its bin. Pure; it judges nothing.
 */
#ifndef BLACKSTART_ANALYSIS_TIMELINE_H
#define BLACKSTART_ANALYSIS_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TIMELINE_BINS = 320, TIMELINE_BINS_LEAST = 16 };

struct timeline_bin {
    uint32_t good, bad, gaps;
    uint16_t first_result; /* enum sample_result of the first bad slot; 0: there is none */
    /* Latency of the good answers, from the time they were due to their completion; -1: none. */
    int64_t p50_ns, p99_ns, most_ns;
};

struct timeline {
    int64_t from_ns; /* the first bin's first slot was due */
    int64_t bin_ns;
    uint64_t bin_slots; /* in each bin, but fewer in the last */
    struct timeline_bin *bins;
    size_t n;
};

struct slot;
struct timeline_shape {
    int64_t every, until; /* slots due before `until` that nobody answered are gaps */
    size_t bins;          /* at most */
};

/* How many bins a probe gets when that many series are to be drawn. */
size_t timeline_bins(size_t series);

/* Slots in the order of their numbers; `bins` has room for shape.bins. False: out of memory. */
bool timeline_make(const struct slot *slots, size_t n, const struct timeline_shape *shape,
                   struct timeline_bin *bins, struct timeline *ret);

#endif
