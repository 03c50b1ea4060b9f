/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTF-8: is a text valid (no overlong forms, surrogates or code points past U+10FFFF), and where do
 * its characters and its last lines begin. Knows nothing of widths on a screen.
 */
#ifndef BLACKSTART_BASE_UTF8_H
#define BLACKSTART_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at s (1 to 4) and the character in *ret (which may be NULL); 0 when the
 * bytes there are not UTF-8, or len is 0. */
size_t utf8_decode(const char *s, size_t len, uint32_t *ret);

bool utf8_valid(const char *s, size_t len);

/* Overwrites every byte that is not UTF-8, or is a control character, with '?'. */
void utf8_clean(char *s, size_t len);

/* Where the last n lines of a text begin; a newline at its end ends a line and begins none. */
const char *utf8_last_lines(const char *text, size_t n);

#endif
