/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the block share, and nobody else: a sample as numbers, and the numbers of
 * many as bytes. */
#ifndef BLACKSTART_JOURNAL_BLOCK_PARTS_H
#define BLACKSTART_JOURNAL_BLOCK_PARTS_H

#include "journal/block.h"

/* In the order of the columns; of those from NUMBER_LATE on a column has the count of digits. */
enum block_number {
    NUMBER_SLOT,     /* since the sample before it */
    NUMBER_ENDPOINT, /* the same, zigzag */
    NUMBER_DUE,      /* how the distance from the plan changed, zigzag */
    NUMBER_RESULT,
    NUMBER_STATUS, /* change, zigzag */
    NUMBER_BYTES,  /* change, zigzag */
    NUMBER_LATE,   /* steps beyond what was expected, zigzag */
    NUMBER_SEND,   /* steps */
    NUMBER_LATENCY,
    BLOCK_NUMBERS
};

/* block.c: `before` is the sample before it in the block, or NULL. */
uint64_t block_step(const struct block_head *h);
void block_split(const struct block_head *h, const struct sample *s, const struct sample *before,
                 uint64_t ret[BLOCK_NUMBERS]);
void block_join(const struct block_head *h, const uint64_t numbers[BLOCK_NUMBERS],
                const struct sample *before, struct sample *ret);

/* block_columns.c */
int block_columns_write(const struct block_head *h, const struct sample *samples,
                        struct buf *columns, struct buf *bits, struct err *err) MUST_CHECK;
/* Not 0 when there are fewer bytes or bits than the samples need, or more columns. */
int block_columns_read(const struct block_head *h, const unsigned char *columns,
                       const unsigned char *bits, size_t n_bits, struct sample *ret) MUST_CHECK;

#endif
