/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer's two files share, and nobody else. */
#ifndef BLACKSTART_JOURNAL_PARTS_H
#define BLACKSTART_JOURNAL_PARTS_H

#include "journal/block.h"
#include "journal/journal.h"
#include "journal/sha256.h"

#include <stdbool.h>

/*
 * The sample file being written. Samples gather in `batch` until a block of them is worth its head;
 * until then they stand in the tail, a second file, so that they outlive the process.
 */
struct journal_samples {
    int fd, tail_fd;
    bool headless; /* a file could not be begun: no event names it, and nothing more is taken */
    char name[32], tail_name[32];
    uint32_t trial, n_files;
    uint64_t count, total; /* in this file; in the run */
    uint64_t written;      /* bytes of this file */
    struct sha256 *hash;
    struct sample *batch, *sorted; /* BLOCK_SAMPLES_MAX each */
    size_t n;
    struct block_schedule *schedules; /* by probe */
    size_t n_schedules;
};

struct journal {
    const struct clock *clock;
    int dir, fd;
    size_t written;
    bool broken;
    struct journal_samples samples;
};

int journal_write(int fd, const void *data, size_t len, struct err *err) MUST_CHECK;
void journal_samples_free(struct journal *j);

#endif
