/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_run_compare.h"

#include "agents/faults/catalogue.h"
#include "analysis/compare.h"
#include "base/cleanup.h"
#include "cmd/cmd_compare.h"
#include "cmd/cmd_load.h"
#include "cmd/cmd_run_turns.h"
#include "cmd/cmd_variants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_pair(const struct command_args *args)
{
    return command_value(args, "against") != NULL || command_value(args, "set-b") != NULL;
}

static bool is_variants(const struct command_args *args)
{
    return command_flag(args, "compare") || command_value(args, "variants") != NULL;
}

bool cmd_run_is_compared(const struct command_args *args)
{
    return is_pair(args) || is_variants(args);
}

/* What is about one run alone. */
static int check_options(const struct command_args *args, struct err *err)
{
    static const char *const excluded[] = {"sequential", "no-fault", "hold"};
    const char *with = is_variants(args) ? "--compare" : "--against or --set-b";
    for (size_t i = 0; i < sizeof(excluded) / sizeof(excluded[0]); i++)
        if (command_flag(args, excluded[i]))
            return make_error(err, ERR_USAGE, 0, "--%s does not go with %s", excluded[i], with);
    if (is_variants(args) && is_pair(args))
        return make_error(err, ERR_USAGE, 0, "--against and --set-b do not go with --compare");
    if (is_variants(args) && command_value(args, "variant") != NULL)
        return make_error(err, ERR_USAGE, 0,
                          "--variant runs one of them; --variants %s,... compares",
                          command_value(args, "variant"));
    return 0;
}

/* Two builds: the second is the same file with another variable, or another file. */
static int run_pair(const struct command_args *args, const struct run_compared *what,
                    struct err *err)
{
    static struct run_turn runs[2];
    const char *file = command_value(args, "against");
    struct scenario *b = NULL;
    const struct cmd_load load = {.file = file != NULL ? file : args->operands[0],
                                  .second = "set-b"};
    int rc = cmd_load_scenario_over(args, &load, &fault_catalogue, &b, err);
    if (rc != 0)
        return rc;
    runs[0] = (struct run_turn){.scenario = what->scenario, .name = "A", .folder = "a"};
    runs[1] = (struct run_turn){.scenario = b, .name = "B", .folder = "b"};
    struct run_turns turns = {.runs = runs,
                              .n = 2,
                              .trials = what->trials,
                              .reports = what->reports,
                              .seed = what->seed,
                              .together = true};
    rc = cmd_can_run(what->scenario, what->seed, what->trials, err);
    if (rc == 0)
        rc = cmd_can_run(b, what->seed, what->trials, err);
    int worst = rc == 0 ? cmd_run_turns(args, &turns, err) : rc, status = worst;
    if (worst >= 0) {
        const char *first = runs[0].dir, *second = runs[1].dir;
        const struct comparison both = {.a = &first,
                                        .b = &second,
                                        .n_a = 1,
                                        .n_b = 1,
                                        .allow_different = true,
                                        .json = command_flag(args, "json")};
        if (!both.json)
            (void)puts("");
        status = cmd_compare(&both, err);
    }
    if (rc == 0)
        cmd_run_turns_done(args, &turns);
    scenario_free(b);
    return status >= 0 && worst > 0 ? worst : status;
}

/* "a,b" or, without it, all. The texts live in *ret_text, or in the scenario. */
static int names_take(const struct command_args *args, const struct scenario *s,
                      const char *names[RUN_TURNS_MAX], size_t *ret_n, char **ret_text,
                      struct err *err)
{
    const char *asked = command_value(args, "variants");
    size_t n = 0;
    if (s->n_variants == 0)
        return make_error(err, ERR_USAGE, 0,
                          "%s has no variants; --set-b NAME=VALUE compares it with another value",
                          s->file);
    for (; asked == NULL && n < s->n_variants; n++)
        names[n] = s->variants[n].name;
    *ret_text = asked != NULL ? strdup(asked) : NULL;
    if (asked != NULL && *ret_text == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    char *rest = *ret_text;
    for (char *name; asked != NULL && (name = strsep(&rest, ",")) != NULL;) {
        for (size_t i = 0; i < n; i++)
            if (strcmp(names[i], name) == 0)
                return make_error(err, ERR_USAGE, 0, "--variants: \"%s\" stands there twice", name);
        if (n == RUN_TURNS_MAX)
            return make_error(err, ERR_USAGE, 0, "--variants: more than %d", RUN_TURNS_MAX);
        names[n++] = name;
    }
    *ret_n = n;
    return 0;
}

static int variants_load(const struct command_args *args, const char *const *names, size_t n,
                         const struct run_compared *what, struct scenario *ret[RUN_TURNS_MAX],
                         struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct cmd_load load = {.file = args->operands[0], .variant = names[i]};
        int rc = cmd_load_scenario_over(args, &load, &fault_catalogue, &ret[i], err);
        if (rc == 0)
            rc = cmd_can_run(ret[i], what->seed, what->trials, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int run_variants(const struct command_args *args, const struct run_compared *what,
                        struct err *err)
{
    static struct run_turn runs[RUN_TURNS_MAX];
    const char *names[RUN_TURNS_MAX], *dirs[RUN_TURNS_MAX];
    struct scenario *loaded[RUN_TURNS_MAX] = {NULL};
    char *text CLEANUP_FREE = NULL;
    size_t n = 0;
    if (names_take(args, what->scenario, names, &n, &text, err) < 0)
        return -1;
    int rc = variants_load(args, names, n, what, loaded, err);
    for (size_t i = 0; i < n; i++) {
        runs[i] = (struct run_turn){.scenario = loaded[i], .name = names[i], .folder = names[i]};
        dirs[i] = runs[i].dir;
    }
    struct run_turns turns = {
        .runs = runs, .n = n, .trials = what->trials, .reports = what->reports, .seed = what->seed};
    int worst = rc == 0 ? cmd_run_turns(args, &turns, err) : rc, status = worst;
    if (rc == 0 && worst >= 0)
        status = cmd_variants(dirs, n, command_flag(args, "json"), err);
    if (rc == 0)
        cmd_run_turns_done(args, &turns);
    for (size_t i = 0; i < n; i++)
        scenario_free(loaded[i]);
    return status >= 0 && worst > 0 ? worst : status;
}

int cmd_run_compared(const struct command_args *args, const struct run_compared *what,
                     struct err *err)
{
    if (check_options(args, err) < 0)
        return -1;
    if (is_variants(args))
        return run_variants(args, what, err);
    if (what->trials < COMPARE_TRIALS_MIN)
        return make_error(err, ERR_USAGE, 0,
                          "fewer than 4 v 4 trials cannot show any difference: --trials 8");
    return run_pair(args, what, err);
}
