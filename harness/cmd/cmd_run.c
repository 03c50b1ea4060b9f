/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "cmd/cmd_judge.h"
#include "cmd/cmd_load.h"
#include "cmd/cmd_run_compare.h"
#include "cmd/command.h"
#include "cmd/judged.h"
#include "cmd/scenario_sets.h"
#include "cmd/terminal.h"
#include "journal/journal.h"
#include "reports/report.h"
#include "run/run.h"
#include "run/run_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command_option options[] = {
    {.name = "set",
     .argument = "NAME=VALUE",
     .repeat = true,
     .doc = "Give a variable of the scenario another value."},
    SCENARIO_VARIANT_OPTION,
    {.name = "trials",
     .argument = "N",
     .doc = "Repeat: a fault-free trial, then N with the faults (default: the scenario's)."},
    {.name = "sequential",
     .doc = "Stop as soon as a plan has decided: the scenario's, or else 99 % good, 90 % bad, 5 % "
            "errors, at most 100 trials, or --trials."},
    {.name = "against",
     .argument = "FILE",
     .doc = "Run this scenario, B, too: trials of the two take turns, then they are compared."},
    {.name = "set-b",
     .argument = "NAME=VALUE",
     .repeat = true,
     .doc = "Give a variable another value in B alone; without --against B is the same file."},
    {.name = "compare",
     .doc = "Run each variant: their trials take turns, then they stand in one table, the first "
            "against each other one. Exit status 0: each ended as it says it is expected to."},
    {.name = "variants", .argument = "NAMES", .doc = "--compare of these, with commas between."},
    {.name = "seed", .argument = "N", .doc = "What all that is drawn is drawn from."},
    {.name = "no-fault", .doc = "Measure only: a dry trial that injects nothing."},
    {.name = "hold",
     .doc = "Stop while the fault is on, or at a failure, until Enter, for 30 minutes at most."},
    {.name = "json", .doc = "Print one JSON document, the result, and nothing else."},
    {.name = "report",
     .argument = "NAMES",
     .doc = "Which reports to write, with commas between (default: all).",
     .words = report_put_names},
    {.name = "out",
     .argument = "DIR",
     .doc = "Where journal, samples, reports, logs go (default: runs/<time>-<scenario>)."},
    CMD_STORE_OPTION,
    {.name = "quiet", .letter = 'q', .doc = "Print the verdict only."},
};

/* Lines with their time; on a terminal one more that is written over: the evidence so far. */
struct view {
    bool terminal, status_shown;
};

static void clear_status(struct view *v)
{
    if (v->status_shown)
        (void)fputs("\r\033[K", stdout);
    v->status_shown = false;
}

static void say(void *ctx, int64_t t_ns, const char *text)
{
    clear_status(ctx);
    (void)printf("%s%8.3f%s  ", terminal_style(stdout, STYLE_DIM), (double)t_ns / 1e9,
                 terminal_style(stdout, STYLE_PLAIN));
    terminal_put(stdout, text);
    (void)puts("");
    (void)fflush(stdout);
}

static void show_status(void *ctx, int64_t t_ns, const char *text)
{
    struct view *v = ctx;
    if (!v->terminal)
        return;
    int width = terminal_width(stdout) - 13;
    char cut[256];
    (void)snprintf(cut, sizeof(cut), "%.*s", width > 10 ? width : 10, text);
    (void)printf("\r\033[K%8.3f  ... ", (double)t_ns / 1e9);
    terminal_put(stdout, cut);
    (void)fflush(stdout);
    v->status_shown = true;
}

/* Where nothing else is printed, the standard output may be a file or another program's. */
static void ask_apart(void *ctx, int64_t t_ns, const char *text)
{
    (void)ctx;
    (void)t_ns;
    (void)fputs("blackstart run: ", stderr);
    terminal_put(stderr, text);
    (void)fputs("\n", stderr);
}

/* The run does not judge: that is asked here, between two trials, of its journal so far. */
static bool another(void *ctx, char *why, size_t size)
{
    const struct run_options *o = ctx;
    CLEANUP_JUDGED struct judged run = {.history = NULL};
    struct err err;
    if (judged_load(o->dir, &run, &err) < 0) {
        (void)snprintf(why, size, "the plan could not be asked: %s", err.msg);
        return false;
    }
    const struct analysis_series *s = &run.analysis->series;
    (void)snprintf(why, size, "%s", s->decision == DECISION_OPEN ? "" : s->why);
    return s->decision == DECISION_OPEN;
}

/* The plan of a series that stops by itself, from the command line or the scenario. */
static void plan_take(const struct command_args *args, uint32_t trials, struct run_options *o,
                      struct scenario_sequential *plan)
{
    *plan = o->scenario->sequential;
    o->trials = trials != 0 ? trials : o->scenario->trials;
    bool asked = command_flag(args, "sequential");
    if ((!asked && (plan->at_most == 0 || trials != 0)) || o->no_fault)
        return; /* so many trials, all of them */
    if (plan->at_most == 0)
        scenario_sequential_default(plan);
    if (trials != 0)
        plan->at_most = trials;
    o->trials = plan->at_most;
    o->sequential = plan;
    o->another = another;
    o->another_ctx = o;
}

/* With faults, at least. */
static uint32_t trials_needed(const struct run_options *o)
{
    if (o->no_fault)
        return 0;
    return o->sequential != NULL ? scenario_sequential_least(o->sequential) : o->trials;
}

