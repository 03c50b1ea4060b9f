/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "cmd/cmd_load.h"
#include "cmd/command.h"
#include "cmd/scenario_sets.h"
#include "cmd/terminal.h"
#include "engine/plan.h"

#include <stdio.h>
#include <stdlib.h>

static const struct command_option options[] = {
    {.name = "set",
     .argument = "NAME=VALUE",
     .repeat = true,
     .doc = "Give a variable of the scenario another value."},
    SCENARIO_VARIANT_OPTION,
    {.name = "seed", .argument = "N", .doc = "Show what a run with this seed draws."},
    {.name = "json", .doc = "Print one JSON document."},
};

static int print(const struct plan *plan, bool json, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    if (json) {
        json_t *doc = NULL;
        if (plan_json(plan, &doc, err) < 0)
            return -1;
        text = json_dumps(doc, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
        json_decref(doc);
        if (text == NULL)
            return make_error(err, ERR_LIMIT, 0, "out of memory for the plan");
        (void)printf("%s\n", text);
        return 0;
    }
    if (plan_print(plan, &text, err) < 0)
        return -1;
    terminal_put(stdout, text);
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario *scenario = NULL;
    struct plan *plan = NULL;
    uint64_t seed = 0;
    if (command_count(args, "seed", 0, COMMAND_SEED_MAX, &seed, err) < 0)
        return -1;
    int rc = cmd_load_scenario(args, args->operands[0], &fault_catalogue, &scenario, err);
    if (rc != 0)
        return rc;
    if (command_value(args, "seed") != NULL) {
        scenario->seed = seed;
        scenario->seed_given = true;
    }
    rc = plan_build(scenario, scenario->seed, &plan, err);
    if (rc == 0)
        rc = print(plan, command_flag(args, "json"), err);
    plan_free(plan);
    scenario_free(scenario);
    return rc;
}

const struct command command_plan = {
    .name = "plan",
    .summary = "Print what a scenario would do, and do nothing.",
    .usage = "[OPTIONS] FILE",
    .doc = "Says what would be done to which host, when and for how long, what cannot be undone,\n"
           "and the total time. Roles are asked at run time: the plan assumes the first host that\n"
           "could have each, and says so.",
    .example = "blackstart plan scenarios/quickstart.yaml",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
