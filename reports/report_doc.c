/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/reports.md: the table of renderers, and what is true of all of them. */
#include "reports/report.h"

static const char head[] =
    "# The reports\n\n"
    "<!-- Made by `blackstart report --doc > docs/reports.md`; a test compares. -->\n\n"
    "A run's folder holds its journal, its samples and these files. Each is made from the journal "
    "alone, is written whole or not at all, and comes out the same, byte for byte, when\n"
    "`blackstart report DIR` makes it again. None of them judges: they all tell the one analysis, "
    "so that no two disagree.\n\n"
    "| name | file | what |\n| --- | --- | --- |\n";

static const char use[] =
    "\n`blackstart run --report junit,markdown FILE` writes these alone, `blackstart report "
    "--report junit --stdout DIR` prints one. The journal is always written, so that a report "
    "left out can be made later.\n";

void report_doc(struct buf *out)
{
    buf_puts(out, head);
    for (size_t i = 0; i < report_n_renderers; i++)
        buf_printf(out, "| `%s` | `%s` | %s |\n", report_renderers[i].name,
                   report_renderers[i].file, report_renderers[i].summary);
    buf_puts(out, use);
    for (size_t i = 0; i < report_n_renderers; i++)
        buf_printf(out, "\n## %s: `%s`\n\n%s\n", report_renderers[i].name, report_renderers[i].file,
                   report_renderers[i].reader);
}
