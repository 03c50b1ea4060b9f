/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One sample file, of either version (docs/journal.md): what is where in it, and the samples of one
 * such place. A file is looked through once, from its head on; its samples are read when they are
 * wanted. It knows nothing of runs.
 */
#ifndef BLACKSTART_JOURNAL_SAMPLES_FILE_H
#define BLACKSTART_JOURNAL_SAMPLES_FILE_H

#include "base/err.h"
#include "base/sample.h"
#include "journal/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Samples of one probe in one trial that stand together: a block, or what a stretch of records of
 * version 1 has of them. */
struct samples_part {
    uint64_t offset;
    uint32_t file;    /* its number; what it means is the caller's */
    uint32_t records; /* version 1: of all probes in the stretch; 0: a block */
    uint32_t trial, first, last, n;
    uint16_t probe;
    bool tail; /* of a tail: the blocks may have them too */
};

struct samples_parts {
    struct samples_part *list;
    size_t n, room;
    uint64_t samples;
};
void samples_parts_free(struct samples_parts *p);

/* What a file was found to be. */
struct samples_found {
    uint64_t samples;
    char sha256[SHA256_TEXT]; /* of the whole file, which is not torn */
    bool torn;                /* something less than a record, or no sound block, is at its end */
    struct err why;           /* when it is: what is wrong there */
};

/*
 * Looks through the file from its beginning, and appends its parts, with `file` and `tail` as
 * given. ERR_INPUT when it has no whole head: then nothing was appended.
 */
int samples_file_scan(int fd, uint32_t file, bool tail, struct samples_parts *parts,
                      struct samples_found *ret, struct err *err) MUST_CHECK;

/* The samples of one part, part->n of them, in order of sample_compare; *ret is the caller's to
 * free(). */
int samples_file_read(int fd, const struct samples_part *part, struct sample **ret,
                      struct err *err) MUST_CHECK;

#endif
