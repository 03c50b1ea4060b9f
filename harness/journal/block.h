/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples of one probe in one trial as a block of a sample file, and back; docs/journal.md has its
 * layout. A block stands alone: it carries its length, its check sum and the schedule from which
 * the instants at which its slots were due are derived. Pure: what is behind the bytes, files and
 * their order, others know.
 */
#ifndef BLACKSTART_JOURNAL_BLOCK_H
#define BLACKSTART_JOURNAL_BLOCK_H

#include "base/buf.h"
#include "base/err.h"
#include "base/sample.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BLOCK_HEAD = 64,           /* bytes before the payload */
    BLOCK_SUM_AT = 4,          /* where in the head its check sum stands */
    BLOCK_SAMPLES_MAX = 16384, /* in one block */
    BLOCK_COLUMNS_MAX = 36, /* bytes that a sample's columns can take; its bits: BLOCK_BITS_MAX */
    BLOCK_BITS_MAX = 20,
    BLOCK_PAYLOAD_MAX = BLOCK_SAMPLES_MAX * (BLOCK_COLUMNS_MAX + BLOCK_BITS_MAX) + 16
};

/* How a probe's slots were planned; every_ns 0: not known, which costs bytes and nothing else. */
struct block_schedule {
    uint64_t seed;
    int64_t every_ns;
};

struct block_head {
    uint32_t payload; /* bytes behind the head */
    uint32_t check;   /* CRC-32 of the rest of the head and the payload */
    uint32_t trial, n;
    uint32_t first, last;     /* slots */
    uint32_t packed, columns; /* bytes of the columns, as they are in the payload and unpacked */
    uint16_t probe;
    bool rounded; /* by sample_round; else each value is whole */
    struct block_schedule schedule;
};

/*
 * Appends the block of 1 to BLOCK_SAMPLES_MAX samples, which are of one trial and probe and in
 * order of sample_compare. `pack`: compress what can be. Samples that sample_round has changed stay
 * as they are; where any has not been, all are kept whole.
 */
int block_write(const struct sample *samples, size_t n, const struct block_schedule *schedule,
                bool pack, struct buf *out, struct err *err) MUST_CHECK;

/* Of BLOCK_HEAD bytes; every size in it is within its bounds then. */
int block_head_read(const void *bytes, struct block_head *ret, struct err *err) MUST_CHECK;
/* The check sum that belongs to a head (BLOCK_HEAD bytes) and its payload; it stands little-endian
 * at BLOCK_SUM_AT. */
uint32_t block_sum(const struct block_head *head, const void *bytes, const void *payload);
/* Whether both are as they were written. */
bool block_check(const struct block_head *head, const void *bytes, const void *payload);
/* The samples, of which `ret` has room for head->n. */
int block_read(const struct block_head *head, const void *payload, struct sample *ret,
               struct err *err) MUST_CHECK;

#endif
