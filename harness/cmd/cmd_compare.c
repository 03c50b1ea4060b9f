/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_compare.h"

#include "analysis/compare.h"
#include "base/cleanup.h"
#include "base/param.h"
#include "cmd/command.h"
#include "cmd/judged.h"
#include "cmd/terminal.h"
#include "reports/compare.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };
#define MARGIN_MAX INT64_C(86400000000000)

static const struct command_option options[] = {
    {.name = "margin",
     .argument = "TIME",
     .doc = "Slower by no more than this is not slower: 500ms (default: 0s)."},
    {.name = "allow-different", .doc = "Compare runs of different scenarios, too."},
    {.name = "json", .doc = "Print one JSON document, and nothing else."},
};

/* What made a run what it was; members of its first event. */
static const char *const made_of[] = {"sha256", "other"};
enum { MADE_OF_N = sizeof(made_of) / sizeof(made_of[0]) };

struct sides {
    json_t *first[2]; /* run.start of the first run of each */
    json_t *seen[2];  /* runs' ids */
};

static void sides_free(struct sides *s)
{
    for (int i = 0; i < 2; i++) {
        json_decref(s->first[i]);
        json_decref(s->seen[i]);
    }
}

static bool same_scenario(const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < MADE_OF_N; i++) {
        const json_t *one = json_object_get(a, made_of[i]), *two = json_object_get(b, made_of[i]);
        if (one != two && (one == NULL || two == NULL || !json_equal(one, two)))
            return false;
    }
    return true;
}

/* Runs of one side are one experiment; the two sides differ in their variables alone. */
static int check(const struct comparison *what, struct sides *s, enum compare_side side,
                 const struct history *h, const char *dir, struct err *err)
{
    if (json_object_get(s->seen[side], h->run) != NULL)
        return make_error(err, ERR_INPUT, 0, "%s: this run was given twice", dir);
    if (side == COMPARE_B && json_object_get(s->seen[COMPARE_A], h->run) != NULL)
        return make_error(err, ERR_INPUT, 0, "%s: this run was given on both sides", dir);
    (void)json_object_set_new(s->seen[side], h->run, json_true());
    if (s->first[side] == NULL)
        s->first[side] = json_deep_copy(h->start);
    if (what->allow_different)
        return 0;
    if (!same_scenario(s->first[COMPARE_A], h->start))
        return make_error(err, ERR_INPUT, 0,
                          "%s is a run of another scenario, or of one that was changed; "
                          "--allow-different compares it all the same",
                          dir);
    if (!json_equal(json_object_get(s->first[side], "vars"), json_object_get(h->start, "vars")))
        return make_error(err, ERR_INPUT, 0,
                          "%s has other variables than the first run of its side; "
                          "--allow-different takes it all the same",
                          dir);
    return 0;
}

static int side_add(const struct comparison *what, enum compare_side side, struct compare *c,
                    struct sides *s, struct err *err)
{
    const char *const *dirs = side == COMPARE_A ? what->a : what->b;
    size_t n = side == COMPARE_A ? what->n_a : what->n_b;
    for (size_t i = 0; i < n; i++) {
        CLEANUP_JUDGED struct judged run = {.history = NULL};
        if (judged_load(dirs[i], &run, err) < 0)
            return -1;
        if (check(what, s, side, run.history, dirs[i], err) < 0 ||
            compare_add(c, side, run.analysis, err) < 0)
            return -1;
    }
    return 0;
}

/* What the two sides do not share: for people, above what is found. */
static json_t *differences(const struct sides *s)
{
    json_t *list = json_array();
    const json_t *a = json_object_get(s->first[COMPARE_A], "vars");
    const json_t *b = json_object_get(s->first[COMPARE_B], "vars");
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)b, name, value)
    {
        const char *was = json_string_value(json_object_get(a, name));
        const char *is = json_string_value(value);
        if (is != NULL && (was == NULL || strcmp(was, is) != 0))
            (void)json_array_append_new(
                list, json_sprintf("%s: %s in A, %s in B", name, was != NULL ? was : "absent", is));
    }
    static const char *const told[] = {"sha256", "version", "kernel"};
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
        const char *was = json_string_value(json_object_get(s->first[COMPARE_A], told[i]));
        const char *is = json_string_value(json_object_get(s->first[COMPARE_B], told[i]));
        if (was != NULL && is != NULL && strcmp(was, is) != 0)
            (void)json_array_append_new(
                list, json_sprintf("%s: %s in A, %s in B", i == 0 ? "scenario" : told[i], was, is));
    }
    return list;
}

