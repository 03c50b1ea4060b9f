/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/markdown_text.h"

#include "reports/letter.h"

#include <ctype.h>
#include <string.h>

/* A row is at most seven cells, each at most twice its text: 200 rows of a table, and the last
 * one that begins below the bound, stay below 1 MiB. */
enum { ROWS_MAX = 200, CELL_BYTES_MAX = 300, CODE_BYTES_MAX = 2000, BYTES_MAX = 900 << 10 };

bool markdown_row_begins(struct markdown_rows *r)
{
    if (r->n == ROWS_MAX || r->out->len > BYTES_MAX) {
        r->left_out++;
        return false;
    }
    if (r->n++ == 0)
        buf_puts(r->out, r->head);
    return true;
}

void markdown_rows_end(struct markdown_rows *r)
{
    if (r->left_out != 0)
        buf_printf(r->out, "\n%zu more in `result.json`.\n", r->left_out);
}

/* What ends a line for some reader. */
static bool is_break(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
}

static bool is_word(uint32_t c)
{
    return c < 0x80 ? isalnum((int)c) != 0 : true;
}

/* An underscore within a word has no meaning. */
void markdown_put(struct buf *out, const char *s)
{
    size_t begin = out->len;
    uint32_t before = 0;
    for (uint32_t c; s != NULL && (c = letter_next(&s)) != 0; before = c) {
        bool inner = c == '_' && is_word(before) && is_word((unsigned char)*s);
        if (out->len - begin > CELL_BYTES_MAX) {
            buf_puts(out, "...");
            return;
        }
        if (is_break(c))
            buf_puts(out, " ");
        else if (c < 0x80 && strchr("\\`*_[]<>|&~#", (int)c) != NULL && !inner)
            buf_printf(out, "\\%c", (char)c);
        else
            letter_put(out, c);
    }
}

void markdown_put_code(struct buf *out, const char *s)
{
    size_t begin = out->len;
    bool whole = true;
    buf_puts(out, "`");
    for (uint32_t c; s != NULL && whole && (c = letter_next(&s)) != 0;) {
        letter_put(out, is_break(c) || c == '`' || c == '|' ? ' ' : c);
        whole = out->len - begin < CODE_BYTES_MAX;
    }
    buf_puts(out, begin + 1 == out->len ? " `" : "`");
    buf_puts(out, whole ? "" : " (cut: see `report.txt`)");
}

void markdown_put_cell(struct buf *out, const char *s)
{
    markdown_put(out, s);
    buf_puts(out, " | ");
}
