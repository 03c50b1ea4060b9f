/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_load.h"
#include "cmd/scenario_sets.h"
#include "cmd/terminal.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* 0 or 2; with `report` the result joins the list instead of the screen. */
static int validate(const char *file, const struct scenario_set *sets, size_t n_sets,
                    json_t *report)
{
    struct scenario *s = NULL;
    struct problems problems = {0};
    struct err err;
    int failed = scenario_load(file, &fault_catalogue, sets, n_sets, &s, &problems, &err);
    if (report != NULL)
        (void)json_array_append_new(
            report, json_pack("{s:s, s:b, s:o}", "file", file, "valid", failed == 0, "problems",
                              cmd_problems_json(&problems, file, failed != 0 ? &err : NULL)));
    else if (failed == 0)
        (void)printf("%s: %svalid%s (%s)\n", file, terminal_style(stdout, STYLE_GREEN),
                     terminal_style(stdout, STYLE_PLAIN), s->name);
    else if (problems.n != 0)
        cmd_print_problems(&problems);
    else
        (void)fprintf(stderr, "%s\n", err.msg);
    scenario_free(s);
    problems_free(&problems);
    return failed == 0 ? 0 : 2;
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario_set sets[COMMAND_VALUES_MAX];
    size_t n_sets = 0;
    char *texts CLEANUP_FREE = NULL;
    json_t *report = command_flag(args, "json") ? json_array() : NULL;
    int status = 0;
    if (scenario_sets(args, sets, &n_sets, &texts, err) != 0)
        return -1;
    for (size_t i = 0; i < args->n_operands; i++)
        if (validate(args->operands[i], sets, n_sets, report) != 0)
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
    {.name = "json", .doc = "Print one JSON document: file, valid, problems of each."},
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