static void print(const struct compare *c, const struct sides *s, bool json)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    json_t *list = differences(s);
    if (json) {
        json_t *o = report_compare_json(c);
        (void)json_object_set_new(o, "differences", list);
        (void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        (void)puts("");
        json_decref(o);
        return;
    }
    report_compare_text(c, &out);
    for (size_t i = 0; i < json_array_size(list); i++)
        buf_printf(&out, "  %s\n", json_string_value(json_array_get(list, i)));
    enum style style = c->exit_status == 1   ? STYLE_RED
                       : c->exit_status == 0 ? STYLE_GREEN
                                             : STYLE_YELLOW;
    (void)printf("%s", terminal_style(stdout, style));
    terminal_put(stdout, buf_text(&out));
    (void)fputs(terminal_style(stdout, STYLE_PLAIN), stdout);
    json_decref(list);
}

int cmd_compare(const struct comparison *what, struct err *err)
{
    CLEANUP_COMPARE struct compare *c = NULL;
    struct sides s = {.seen = {json_object(), json_object()}};
    int rc = compare_new(what->margin, &c, err);
    if (rc == 0)
        rc = side_add(what, COMPARE_A, c, &s, err);
    if (rc == 0)
        rc = side_add(what, COMPARE_B, c, &s, err);
    if (rc == 0)
        rc = compare_judge(c, err);
    if (rc == 0)
        print(c, &s, what->json);
    sides_free(&s);
    return rc < 0 ? -1 : c->exit_status;
}

static int margin_take(const struct command_args *args, double *ret, struct err *err)
{
    const char *text = command_value(args, "margin");
    const struct param p = {
        .name = "--margin", .type = PARAM_DURATION, .min = 0, .max = MARGIN_MAX};
    struct duration margin = {0};
    if (text != NULL && param_parse(&p, text, &margin, err) != 0) {
        err->code = ERR_USAGE;
        return -1;
    }
    *ret = (double)margin.ns / 1e9;
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    struct comparison what = {.a = args->operands,
                              .n_a = args->split ? args->n_before : 1,
                              .allow_different = command_flag(args, "allow-different"),
                              .json = command_flag(args, "json")};
    if (margin_take(args, &what.margin, err) < 0)
        return -1;
    if (!args->split && args->n_operands != 2)
        return make_error(err, ERR_USAGE, 0,
                          "for more than one run of a side write -- between them: "
                          "blackstart compare A1 A2 -- B1 B2");
    what.b = args->operands + what.n_a;
    what.n_b = args->n_operands - what.n_a;
    if (what.n_a == 0 || what.n_b == 0)
        return make_error(err, ERR_USAGE, 0, "both sides need a run");
    return cmd_compare(&what, err);
}

const struct command command_compare = {
    .name = "compare",
    .summary = "Say whether one build is slower to recover than another.",
    .usage = "[OPTIONS] A B | A... -- B...",
    .doc =
        "A and B are folders of runs with trials, B the newer one. For each target: by how much\n"
        "B is shifted, between which bounds, and whether chance alone would do it (Mann-Whitney,\n"
        "Hodges-Lehmann, Holm); a trial that never came to its end ranks as the longest. Exit\n"
        "status: 0 not slower, 1 slower by more than the margin, 2 bad input, 3 cannot tell\n"
        "(fewer than 4 v 4 trials that count, or a series that is invalid or was stopped).",
    .example = "blackstart compare --margin 500ms runs/last-release runs/this-release\n"
               "blackstart compare runs/a1 runs/a2 -- runs/b1 runs/b2",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 2,
    .operands_max = COMMAND_OPERANDS_ANY,
    .run = run,
};
