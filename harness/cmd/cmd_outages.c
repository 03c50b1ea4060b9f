/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_load.h"
#include "cmd/command.h"
#include "cmd/outages_table.h"
#include "cmd/scenario_find.h"
#include "cmd/terminal.h"
#include "engine/plan.h"
#include "reports/reproduced.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

struct listing {
    json_t *json; /* NULL: text */
    struct buf *out;
    size_t n;
};

/* From the first step's beginning to the end of the last fault, at least; 0: not known. */
static int64_t here_ns(const struct scenario *s)
{
    struct plan *plan = NULL;
    struct err ignored;
    int64_t ret = 0;
    if (plan_build(s, s->seed, &plan, &ignored) == 0)
        ret = plan->least_ns;
    plan_free(plan);
    return ret;
}

static json_t *variants_json(const struct scenario *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->n_variants; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s?, s:s}", "name", s->variants[i].name, "description",
                            s->variants[i].description, "expect",
                            scenario_expect_word((enum variant_expect)s->variants[i].expect)));
    return list;
}

static json_t *one_json(const struct scenario *s)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s?, s:f, s:o}", "name", s->name, "file", s->file, "description",
                  s->description, "here_s", (double)here_ns(s) / 1e9, "variants", variants_json(s));
    (void)json_object_update_new(o, reproduced_json(s));
    return o;
}

static void print_row(struct buf *out, const struct scenario *s)
{
    const struct scenario_outage *o = &s->outage;
    char there[64] = "-", here[64];
    const struct duration least = {here_ns(s) / 1000000000 * 1000000000};
    if (o->duration.ns != 0)
        (void)duration_print(o->duration, there, sizeof(there));
    buf_printf(out, "  %-24s %-12s %-9s %-10s %-10s ", s->name, scenario_outage_class(o),
               scenario_outage_fidelity(o), there, duration_print(least, here, sizeof(here)));
    for (size_t i = 0; i < s->n_variants; i++)
        buf_printf(out, "%s%s", i != 0 ? ", " : "", s->variants[i].name);
    buf_printf(out, "\n    %s\n", o->title);
}

static int load(const char *file, struct scenario **ret, struct err *err)
{
    struct problems problems = {0};
    int rc = scenario_load(file, &fault_catalogue, NULL, 0, ret, &problems, err);
    cmd_print_problems(&problems);
    problems_free(&problems);
    return rc;
}

/* One that is wrong is told, and the others are listed. */
static int list_one(void *ctx, const char *name, const char *file)
{
    struct listing *l = ctx;
    struct scenario *s = NULL;
    struct err err;
    (void)name;
    if (load(file, &s, &err) < 0 || s->outage.title == NULL) {
        scenario_free(s);
        return 0;
    }
    if (l->json != NULL)
        (void)json_array_append_new(l->json, one_json(s));
    else
        print_row(l->out, s);
    l->n++;
    scenario_free(s);
    return 0;
}

static void print_json(json_t *o)
{
    (void)json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    (void)puts("");
    json_decref(o);
}

static int list_all(bool json, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    struct listing l = {.json = json ? json_array() : NULL, .out = &out};
    buf_printf(&out, "  %-24s %-12s %-9s %-10s %-10s %s\n", "name", "class", "fidelity", "there",
               "here", "variants");
    int rc = scenario_find_outages(list_one, &l, err);
    if (rc == 0 && json)
        print_json(json_incref(l.json));
    else if (rc == 0)
        terminal_put(stdout, buf_text(&out));
    json_decref(l.json);
    return rc;
}

static void put_line(void *ctx, const char *label, const char *text)
{
    if (strcmp(label, "variant") != 0)
        buf_printf(ctx, "%-11s %s\n", label, text);
}

static int show_one(const struct command_args *args, bool json, struct err *err)
{
    CLEANUP_BUF struct buf out = BUF_INIT(TEXT_MAX);
    const char *operand = args->operands[0];
    char here[64];
    struct scenario *s = NULL;
    int rc = cmd_load_scenario(args, operand, &fault_catalogue, &s, err);
    if (rc != 0)
        return rc;
    if (s->outage.title == NULL)
        rc = make_error(err, ERR_INPUT, 0, "%s reproduces no outage: it has no \"outage:\"",
                        s->file);
    if (rc == 0 && json) {
        print_json(one_json(s));
    } else if (rc == 0) {
        const struct duration least = {here_ns(s) / 1000000000 * 1000000000};
        buf_printf(&out, "%s\n", s->name);
        if (s->description != NULL)
            buf_printf(&out, "%s\n", s->description);
        buf_printf(&out, "\nfile        %s\n", s->file);
        reproduced_lines(s, put_line, &out);
        buf_printf(&out, "here        %s at least, beside the lab's own start\n",
                   duration_print(least, here, sizeof(here)));
        for (size_t i = 0; i < s->n_variants; i++)
            buf_printf(&out, "%s%s%s%s; expected to %s\n", i == 0 ? "\nvariants\n  " : "  ",
                       s->variants[i].name, s->variants[i].description != NULL ? ": " : "",
                       s->variants[i].description != NULL ? s->variants[i].description : "",
                       scenario_expect_word((enum variant_expect)s->variants[i].expect));
        buf_printf(&out, "\n  blackstart run %s%s\n", s->n_variants > 1 ? "--compare " : "",
                   operand);
        terminal_put(stdout, buf_text(&out));
    }
    scenario_free(s);
    return rc;
}

static int run(const struct command_args *args, struct err *err)
{
    bool json = command_flag(args, "json");
    if (command_flag(args, "table"))
        return outages_table(args->operands, args->n_operands, json, err);
    if (args->n_operands > 1)
        return make_error(err, ERR_USAGE, 0, "one outage at a time; --table takes runs' folders");
    return args->n_operands == 0 ? list_all(json, err) : show_one(args, json, err);
}

static int add_word(void *ctx, const char *name, const char *file)
{
    struct buf *out = ctx;
    (void)file;
    buf_printf(out, "%s%s", out->len != 0 ? " " : "", name);
    return 0;
}

static void complete(struct buf *out)
{
    struct err ignored;
    (void)!scenario_find_outages(add_word, out, &ignored);
}

static const struct command_option options[] = {
    {.name = "table",
     .doc =
         "Of runs' folders, or folders of them: a Markdown table, a row for each variant of each "
         "scenario."},
    {.name = "json", .doc = "Print one JSON document."},
};

const struct command command_outages = {
    .name = "outages",
    .summary = "List the outages that scenarios reproduce, explain one, or tabulate runs of them.",
    .usage = "[--json] [NAME] | --table [--json] DIR...",
    .doc = "Those of ./scenarios/outages and those that are installed. \"there\" is how long the\n"
           "outage lasted, \"here\" how long a run takes at least. The table is made from the\n"
           "folders' journals alone; runs of one variant are one row.",
    .example = "blackstart outages\nblackstart outages github-2018\n"
               "blackstart outages --table runs/github runs/gitlab > table.md",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = COMMAND_OPERANDS_ANY,
    .complete = complete,
    .run = run,
};
