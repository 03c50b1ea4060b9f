/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/history_print.h"

#include "analysis/trend.h"
#include "base/cleanup.h"
#include "cmd/terminal.h"
#include "cmd/when.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CELL_MAX = 96, TARGET_MIN = 16 };

enum column { WHEN, VERDICT, SCENARIO, TARGET, INTERVAL, SYMPTOMS, TRIALS, VERSION, RUN, COLUMNS };

static const char *const headings[COLUMNS] = {
    "when", "verdict", "scenario", "decided by", "interval", "symptoms", "trials", "version", "run",
};

struct row {
    char cells[COLUMNS][CELL_MAX];
};

static void put_cell(struct row *row, enum column c, const char *text)
{
    (void)snprintf(row->cells[c], CELL_MAX, "%s", text);
}

static size_t shown(const struct store_run *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_symptoms; i++)
        n += strcmp(r->symptoms[i].state, symptom_word(SYMPTOM_SHOWN)) == 0;
    return n;
}

static void row_fill(const struct store_run *r, struct row *row)
{
    CLEANUP_BUF struct buf name = BUF_INIT(4096);
    CLEANUP_BUF struct buf interval = BUF_INIT(4096);
    char when[WHEN_TEXT], trials[32], symptoms[64] = "";
    const struct earlier_target *t = trend_deciding_target(&r->run);
    if (t != NULL)
        trend_print_name(t, &name);
    if (t != NULL && !isnan(t->lower) && !(r->run.stopped && r->run.trials == 0)) {
        trend_print_figure(t->unit, t->lower, &interval);
        buf_puts(&interval, " .. ");
        trend_print_figure(t->unit, t->upper, &interval);
    }
    when_print(r->run.wall, when);
    (void)snprintf(trials, sizeof(trials), "%" PRId64 "%s%s", r->run.trials,
                   r->no_fault ? " dry" : "", r->run.stopped ? " stopped" : "");
    if (r->n_symptoms != 0)
        (void)snprintf(symptoms, sizeof(symptoms), "%zu of %zu", shown(r), r->n_symptoms);
    put_cell(row, WHEN, when);
    put_cell(row, VERDICT, r->run.verdict);
    put_cell(row, SCENARIO, r->scenario);
    put_cell(row, TARGET, buf_text(&name));
    put_cell(row, INTERVAL, interval.len != 0 ? buf_text(&interval) : "-");
    put_cell(row, SYMPTOMS, symptoms);
    put_cell(row, TRIALS, trials);
    put_cell(row, VERSION, r->run.version);
    put_cell(row, RUN, r->run.run);
}

/* A width of 0: the column is left out. */
static void widths_fill(const struct store_list *list, size_t columns, size_t widths[COLUMNS])
{
    struct row row = {.cells = {""}};
    size_t sum = 0, symptoms = 0;
    for (size_t i = 0; i < list->n; i++)
        symptoms += list->runs[i].n_symptoms;
    for (size_t c = 0; c < COLUMNS; c++)
        widths[c] = c == SYMPTOMS && symptoms == 0 ? 0 : strlen(headings[c]);
    for (size_t i = 0; i < list->n; i++) {
        row_fill(&list->runs[i], &row);
        for (size_t c = 0; c < COLUMNS; c++)
            if (strlen(row.cells[c]) > widths[c])
                widths[c] = strlen(row.cells[c]);
    }
    for (size_t c = 0; c < COLUMNS; c++)
        sum += widths[c] + (widths[c] != 0 ? 2 : 0);
    size_t over = sum > columns + 2 ? sum - columns - 2 : 0;
    if (over != 0 && widths[TARGET] > TARGET_MIN)
        widths[TARGET] -= over < widths[TARGET] - TARGET_MIN ? over : widths[TARGET] - TARGET_MIN;
}

static const char *verdict_colour(const char *verdict)
{
    enum style style = strcmp(verdict, "pass") == 0   ? STYLE_GREEN
                       : strcmp(verdict, "fail") == 0 ? STYLE_RED
                                                      : STYLE_YELLOW;
    return terminal_style(stdout, style);
}

static void row_print(const struct row *row, const size_t widths[COLUMNS], bool colour,
                      struct buf *out)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        if (widths[c] == 0)
            continue;
        const char *text = row->cells[c];
        size_t len = strlen(text);
        bool styled = colour && c == VERDICT;
        buf_puts(out, styled ? verdict_colour(text) : "");
        if (len > widths[c])
            buf_printf(out, "%.*s...", (int)widths[c] - 3, text);
        else
            buf_puts(out, text);
        buf_puts(out, styled ? terminal_style(stdout, STYLE_PLAIN) : "");
        if (c + 1 < COLUMNS)
            buf_printf(out, "%*s", (int)((len > widths[c] ? 0 : widths[c] - len) + 2), "");
    }
    buf_puts(out, "\n");
}

void history_print_table(const struct store_list *list, size_t columns, bool colour,
                         struct buf *out)
{
    size_t widths[COLUMNS];
    struct row row = {.cells = {""}};
    widths_fill(list, columns, widths);
    for (size_t c = 0; c < COLUMNS; c++)
        put_cell(&row, (enum column)c, headings[c]);
    row_print(&row, widths, false, out);
    for (size_t i = 0; i < list->n; i++) {
        row_fill(&list->runs[i], &row);
        row_print(&row, widths, colour, out);
    }
}

