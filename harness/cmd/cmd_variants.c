/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_variants.h"

#include "base/cleanup.h"
#include "cmd/judged.h"
#include "cmd/terminal.h"
#include "reports/variants.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

struct all {
    struct judged runs[SCENARIO_VARIANTS_MAX];
    struct variants_row rows[SCENARIO_VARIANTS_MAX];
    struct compare *comparisons[SCENARIO_VARIANTS_MAX];
    size_t n, n_comparisons;
};

static void all_free(struct all *a)
{
    for (size_t i = 0; i < a->n; i++)
        judged_free(&a->runs[i]);
    for (size_t i = 0; i < a->n_comparisons; i++)
        compare_free_at(&a->comparisons[i]);
}

void variants_row_of(const struct judged *run, const char *dir, struct variants_row *ret)
{
    const struct scenario_variant *v = scenario_variant_of(run->scenario);
    *ret =
        (struct variants_row){.name = v != NULL ? v->name : "-",
                              .dir = dir,
                              .scenario = run->scenario,
                              .verdict = run->analysis->verdict,
                              .why = run->analysis->why,
                              .dirty = run->analysis->dirty,
                              .expect = v != NULL ? (enum variant_expect)v->expect : EXPECT_PASS};
}

static int row_take(struct all *a, const char *dir, struct err *err)
{
    size_t i = a->n++;
    struct judged *run = &a->runs[i];
    if (judged_load(dir, run, err) < 0)
        return -1;
    variants_row_of(run, dir, &a->rows[i]);
    overview_make(run->analysis, i != 0 ? &a->rows[0].overview : NULL, &a->rows[i].overview);
    return 0;
}

static int compare_all(struct all *a, struct err *err)
{
    if (a->rows[0].overview.trials < COMPARE_TRIALS_MIN)
        return 0;
    for (size_t i = 1; i < a->n; i++) {
        struct compare **c = &a->comparisons[a->n_comparisons];
        if (compare_new(0, c, err) < 0)
            return -1;
        a->n_comparisons++;
        (*c)->names[COMPARE_A] = a->rows[0].name;
        (*c)->names[COMPARE_B] = a->rows[i].name;
        if (compare_add(*c, COMPARE_A, a->runs[0].analysis, err) < 0 ||
            compare_add(*c, COMPARE_B, a->runs[i].analysis, err) < 0)
            return -1;
    }
    return compare_judge_all(a->comparisons, a->n_comparisons, err);
}

/* 4 before 1 before 3 before 0. */
static int worse(int a, int b)
{
    static const int order[] = {[0] = 0, [1] = 2, [2] = 1, [3] = 1, [4] = 3};
    return order[a] > order[b] ? a : b;
}

static void print(const struct variants_report *r, bool json)
{
    if (json) {
        json_t *o = report_variants_json(r);
        (void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        (void)puts("");
        json_decref(o);
        return;
    }
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    report_variants_text(r, &out);
    enum style style = r->exit_status == 1   ? STYLE_RED
                       : r->exit_status == 0 ? STYLE_GREEN
                                             : STYLE_YELLOW;
    (void)printf("\n%s", terminal_style(stdout, style));
    terminal_put(stdout, buf_text(&out));
    (void)fputs(terminal_style(stdout, STYLE_PLAIN), stdout);
}

int cmd_variants(const char *const *dirs, size_t n, bool json, struct err *err)
{
    static struct all a;
    int rc = 0, status = 0;
    a = (struct all){.n = 0};
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = row_take(&a, dirs[i], err);
    if (rc == 0)
        rc = compare_all(&a, err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        status = worse(status, overview_exit(a.runs[i].analysis->verdict, a.runs[i].analysis->dirty,
                                             a.rows[i].expect));
    const struct variants_report report = {.rows = a.rows,
                                           .n = n,
                                           .comparisons = a.comparisons,
                                           .n_comparisons = a.n_comparisons,
                                           .exit_status = status};
    if (rc == 0)
        print(&report, json);
    all_free(&a);
    return rc < 0 ? -1 : status;
}
