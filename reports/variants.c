/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/variants.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "reports/compare.h"
#include "reports/figure.h"

#include <math.h>
#include <string.h>

enum { CELL_MAX = 120 };
enum column { VARIANT, VERDICT, FIRST_FIGURE, TRIALS = FIRST_FIGURE + OVERVIEW_N, COLUMNS };

struct line {
    char cells[COLUMNS][CELL_MAX];
};

void report_overview_put(struct buf *out, const struct overview_figure *f)
{
    if (f->n == 0) {
        buf_puts(out, "-");
        return;
    }
    figure_put(out, f->unit, f->lower);
    if (f->lower == f->upper)
        return;
    buf_puts(out, " .. ");
    figure_put(out, f->unit, f->upper);
}

void report_overview_trials(struct buf *out, const struct overview *o)
{
    const char *between = ": ";
    buf_printf(out, "%u", o->trials);
    for (int v = VERDICT_FAIL; v >= VERDICT_NOT_JUDGED; v--)
        if (o->verdicts[v] != 0) {
            buf_printf(out, "%s%u %s", between, o->verdicts[v], verdict_word((enum verdict)v));
            between = ", ";
        }
    if (o->stopped != 0)
        buf_printf(out, "; %u run%s stopped", o->stopped, o->stopped == 1 ? "" : "s");
}

static void put_cell(struct line *line, int column, const struct buf *text)
{
    (void)snprintf(line->cells[column], CELL_MAX, "%s", buf_text(text));
}

static void heading(struct line *line)
{
    *line =
        (struct line){.cells = {[VARIANT] = "variant", [VERDICT] = "verdict", [TRIALS] = "trials"}};
    for (int i = 0; i < OVERVIEW_N; i++)
        (void)snprintf(line->cells[FIRST_FIGURE + i], CELL_MAX, "%s",
                       overview_word((enum overview_what)i));
}

static void verdict_put(struct buf *out, const struct variants_row *row)
{
    enum verdict v = row->verdict;
    buf_puts(out, verdict_word(v));
    if (overview_as_expected(v, row->expect))
        buf_puts(out, ", as expected");
    else
        buf_printf(out, ", expected %s", scenario_expect_word(row->expect));
    if (row->dirty)
        buf_puts(out, "; HOST LEFT DIRTY");
}

static void line_of(const struct variants_row *row, struct line *line)
{
    *line = (struct line){.cells = {""}};
    for (int c = 0; c < COLUMNS; c++) {
        CLEANUP_BUF struct buf text = BUF_INIT(4096);
        if (c == VARIANT)
            buf_puts(&text, row->name);
        else if (c == VERDICT)
            verdict_put(&text, row);
        else if (c == TRIALS)
            report_overview_trials(&text, &row->overview);
        else
            report_overview_put(&text, &row->overview.figures[c - FIRST_FIGURE]);
        put_cell(line, c, &text);
    }
}

static void put_table(const struct variants_report *r, struct buf *out)
{
    struct line line;
    int widths[COLUMNS] = {0};
    for (size_t i = 0; i <= r->n; i++) {
        if (i == 0)
            heading(&line);
        else
            line_of(&r->rows[i - 1], &line);
        for (int c = 0; c < COLUMNS; c++)
            widths[c] =
                (int)strlen(line.cells[c]) > widths[c] ? (int)strlen(line.cells[c]) : widths[c];
    }
    for (size_t i = 0; i <= r->n; i++) {
        if (i == 0)
            heading(&line);
        else
            line_of(&r->rows[i - 1], &line);
        for (int c = 0; c < COLUMNS; c++)
            buf_printf(out, "%s%-*s", c == 0 ? "  " : "   ", c + 1 < COLUMNS ? widths[c] : 0,
                       line.cells[c]);
        buf_puts(out, "\n");
    }
}

/* The target or the service whose figure it is; nothing when it is of the whole. */
static void put_of(const struct overview *v, const struct overview_figure *f, struct buf *out)
{
    if (f->of != NULL)
        figure_put_target(out, f->of);
    else if (f->of_service && f == &v->figures[OVERVIEW_RECOVERY])
        buf_printf(out, "of %s from the fault to its last outage's end", v->service);
    else if (f->of_service && f == &v->figures[OVERVIEW_OUTAGE])
        buf_printf(out, "of %s in full-outage time", v->service);
    else if (f->of_service)
        buf_printf(out, "of %s from the fault on", v->service);
}

