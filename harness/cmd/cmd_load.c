/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_load.h"

#include "base/cleanup.h"
#include "cmd/scenario_find.h"
#include "cmd/scenario_sets.h"
#include "engine/plan.h"

#include <stdio.h>

void cmd_print_problems(const struct problems *p)
{
    for (size_t i = 0; i < p->n; i++)
        (void)fputs(p->list[i].text, stderr);
    cmd_print_problems_cut(p);
}

void cmd_print_problems_cut(const struct problems *p)
{
    if (p->cut)
        (void)fprintf(stderr, "... and more: only the first %d are shown\n", PROBLEMS_MAX);
}

json_t *cmd_problems_json(const struct problems *p, const char *file, const struct err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->n; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:i, s:i, s:s, s:s}", "file", p->list[i].file, "line",
                            (int)p->list[i].pos.line, "column", (int)p->list[i].pos.col, "message",
                            p->list[i].message, "text", p->list[i].text));
    if (p->n == 0 && err != NULL)
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s}", "file", file, "message", err->msg));
    return list;
}

int cmd_load_scenario_over(const struct command_args *args, const struct cmd_load *what,
                           const struct catalogue *faults, struct scenario **ret, struct err *err)
{
    struct scenario_set sets[SCENARIO_SETS_MAX];
    char file[PATH_MAX];
    size_t n_sets = 0;
    char *texts CLEANUP_FREE = NULL;
    struct problems problems = {0};
    if (scenario_sets_over(args, what->second, what->variant, sets, &n_sets, &texts, err) != 0 ||
        scenario_find(what->file, file, err) != 0)
        return -1;
    int rc = scenario_load(file, faults, sets, n_sets, ret, &problems, err);
    if (rc == 0 && (*ret)->n_probes == 0) {
        bool lab = (*ret)->lab != NULL;
        scenario_free(*ret);
        *ret = NULL;
        rc = make_error(err, ERR_INPUT, 0,
                        "%s is %s: a scenario is needed, which names it with \"%s\"", file,
                        lab ? "a lab file" : "an inventory", lab ? "lab:" : "inventory:");
    }
    if (rc != 0 && problems.n != 0) {
        command_print_refusal(args, err, cmd_problems_json(&problems, file, NULL));
        cmd_print_problems(&problems);
        rc = 2;
    }
    problems_free(&problems);
    return rc;
}

int cmd_load_scenario(const struct command_args *args, const char *file,
                      const struct catalogue *faults, struct scenario **ret, struct err *err)
{
    const struct cmd_load what = {.file = file};
    return cmd_load_scenario_over(args, &what, faults, ret, err);
}

/* More trials than fit are no run that anybody wants to wait for. The scenario's own number was
 * checked when it was read. */
static int check_length(const struct plan *plan, uint32_t trials, struct err *err)
{
    char needed[64], deadline[64];
    const struct duration limit = plan->scenario->deadline;
    if (plan->trial_least_ns <= 0 || trials <= limit.ns / plan->trial_least_ns)
        return 0;
    struct duration all = {plan->trial_least_ns * trials};
    return make_error(
        err, ERR_USAGE, 0,
        "%u trials take at least %s, and the run is ended after %s: give the scenario "
        "\"deadline: %s\" or more, or at most --trials %u",
        trials, duration_print(all, needed, sizeof(needed)),
        duration_print(limit, deadline, sizeof(deadline)), needed,
        (unsigned)(limit.ns / plan->trial_least_ns));
}

int cmd_can_run(const struct scenario *scenario, uint64_t seed, uint32_t trials, struct err *err)
{
    struct plan *plan = NULL;
    if (scenario->lab == NULL) {
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s names real hosts; only labs can be run yet: "
                          "give it \"lab:\"",
                          scenario->file);
    }
    if (plan_build(scenario, seed, &plan, err) < 0)
        return -1;
    int rc = check_length(plan, trials, err);
    plan_free(plan);
    return rc;
}