static void put_csv(struct buf *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        buf_puts(out, text);
        return;
    }
    buf_puts(out, "\"");
    for (; *text != '\0'; text++)
        buf_printf(out, *text == '"' ? "\"\"" : "%c", *text);
    buf_puts(out, "\"");
}

static void put_number(struct buf *out, double value)
{
    buf_puts(out, ",");
    if (isfinite(value))
        buf_printf(out, "%.9g", value);
}

/* `t` NULL: a run without any target still has its line. */
static void csv_line(const struct store_run *r, const struct earlier_target *t, struct buf *out)
{
    const char *const texts[] = {r->run.run,    r->run.wall,     r->scenario, r->run.sha256,
                                 r->run.setup,  r->run.version,  r->kernel,   r->machine,
                                 r->node,       r->run.packages, r->folder,   r->vars,
                                 r->run.verdict};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        put_csv(out, texts[i]);
        buf_puts(out, ",");
    }
    buf_printf(out, "%" PRId64 ",%" PRId64 ",%" PRId64 ",%d,%d,%d,%d,%.3f", r->exit_status, r->seed,
               r->run.trials, r->no_fault, r->dirty, r->aborted, r->run.stopped,
               (double)r->took_ns / 1e9);
    const char *const of[] = {t != NULL ? t->measure : "",
                              t != NULL ? t->of : "",
                              t != NULL ? t->from : "",
                              t != NULL ? t->unit : "",
                              t != NULL ? t->verdict : "",
                              t != NULL ? t->detail : "",
                              t == NULL     ? ""
                              : t->at_least ? "at least"
                                            : "at most"};
    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        buf_puts(out, ",");
        put_csv(out, of[i]);
    }
    put_number(out, t != NULL ? t->limit : NAN);
    put_number(out, t != NULL ? t->lower : NAN);
    put_number(out, t != NULL ? t->upper : NAN);
    buf_printf(out, ",%zu,%zu\n", r->n_symptoms, shown(r));
}

void history_print_csv(const struct store_list *list, struct buf *out)
{
    buf_puts(
        out,
        "run,wall,scenario,sha256,setup,version,kernel,machine,node,packages,folder,"
        "vars,verdict,exit,seed,trials,no_fault,dirty,aborted,stopped,took_s,measure,of,from,unit,"
        "target_verdict,detail,side,limit,lower,upper,symptoms,symptoms_shown\n");
    for (size_t i = 0; i < list->n; i++) {
        const struct store_run *r = &list->runs[i];
        for (size_t k = 0; k < r->run.n_targets; k++)
            csv_line(r, &r->run.targets[k], out);
        if (r->run.n_targets == 0)
            csv_line(r, NULL, out);
    }
}

static json_t *symptoms_json(const struct store_run *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->n_symptoms; i++) {
        const struct store_symptom *s = &r->symptoms[i];
        json_t *dry = s->without_fault[0] != '\0' ? json_string(s->without_fault) : json_null();
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:o}", "shows",
                                              s->shows, "expects", s->expects, "state", s->state,
                                              "why", s->why, "n", (json_int_t)s->judged, "shown",
                                              (json_int_t)s->shown, "without_fault", dry));
    }
    return list;
}

static json_t *run_json(const struct store_run *r)
{
    /* The event's form, and what it does not need. */
    struct earlier one = {
        .setup = r->run.setup, .runs = (struct earlier_run *)(uintptr_t)&r->run, .n = 1};
    json_t *all = earlier_to_json(&one);
    json_t *o = json_incref(json_array_get(json_object_get(all, "runs"), 0));
    json_decref(all);
    json_t *vars = json_loads(r->vars, JSON_REJECT_DUPLICATES, NULL);
    json_t *more = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:f, s:b, s:b, s:b, s:o, s:o}", "scenario",
        r->scenario, "file", r->file, "folder", r->folder, "why", r->why, "kernel", r->kernel,
        "machine", r->machine, "node", r->node, "exit", (json_int_t)r->exit_status, "seed",
        (json_int_t)r->seed, "took_s", (double)r->took_ns / 1e9, "no_fault", r->no_fault, "dirty",
        r->dirty, "aborted", r->aborted, "vars", vars != NULL ? vars : json_object(), "symptoms",
        symptoms_json(r));
    (void)json_object_update(o, more);
    json_decref(more);
    return o;
}

json_t *history_json(const struct store_list *list, const char *file, struct store *store,
                     struct err *err)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < list->n; i++) {
        json_t *o = run_json(&list->runs[i]), *trials = NULL;
        if (store != NULL && store_trials(store, list->runs[i].id, &trials, err) != 0) {
            json_decref(o);
            json_decref(runs);
            return NULL;
        }
        if (trials != NULL)
            (void)json_object_set_new(o, "each_trial", trials);
        (void)json_array_append_new(runs, o);
    }
    json_t *all =
        json_pack("{s:s, s:I, s:o}", "store", file, "more", (json_int_t)list->more, "runs", runs);
    if (all == NULL)
        (void)make_error(err, ERR_LIMIT, ENOMEM, "the list of runs");
    return all;
}
