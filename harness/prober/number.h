/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A number in an answer. Pure: no clock, no I/O, no malloc of its own. */
#ifndef BLACKSTART_PROBER_NUMBER_H
#define BLACKSTART_PROBER_NUMBER_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The first decimal number (-12, 3.5, 1e6) in the first group of what `match` finds or, when it has
 * no group or the group took no part, in all it finds; match NULL: in all of the body. Where the
 * pattern matches more than once, its first match counts. *ret_end: behind the number; NULL is
 * allowed. False: there is none, or it is larger than a double holds.
 */
bool number_find(const regex_t *match, const char *body, size_t len, double *ret, size_t *ret_end);

#endif
