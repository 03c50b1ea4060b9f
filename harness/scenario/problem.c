/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/problem.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

enum { MESSAGE_MAX = 600, TEXT_MAX = 4096, LINE_SHOWN = 100, LINE_BEFORE = 60 };

/* Columns that a terminal gives a character: none to what combines, two to the wide ones. */
static unsigned width_of(uint32_t c)
{
    static const struct {
        uint32_t lo, hi;
        unsigned width;
    } ranges[] = {
        {0x300, 0x36f, 0},   {0x200b, 0x200f, 0}, {0xfe00, 0xfe0f, 0},   {0x1100, 0x115f, 2},
        {0x2e80, 0xa4cf, 2}, {0xac00, 0xd7a3, 2}, {0xf900, 0xfaff, 2},   {0xfe30, 0xfe6f, 2},
        {0xff00, 0xff60, 2}, {0xffe0, 0xffe6, 2}, {0x1f300, 0x1faff, 2}, {0x20000, 0x3fffd, 2},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].lo && c <= ranges[i].hi)
            return ranges[i].width;
    return 1;
}

size_t source_mark(const struct source *source)
{
    static const char mark[] = "\xef\xbb\xbf";
    size_t len = sizeof(mark) - 1;
    return source->len >= len && memcmp(source->text, mark, len) == 0 ? len : 0;
}

static const char *line_start(const struct source *source, uint32_t line, size_t *ret_len)
{
    const char *s = source->text + source_mark(source), *end = source->text + source->len;
    for (uint32_t i = 1; i < line && s < end; i++) {
        const char *newline = memchr(s, '\n', (size_t)(end - s));
        s = newline != NULL ? newline + 1 : end;
    }
    const char *newline = s < end ? memchr(s, '\n', (size_t)(end - s)) : NULL;
    *ret_len = (size_t)((newline != NULL ? newline : end) - s);
    if (*ret_len > 0 && s[*ret_len - 1] == '\r')
        (*ret_len)--;
    return s;
}

static bool is_control(uint32_t c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* What stands in the caret's line below a character. */
static void put_gap(uint32_t c, struct buf *under)
{
    if (c == '\t')
        buf_puts(under, "\t");
    else
        for (unsigned width = width_of(c); width > 0; width--)
            buf_puts(under, " ");
}

/* The line into `shown`, and into `under` what brings a caret below column `col`. A long line is
 * shown from some way before the column. */
static void put_line(const char *line, size_t len, uint32_t col, struct buf *shown,
                     struct buf *under)
{
    uint32_t from = col > LINE_SHOWN ? col - LINE_BEFORE : 1, at = 1;
    buf_puts(shown, from > 1 ? "..." : "");
    buf_puts(under, from > 1 ? "   " : "");
    for (size_t i = 0; i < len && at < from + LINE_SHOWN; at++) {
        uint32_t c = '?';
        size_t n = utf8_decode(line + i, len - i, &c);
        bool odd = n == 0 || is_control(c);
        if (at >= from)
            buf_add(shown, odd ? "?" : line + i, odd ? 1 : n);
        if (at >= from && at < col)
            put_gap(odd ? '?' : c, under);
        i += odd ? 1 : n;
    }
    if (at < col)
        buf_printf(under, "%*s", (int)(col - at), "");
}

static void render(struct buf *out, const struct source *source, struct pos pos, const char *hint,
                   const char *message)
{
    if (pos.line == 0) {
        buf_printf(out, "%s: %s\n", source->file, message);
    } else {
        CLEANUP_BUF struct buf shown = BUF_INIT(LINE_SHOWN * 8);
        CLEANUP_BUF struct buf under = BUF_INIT(LINE_SHOWN * 8);
        size_t len = 0;
        const char *line = line_start(source, pos.line, &len);
        put_line(line, len, pos.col, &shown, &under);
        buf_printf(out, "%s:%u:%u: %s\n", source->file, pos.line, pos.col, message);
        buf_printf(out, "%5u | %s\n      | %s^\n", pos.line, buf_text(&shown), buf_text(&under));
    }
    if (hint != NULL)
        buf_printf(out, "        %s\n", hint);
}

static bool is_there(const struct problems *p, const struct source *source, struct pos pos)
{
    for (size_t i = 0; i < p->n; i++)
        if (pos.line != 0 && p->list[i].pos.line == pos.line && p->list[i].pos.col == pos.col &&
            strcmp(p->list[i].file, source->file) == 0)
            return true;
    return false;
}

void problems_add(struct problems *p, const struct source *source, struct pos pos, const char *hint,
                  const char *fmt, ...)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    if (n < 0)
        return;
    utf8_clean(message, strlen(message));
    if (is_there(p, source, pos))
        return;
    if (p->n == PROBLEMS_MAX) {
        p->cut = true;
        return;
    }
    render(&text, source, pos, hint, message);
    if (p->list == NULL)
        p->list = calloc(PROBLEMS_MAX, sizeof(*p->list));
    char *rendered = buf_steal(&text);
    char *copy = strdup(message), *file = strdup(source->file);
    if (p->list == NULL || rendered == NULL || copy == NULL || file == NULL) {
        free(rendered);
        free(copy);
        free(file);
        p->cut = true;
        return;
    }
    p->list[p->n++] = (struct problem){pos, file, rendered, copy};
}

/* Files in the order in which they were first met. */
static size_t file_rank(const struct problems *p, const char *file)
{
    size_t i = 0;
    while (i < p->n && strcmp(p->list[i].file, file) != 0)
        i++;
    return i;
}

static bool comes_before(const struct problem *a, const struct problem *b)
{
    if (a->pos.line != b->pos.line)
        return a->pos.line < b->pos.line;
    return a->pos.col < b->pos.col;
}

/* Insertion: there are few, and equal ones keep their order. */
void problems_sort(struct problems *p)
{
    size_t rank[PROBLEMS_MAX];
    for (size_t i = 0; i < p->n; i++)
        rank[i] = file_rank(p, p->list[i].file);
    for (size_t i = 1; i < p->n; i++)
        for (size_t j = i; j > 0; j--) {
            bool before = rank[j] < rank[j - 1] ||
                          (rank[j] == rank[j - 1] && comes_before(&p->list[j], &p->list[j - 1]));
            if (!before)
                break;
            struct problem spare = p->list[j];
            p->list[j] = p->list[j - 1];
            p->list[j - 1] = spare;
            size_t r = rank[j];
            rank[j] = rank[j - 1];
            rank[j - 1] = r;
        }
}

void problems_free(struct problems *p)
{
    for (size_t i = 0; i < p->n; i++) {
        free(p->list[i].text);
        free(p->list[i].message);
        free(p->list[i].file);
    }
    free(p->list);
    *p = (struct problems){0};
}