/* What the columns are figures of. */
static void put_legend(const struct variants_report *r, struct buf *out)
{
    for (int i = 0; i < OVERVIEW_N; i++) {
        CLEANUP_BUF struct buf of = BUF_INIT(4096);
        for (size_t k = 0; k < r->n && of.len == 0; k++)
            put_of(&r->rows[k].overview, &r->rows[k].overview.figures[i], &of);
        if (of.len != 0)
            buf_printf(out, "  %s: %s\n", overview_word((enum overview_what)i), buf_text(&of));
    }
    if (r->rows[0].overview.trials > 1)
        buf_puts(out, "  an interval holds what each trial that counts has shown\n");
    for (size_t i = 0; i < r->n; i++)
        if (r->rows[i].overview.by_hand != 0)
            buf_printf(out, "  %s: brought back by hand in %u of its trials\n", r->rows[i].name,
                       r->rows[i].overview.by_hand);
    for (size_t i = 0; i < r->n; i++)
        buf_printf(out, "  %s: %s: %s\n", r->rows[i].name, verdict_word(r->rows[i].verdict),
                   r->rows[i].why);
}

void report_variants_text(const struct variants_report *r, struct buf *out)
{
    const struct scenario *s = r->rows[0].scenario;
    buf_printf(out, "%zu variant%s of %s%s%s%s\n\n", r->n, r->n == 1 ? "" : "s", s->name,
               s->outage.title != NULL ? " (" : "", s->outage.title != NULL ? s->outage.title : "",
               s->outage.title != NULL ? ")" : "");
    put_table(r, out);
    buf_puts(out, "\n");
    put_legend(r, out);
    for (size_t i = 0; i < r->n_comparisons; i++) {
        buf_puts(out, "\n");
        report_compare_text(r->comparisons[i], out);
    }
    if (r->n > 1 && r->n_comparisons == 0)
        buf_printf(out,
                   "\nnot compared by trials: fewer than %d of each cannot show any difference "
                   "(--trials 5)\n",
                   COMPARE_TRIALS_MIN);
}

static json_t *bound(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *figure_json(const struct overview *v, const struct overview_figure *f)
{
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    put_of(v, f, &name);
    json_t *o = json_pack("{s:i, s:s, s:o, s:o}", "n", (int)f->n, "unit", figure_unit(f->unit),
                          "lower", f->n != 0 ? bound(f->lower) : json_null(), "upper",
                          f->n != 0 ? bound(f->upper) : json_null());
    (void)json_object_set_new(o, "of", name.len != 0 ? json_string(buf_text(&name)) : json_null());
    return o;
}

json_t *report_variant_json(const struct variants_row *row)
{
    static const char *const keys[OVERVIEW_N] = {"recovery", "outage", "lost_writes",
                                                 "availability", "blast_radius"};
    const struct scenario_variant *v = scenario_variant_of(row->scenario);
    json_t *verdicts = json_object();
    for (int i = VERDICT_NOT_JUDGED; i <= VERDICT_FAIL; i++)
        if (row->overview.verdicts[i] != 0)
            (void)json_object_set_new(verdicts, verdict_word((enum verdict)i),
                                      json_integer(row->overview.verdicts[i]));
    json_t *o = json_pack(
        "{s:s, s:s?, s:s, s:s, s:s, s:b, s:i, s:b, s:s, s:i, s:i, s:i, s:f, s:o}", "name",
        row->name, "description", v != NULL ? v->description : NULL, "expect",
        scenario_expect_word(row->expect), "verdict", verdict_word(row->verdict), "why", row->why,
        "as_expected", overview_as_expected(row->verdict, row->expect), "exit",
        overview_exit(row->verdict, row->dirty, row->expect), "dirty", row->dirty, "folder",
        row->dir, "trials", (int)row->overview.trials, "by_hand", (int)row->overview.by_hand,
        "stopped", (int)row->overview.stopped, "longest_trial_s",
        (double)row->overview.longest_ns / (double)NS_PER_SEC, "verdicts", verdicts);
    for (int i = 0; i < OVERVIEW_N; i++)
        (void)json_object_set_new(o, keys[i],
                                  figure_json(&row->overview, &row->overview.figures[i]));
    return o;
}

json_t *report_variants_json(const struct variants_report *r)
{
    json_t *rows = json_array(), *pairs = json_array();
    for (size_t i = 0; i < r->n; i++)
        (void)json_array_append_new(rows, report_variant_json(&r->rows[i]));
    for (size_t i = 0; i < r->n_comparisons; i++) {
        json_t *one = report_compare_json(r->comparisons[i]);
        (void)json_object_set_new(one, "of", json_string(r->comparisons[i]->names[COMPARE_B]));
        (void)json_object_set_new(one, "against", json_string(r->comparisons[i]->names[COMPARE_A]));
        (void)json_array_append_new(pairs, one);
    }
    return json_pack("{s:s, s:i, s:o, s:o}", "scenario", r->rows[0].scenario->name, "exit",
                     r->exit_status, "variants", rows, "comparisons", pairs);
}
