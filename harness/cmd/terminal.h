/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a stream is a terminal, and the few styles that we use there. On anything else, with
 * NO_COLOR set, or with TERM=dumb, every style is the empty text, so that callers print without
 * asking.
 */
#ifndef BLACKSTART_TERMINAL_H
#define BLACKSTART_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_RED, STYLE_GREEN, STYLE_YELLOW, STYLE_BLUE };

enum { TERMINAL_WIDTH_OTHERWISE = 100 };

bool terminal_has_colour(FILE *stream);

/* The escape sequence of a style on that stream, or "". STYLE_PLAIN ends a style. */
const char *terminal_style(FILE *stream, enum style style);

/* Columns of the terminal behind the stream; TERMINAL_WIDTH_OTHERWISE when it is none. */
int terminal_width(FILE *stream);

/*
 * Writes what may hold a scenario's or a program's words. Control characters but newline and tab,
 * and those that turn the direction of writing, are shown as \x1b or \u202e: none reaches the
 * terminal, nor a file that is shown on one later. `styled`: our own styles pass.
 */
void terminal_put(FILE *stream, const char *text);
void terminal_put_styled(FILE *stream, const char *text);
/* The same as terminal_put_styled; where the stream is a terminal, what does not fit its width is
 * left out of each line. */
void terminal_put_cut(FILE *stream, const char *text);

#endif
