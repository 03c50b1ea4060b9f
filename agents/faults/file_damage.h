/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What file.corrupt does to the bytes of one file, and how it takes it back: bits that are drawn
 * from a seed, or a tail that is cut or zeroed. A byte that is neither as it was nor as we left it
 * has been written by others and stays. Works on a descriptor, knows no path. Allocates nothing.
 */
#ifndef BLACKSTART_FAULTS_FILE_DAMAGE_H
#define BLACKSTART_FAULTS_FILE_DAMAGE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { DAMAGE_BITS_MAX = 512, DAMAGE_TAIL_MAX = 8192 };
enum damage_how { DAMAGE_FLIP, DAMAGE_CUT, DAMAGE_ZERO };

struct damage_flip {
    uint64_t at;
    uint8_t was, mask;
    uint8_t reserved[6];
};

/* Part of an undo record. */
struct damage {
    int32_t how;  /* enum damage_how */
    uint32_t n;   /* flips, or bytes of the tail */
    uint64_t end; /* the file's size before */
    union {
        struct damage_flip flips[DAMAGE_BITS_MAX];
        unsigned char tail[DAMAGE_TAIL_MAX];
    } was;
};

/* What will be done, read from the file. A range of fewer bits has all of them flipped; of a file
 * that is shorter than the tail, all is the tail. */
int damage_draw_flips(int fd, uint64_t from, uint64_t length, uint32_t bits, uint64_t seed,
                      struct damage *ret, struct err *err) MUST_CHECK;
int damage_read_tail(int fd, enum damage_how how, uint64_t size, struct damage *ret,
                     struct err *err) MUST_CHECK;

int damage_do(int fd, const struct damage *d, struct err *err) MUST_CHECK;

/* How many bytes are as we left them, as they were, and neither. */
struct damage_count {
    uint32_t ours, original, other;
};
int damage_count(int fd, const struct damage *d, struct damage_count *ret,
                 struct err *err) MUST_CHECK;

/* Only what is as we left it. */
int damage_undo(int fd, const struct damage *d, struct err *err) MUST_CHECK;

bool damage_is_sound(const struct damage *d);

#endif
