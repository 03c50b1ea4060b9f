/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_load.h"
#include "cmd/scenario_find.h"
#include "cmd/scenario_sets.h"
#include "cmd/terminal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 32 << 20 };

/* A file, and what was found wrong with it in each of its variants. */
struct checked {
    const char *file;
    struct scenario_set *sets; /* with a place behind them for the variant */
    size_t n_sets;
    const char *const *variants; /* NULL in it: the file has none, or one is chosen */
    size_t n;
    struct problems problems[SCENARIO_VARIANTS_MAX];
    bool failed[SCENARIO_VARIANTS_MAX];
    struct err err; /* of the first that failed */
    char name[NAME_MAX_LEN + 1];
};

static void check(struct checked *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct scenario *s = NULL;
        struct err err;
        bool one = c->variants != NULL;
        if (one)
            c->sets[c->n_sets] = (struct scenario_set){NULL, c->variants[i]};
        c->failed[i] = scenario_load(c->file, &fault_catalogue, c->sets, c->n_sets + one, &s,
                                     &c->problems[i], &err) != 0;
        if (c->failed[i] && c->err.code == 0)
            c->err = err;
        if (s != NULL)
            (void)snprintf(c->name, sizeof(c->name), "%s", s->name);
        scenario_free(s);
    }
}

static bool is_wrong(const struct checked *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->failed[i])
            return true;
    return false;
}

/* Told of an earlier variant already. */
static bool is_told(const struct checked *c, size_t variant, const char *text)
{
    for (size_t i = 0; i < variant; i++)
        for (size_t k = 0; k < c->problems[i].n; k++)
            if (strcmp(c->problems[i].list[k].text, text) == 0)
                return true;
    return false;
}

static void print_wrong(const struct checked *c)
{
    bool any = false;
    for (size_t i = 0; i < c->n; i++) {
        bool headed = i == 0;
        for (size_t k = 0; k < c->problems[i].n; k++) {
            const char *text = c->problems[i].list[k].text;
            any = true;
            if (is_told(c, i, text))
                continue;
            if (!headed)
                (void)fprintf(stderr, "%s, variant %s:\n", c->file, c->variants[i]);
            headed = true;
            (void)fputs(text, stderr);
        }
        cmd_print_problems_cut(&c->problems[i]);
    }
    if (!any)
        (void)fprintf(stderr, "%s\n", c->err.msg);
}

static json_t *checked_json(const struct checked *c)
{
    bool wrong = is_wrong(c);
    json_t *all = json_array(), *names = json_array();
    for (size_t i = 0; i < c->n; i++) {
        json_t *list = cmd_problems_json(&c->problems[i], c->file, NULL), *item;
        size_t k;
        json_array_foreach(list, k, item)
        {
            if (!is_told(c, i, c->problems[i].list[k].text))
                (void)json_array_append(all, item);
        }
        json_decref(list);
        if (c->variants != NULL)
            (void)json_array_append_new(names, json_string(c->variants[i]));
    }
    if (wrong && json_array_size(all) == 0)
        (void)json_array_append_new(
            all, json_pack("{s:s, s:s}", "file", c->file, "message", c->err.msg));
    return json_pack("{s:s, s:b, s:o, s:o}", "file", c->file, "valid", !wrong, "problems", all,
                     "variants", names);
}

static void print(const struct checked *c)
{
    if (is_wrong(c)) {
        print_wrong(c);
        return;
    }
    (void)printf("%s: %svalid%s (%s", c->file, terminal_style(stdout, STYLE_GREEN),
                 terminal_style(stdout, STYLE_PLAIN), c->name);
    for (size_t i = 0; c->variants != NULL && i < c->n; i++)
        (void)printf("%s%s", i == 0 ? ": " : ", ", c->variants[i]);
    (void)puts(")");
}

/* 0 or 2; with `report` the result joins the list instead of the screen. */
static int validate(const char *operand, bool chosen, struct scenario_set *sets, size_t n_sets,
                    json_t *report)
{
    struct arena arena = ARENA_INIT(ARENA_MAX);
    char file[PATH_MAX];
    static struct checked c;
    size_t n = 0;
    c = (struct checked){.file = operand, .sets = sets, .n_sets = n_sets, .n = 1};
    if (scenario_find(operand, file, &c.err) != 0) {
        c.failed[0] = true;
    } else {
        struct err ignored;
        c.file = file;
        if (!chosen && scenario_variant_names(file, &arena, &c.variants, &n, &ignored) != 0)
            n = 0;
        c.n = n != 0 ? n : 1;
        c.variants = n != 0 ? c.variants : NULL;
        check(&c);
    }
    if (report != NULL)
        (void)json_array_append_new(report, checked_json(&c));
    else
        print(&c);
    bool wrong = is_wrong(&c);
    for (size_t i = 0; i < c.n; i++)
        problems_free(&c.problems[i]);
    arena_free(&arena);
    return wrong ? 2 : 0;
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario_set sets[SCENARIO_SETS_MAX + 1];
    bool chosen = command_value(args, "variant") != NULL;
    size_t n_sets = 0;
    char *texts CLEANUP_FREE = NULL;
    json_t *report = command_flag(args, "json") ? json_array() : NULL;
    int status = 0;
    if (scenario_sets(args, sets, &n_sets, &texts, err) != 0)
        return -1;
    for (size_t i = 0; i < args->n_operands; i++)
        if (validate(args->operands[i], chosen, sets, n_sets, report) != 0)
            status = 2;
    if (report != NULL) {
        (void)json_dumpf(report, stdout, JSON_INDENT(2));
        (void)puts("");
        json_decref(report);
    }
    return status;
}

static const struct command_option options[] = {
    {.name = "set",
     .letter = 's',
     .argument = "NAME=VALUE",
     .repeat = true,
     .doc = "Give a variable of the scenario another value."},
    {.name = "variant",
     .argument = "NAME",
     .doc = "Check this variant of the scenario alone (default: each)."},
    {.name = "json", .doc = "Print one JSON document: file, valid, problems, variants of each."},
};

const struct command command_validate = {
    .name = "validate",
    .summary = "Check scenarios: all mistakes at once, each with its place and the mend.",
    .usage = "[OPTIONS] FILE...",
    .doc = "A lab file and an inventory by themselves too. Exit status 0 when all are right, 2\n"
           "otherwise. Nothing is run.",
    .example = "blackstart validate scenarios/*.yaml\n"
               "blackstart validate --set recovery_limit=2s scenarios/quickstart.yaml",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = COMMAND_OPERANDS_ANY,
    .run = run,
};
