/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable byte buffer with a maximum that it never passes. Failure is sticky: after the first
 * append that does not fit or cannot be allocated, nothing more is added and buf_ok() is false;
 * check once at the end. The content is always followed by a NUL that is not counted in `len`.
 */
#ifndef BLACKSTART_BASE_BUF_H
#define BLACKSTART_BASE_BUF_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty */
    size_t len, cap, max;
    bool failed;
};

#define BUF_INIT(maximum) ((struct buf){.max = (maximum)})

void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * The words of text, broken before a line passes `width` columns, with a newline at the end. The
 * line has `used` columns already; those that follow begin with `indent` spaces. A newline in the
 * text is as a space, two of them are a paragraph's end.
 */
void buf_wrap(struct buf *b, const char *text, size_t used, size_t indent, size_t width);

/* Removes the first n bytes. */
void buf_drop(struct buf *b, size_t n);

/* False once anything did not fit. */
static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

/* The text, never NULL; valid until the next call. */
static inline const char *buf_text(const struct buf *b)
{
    return b->data != NULL ? b->data : "";
}

/* Hands the memory over to the caller (free()); NULL when the buffer failed. */
char *buf_steal(struct buf *b);

void buf_free(struct buf *b);
#define CLEANUP_BUF __attribute__((cleanup(buf_free)))

/* Reads the whole of fd to its end; more than b->max bytes is ERR_LIMIT. */
int buf_read_fd(struct buf *b, int fd, struct err *err) MUST_CHECK;

#endif
