/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts of a journal, character by character, for formats that forbid some: what is not UTF-8 (a
 * message that was cut in the middle of a character) comes out as U+FFFD.
 */
#ifndef BLACKSTART_REPORTS_LETTER_H
#define BLACKSTART_REPORTS_LETTER_H

#include "base/buf.h"

#include <jansson.h>
#include <stdint.h>

#define LETTER_UNKNOWN UINT32_C(0xFFFD)

/* The next character of *s, which moves on; 0 at its end, where it stays. */
uint32_t letter_next(const char **s);
/* As UTF-8. */
void letter_put(struct buf *out, uint32_t c);

/* For a terminal or a plain file: lines stay, but no control character gets through that could move
 * a cursor or hide a line, nor what is not UTF-8. */
void letter_put_lines(struct buf *out, const char *s);

/* A JSON string, whatever the bytes; null for NULL. */
json_t *letter_json(const char *s);

/* As the content of an XML element or attribute: escaped, and U+FFFD for what XML 1.0 cannot say.
 * NULL is the empty text. */
void letter_put_xml(struct buf *out, const char *s);

#endif
