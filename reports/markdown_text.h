/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that comes from elsewhere as Markdown, and rows of tables and lists that end before a CI
 * server's bound. */
#ifndef BLACKSTART_REPORTS_MARKDOWN_TEXT_H
#define BLACKSTART_REPORTS_MARKDOWN_TEXT_H

#include "base/buf.h"

struct markdown_rows {
    struct buf *out;
    size_t n, left_out;
    const char *head;
};

/* True: the row may be written. The head is written with the first. */
bool markdown_row_begins(struct markdown_rows *r);
/* Says how many were left out, if any. */
void markdown_rows_end(struct markdown_rows *r);

/* As text that has no meaning to Markdown or HTML. s may be NULL. */
void markdown_put(struct buf *out, const char *s);
/* The same, and the cell's end. */
void markdown_put_cell(struct buf *out, const char *s);
/* Text that may not break out of a code span in a table's cell. A command is shown whole, or seen
 * not to be. */
void markdown_put_code(struct buf *out, const char *s);

#endif
