/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is swept: every row of the catalogue with its example's arguments, and after them the few
 * rows of which another way than the example's leads through other code. A new row is in it without
 * a word here.
 */
#ifndef BLACKSTART_TESTS_CRASH_KINDS_H
#define BLACKSTART_TESTS_CRASH_KINDS_H

#include "base/fault.h"

enum { KINDS_MAX = 128 };

struct kind {
    char name[96]; /* the row's, and what is different from its example */
    const struct fault *row;
    json_t *args;
};

struct kinds {
    struct kind v[KINDS_MAX];
    size_t n;
};

/* `only`: words, parted by a comma, with one of which a name begins; NULL: all. An error when
 * nothing is left. */
int kinds_make(struct kinds *ret, const struct catalogue *catalogue, const struct addrs *peers,
               const char *only, struct err *err) MUST_CHECK;
void kinds_free(struct kinds *k);
/* Keeps those of this part of a sweep: SHARE=2/3, say (share.h). */
void kinds_share(struct kinds *k);

#endif
