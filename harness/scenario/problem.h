/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong with a file that a person wrote: each problem with its place, the line, a caret
 * under the place and, where there is one, the mend. All problems of a file are collected, up to a
 * maximum, so that a person mends them in one go. Knows nothing of YAML or scenarios.
 */
#ifndef BLACKSTART_PROBLEM_H
#define BLACKSTART_PROBLEM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROBLEMS_MAX = 50 };

struct pos {
    uint32_t line, col;
}; /* from 1, in characters; 0,0: the file as a whole */

/* A file as it was read. */
struct source {
    const char *file;
    const char *text;
    size_t len;
};

/* Bytes of the byte order mark that editors of other systems put at a file's start; 0 without one.
 * It is no character of the first line. */
size_t source_mark(const struct source *source);

/* In order of file and position; each rendered: file:line:col: message, the line, a caret, a hint.
 */
struct problems {
    struct problem {
        struct pos pos;
        char *file;
        char *text;    /* ends with a newline */
        char *message; /* the first line's, without the place */
    } * list;
    size_t n;
    bool cut; /* there were more than PROBLEMS_MAX */
};

/* hint may be NULL. Of two problems at one place the first is said. */
void problems_add(struct problems *p, const struct source *source, struct pos pos, const char *hint,
                  const char *fmt, ...) PRINTF_LIKE(5, 6);
void problems_sort(struct problems *p);
void problems_free(struct problems *p);

#endif