/* The run's own trouble, beside what came of judging it (a status, or -1 with *err). */
static int tell_trouble(const struct err *why, bool json, int status, struct err *err)
{
    if (status == -1 && err->code == ERR_INPUT) { /* what is there is no run: this is the cause */
        const struct err unread = *err;
        return make_error(err, why->code == ERR_DIRTY ? ERR_DIRTY : ERR_SYSTEM, 0,
                          "%.200s; there is nothing to be judged: %.200s", why->msg, unread.msg);
    }
    /* Where there is a verdict for people, it says why. Where the reports could not be written, it
     * may not stand in the journal. */
    if (json || status < 0)
        (void)fprintf(stderr, "blackstart run: %s\n", why->msg);
    return status;
}

static int carry_out(const struct command_args *args, const struct scenario *scenario,
                     uint32_t reports, struct run_options *options_of_run, struct err *err)
{
    const char *out = command_value(args, "out");
    bool json = command_flag(args, "json");
    char dir[PATH_MAX], journal[PATH_MAX + 32];
    struct view view = {.terminal = isatty(STDOUT_FILENO) != 0};
    struct judge judge = {.dir = dir, .json = json, .reports = reports};
    struct err why = {0};
    if (cmd_can_run(scenario, options_of_run->seed, trials_needed(options_of_run), err) < 0)
        return -1;
    if (cmd_store_of_run(args, out, &judge.store, err) < 0 ||
        run_dir_make(out, scenario->name, dir, err) < 0)
        return -1;
    options_of_run->history = cmd_store_earlier(&judge.store, scenario);
    options_of_run->dir = dir;
    options_of_run->view = (struct run_view){.ask = ask_apart};
    if (!json && !command_flag(args, "quiet"))
        options_of_run->view =
            (struct run_view){.say = say, .status = show_status, .ask = say, .ctx = &view};
    bool told = options_of_run->view.say != NULL;
    int rc = run_execute(options_of_run, &why);
    json_decref(options_of_run->history);
    options_of_run->history = NULL;
    options_of_run->dir = NULL;
    options_of_run->view = (struct run_view){0};
    clear_status(&view);
    if (told)
        (void)puts("");
    (void)snprintf(journal, sizeof(journal), "%s/" JOURNAL_FILE, dir);
    if (rc < 0 && access(journal, F_OK) < 0) {
        *err = why;
        return -1;
    }
    int status = cmd_judge(&judge, err);
    if (rc < 0)
        status = tell_trouble(&why, json, status, err);
    run_dir_give_back(out, dir);
    return status;
}

static int run(const struct command_args *args, struct err *err)
{
    struct scenario *scenario = NULL;
    uint64_t trials = 0, seed = 0;
    uint32_t reports;
    if (report_select(command_value(args, "report"), &reports, err) < 0 ||
        command_count(args, "trials", 1, 10000, &trials, err) < 0 ||
        command_count(args, "seed", 0, COMMAND_SEED_MAX, &seed, err) < 0)
        return -1;
    int rc = cmd_load_scenario(args, args->operands[0], &fault_catalogue, &scenario, err);
    if (rc != 0)
        return rc;
    struct run_options o = {.scenario = scenario,
                            .faults = &fault_catalogue,
                            .no_fault = command_flag(args, "no-fault"),
                            .hold = command_flag(args, "hold")};
    o.seed = command_value(args, "seed") != NULL ? seed
             : scenario->seed_given              ? scenario->seed
                                                 : run_draw_seed();
    if (cmd_run_is_compared(args)) {
        bool planned = scenario->sequential.at_most != 0; /* a plan is of one build alone */
        uint32_t n = trials != 0 ? (uint32_t)trials : planned ? 1 : scenario->trials;
        const struct run_compared what = {
            .scenario = scenario, .trials = n, .reports = reports, .seed = o.seed};
        rc = cmd_run_compared(args, &what, err);
        scenario_free(scenario);
        return rc;
    }
    struct scenario_sequential plan;
    plan_take(args, (uint32_t)trials, &o, &plan);
    if (o.sequential != NULL && scenario_sequential_least(&plan) > plan.at_most) {
        (void)make_error(err, ERR_USAGE, 0,
                         "%u straight passes are needed to accept: --trials %u would never do",
                         scenario_sequential_least(&plan), plan.at_most);
        scenario_free(scenario);
        return -1;
    }
    rc = carry_out(args, scenario, reports, &o, err);
    scenario_free(scenario);
    return rc;
}

const struct command command_run = {
    .name = "run",
    .summary = "Carry out a scenario in a lab, and judge it.",
    .usage = "[OPTIONS] FILE",
    .doc = "Makes the lab, starts its services, waits for a steady state, injects, measures, puts\n"
           "everything back and reports. Exit status: 0 pass, 1 a target was missed, 2 bad input,\n"
           "3 inconclusive, invalid or something of ours failed, 4 a host was left dirty. Ctrl-C\n"
           "puts everything back and waits for the system to settle; a second one does not wait.",
    .example = "blackstart run scenarios/quickstart.yaml\n"
               "blackstart run --trials 8 --set-b build=./new scenarios/own-program.yaml\n"
               "blackstart run --compare --trials 5 github-2018\n"
               "blackstart run --set recovery_limit=2s --out /tmp/first scenarios/quickstart.yaml",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
