/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Makes room for `more` bytes and the NUL behind them. */
static bool reserve(struct buf *b, size_t more)
{
    if (b->failed || more > b->max || b->len > b->max - more) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap != 0 ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *data = realloc(b->data, cap);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (!reserve(b, len))
        return;
    if (len != 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->failed = true;
    } else {
        (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

void buf_drop(struct buf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    if (n == 0)
        return;
    b->len -= n;
    memmove(b->data, b->data + n, b->len + 1);
}

void buf_wrap(struct buf *b, const char *text, size_t used, size_t indent, size_t width)
{
    size_t column = used;
    for (bool first = true; *text != '\0'; first = false) {
        size_t space = strspn(text, " \n"), len = strcspn(text + space, " \n");
        bool paragraph = space >= 2 && text[0] == '\n' && text[1] == '\n';
        text += space;
        if (len == 0)
            break;
        if (paragraph)
            buf_puts(b, "\n");
        if (paragraph || (!first && column + 1 + len > width)) {
            buf_printf(b, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            buf_puts(b, " ");
            column++;
        }
        buf_add(b, text, len);
        column += len;
        text += len;
    }
    buf_puts(b, "\n");
}

char *buf_steal(struct buf *b)
{
    if (b->failed || !reserve(b, 0))
        return NULL;
    b->data[b->len] = '\0';
    char *data = b->data;
    *b = BUF_INIT(b->max);
    return data;
}

void buf_free(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

int buf_read_fd(struct buf *b, int fd, struct err *err)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return make_error(err, ERR_SYSTEM, errno, "read");
        buf_add(b, chunk, (size_t)n);
        if (!buf_ok(b))
            return make_error(err, ERR_LIMIT, 0, "more than %zu bytes", b->max);
    }
}
