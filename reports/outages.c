/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/outages.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "reports/letter.h"

#include <math.h>
#include <string.h>

enum { CELL_MAX_BYTES = 4096 };

/* A cell's text: one line, and no bar that would end it. */
static void put_cell(struct buf *out, const char *text)
{
    for (uint32_t c; (c = letter_next(&text)) != 0;) {
        if (c == '|')
            buf_puts(out, "\\|");
        else if (c < 0x20)
            buf_puts(out, " ");
        else
            letter_put(out, c);
    }
    buf_puts(out, " | ");
}

static void put_row(struct buf *out, const struct variants_row *row, bool first)
{
    const struct scenario *s = row->scenario;
    const struct scenario_outage *o = &s->outage;
    CLEANUP_BUF struct buf trials = BUF_INIT(CELL_MAX_BYTES);
    buf_puts(out, "| ");
    put_cell(out, !first ? "" : o->title != NULL ? o->title : s->name);
    put_cell(out, first && o->title != NULL ? scenario_outage_class(o) : "");
    put_cell(out, first && o->title != NULL ? scenario_outage_fidelity(o) : "");
    put_cell(out, row->name);
    buf_printf(out, "%s%s | ", verdict_word(row->verdict),
               scenario_variant_of(s) != NULL && overview_as_expected(row->verdict, row->expect)
                   ? ", as expected"
                   : "");
    for (int i = 0; i < OVERVIEW_N; i++) {
        CLEANUP_BUF struct buf figure = BUF_INIT(CELL_MAX_BYTES);
        report_overview_put(&figure, &row->overview.figures[i]);
        if (i == OVERVIEW_RECOVERY && row->overview.by_hand != 0)
            buf_puts(&figure, ", by hand");
        put_cell(out, buf_text(&figure));
    }
    report_overview_trials(&trials, &row->overview);
    put_cell(out, buf_text(&trials));
    if (row->overview.longest_ns != 0)
        buf_printf(out, "%.0f s |\n", ceil((double)row->overview.longest_ns / (double)NS_PER_SEC));
    else
        buf_puts(out, "- |\n");
}

void report_outages_markdown(const struct variants_row *rows, size_t n, struct buf *out)
{
    buf_puts(out, "| outage | class | fidelity | variant | verdict |");
    for (int i = 0; i < OVERVIEW_N; i++)
        buf_printf(out, " %s |", overview_word((enum overview_what)i));
    buf_puts(out, " trials | longest trial |\n| --- | --- | --- | --- | --- |");
    for (int i = 0; i < OVERVIEW_N; i++)
        buf_puts(out, " --- |");
    buf_puts(out, " --- | --- |\n");
    for (size_t i = 0; i < n; i++)
        put_row(out, &rows[i],
                i == 0 || strcmp(rows[i - 1].scenario->name, rows[i].scenario->name) != 0);
}

json_t *report_outages_json(const struct variants_row *rows, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *one = report_variant_json(&rows[i]);
        (void)json_object_set_new(one, "scenario", json_string(rows[i].scenario->name));
        (void)json_array_append_new(list, one);
    }
    return list;
}
