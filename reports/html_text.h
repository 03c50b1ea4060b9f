/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for a page. Whatever comes from a scenario, a log or a command's output is not ours: these
 * are the only way in which it reaches the page, as text or within a quoted attribute.
 */
#ifndef BLACKSTART_REPORTS_HTML_TEXT_H
#define BLACKSTART_REPORTS_HTML_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Escaped for HTML and XML. What is not UTF-8, controls but tab and newline, and characters that
 * turn the direction of what follows become U+FFFD. NULL is as "". */
void html_text(struct buf *out, const char *text);
void html_textf(struct buf *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* At most that many bytes of the page; false: the text was longer and has been cut. */
bool html_text_upto(struct buf *out, const char *text, size_t most);

/* "1.490 s" of nanoseconds; "?" for what the journal does not have, "open" for what did not end. */
const char *html_time(int64_t ns, char ret[32]);
/* "12.3 ms", "1.490 s": as fits. */
const char *html_duration(int64_t ns, char ret[32]);
/* "recovery time" of "recovery_time"; the other with a capital. */
void html_words(struct buf *out, const char *measure);
void html_measure(struct buf *out, const char *measure);

#endif
