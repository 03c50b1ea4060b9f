/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that run commands inside lab hosts: `run`, and `runbook`, a person's list of them. */
#include "scenario/scenario_read.h"

#define LENGTH_MAX INT64_C(86400000000000)

int64_t runbook_least_ns(const struct scenario_step *s)
{
    int64_t least = 0;
    for (size_t i = 0; i < s->n_tasks; i++)
        least += s->tasks[i].takes.ns;
    return least;
}

static void finish_run(struct reader *r, const struct node *node, void *at)
{
    const struct scenario_step *s = at;
    if (r->s->lab == NULL)
        reader_problem(r, node->pos, "on a real host, use what its own policy lists",
                       "run: commands run in labs only");
    (void)s;
}

static const struct key run_keys[] = {
    {.name = "run",
     .type = KEY_COMMAND,
     AT_LIST(struct scenario_step, command),
     .required = true,
     .doc = "The command, run inside the lab host: a list, or a text that is split at spaces."},
    KEY_NAME_OF_STEP,
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_step, hosts),
     .required = true,
     .scope = SCOPE_ROLES,
     .doc = "Where it runs."},
    {.name = "user",
     .type = KEY_NAME,
     AT(struct scenario_step, user),
     .def = "root",
     .doc = "Who runs it."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_step, within),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "30s",
     .doc = "After this long it is killed, and the trial is inconclusive."},
    {.name = "recovery",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct scenario_step, recovery),
     .def = "false",
     .doc = "It stands for a person's hand: the recovery after it does not count as automatic."},
    KEY_PLANNED,
};
const struct section section_run = {
    .name = "run",
    KEYS(run_keys),
    .variants = true,
    .finish = finish_run,
    .doc = "A command inside a lab host.",
    .example = "- run: [redis-cli, config, set, appendonly, \"yes\"]\n  hosts: n1\n"};

static const struct key task_keys[] = {
    {.name = "name",
     .type = KEY_TEXT,
     AT(struct scenario_task, name),
     .required = true,
     .doc = "What the report calls it."},
    {.name = "run",
     .type = KEY_COMMAND,
     AT_LIST(struct scenario_task, command),
     .required = true,
     .doc = "The command."},
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_task, hosts),
     .scope = SCOPE_ROLES,
     .doc = "Where it runs, when not on the step's own hosts."},
    {.name = "takes",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_task, takes),
     .max = LENGTH_MAX,
     .def = "0s",
     .doc = "How long the person needs before the command is typed: to find out, to decide, to go "
            "there. Stated, not measured."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_task, within),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "30s",
     .doc = "After this long the command is killed, and the trial is inconclusive."},
};
static const struct section section_task = {
    .name = "task",
    .size = sizeof(struct scenario_task),
    KEYS(task_keys),
    .variants = true,
    .doc = "One command of a runbook.",
    .example = "steps:\n  - {name: restore the base backup, run: [/opt/restore], takes: 5s}\n"};

static void finish_runbook(struct reader *r, const struct node *node, void *at)
{
    struct scenario_step *s = at;
    s->recovery = true;
    if (r->s->lab == NULL)
        reader_problem(r, node->pos, "on a real host, let the person do it",
                       "runbook: commands run in labs only");
}

static const struct key runbook_keys[] = {
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_step, hosts),
     .required = true,
     .scope = SCOPE_ROLES,
     .doc = "Where the commands run."},
    {.name = "user",
     .type = KEY_NAME,
     AT(struct scenario_step, user),
     .def = "root",
     .doc = "Who runs them."},
    {.name = "steps",
     .type = KEY_LIST,
     .section = &section_task,
     AT_LIST(struct scenario_step, tasks),
     .required = true,
     .min = 1,
     .max = 64,
     .doc = "The commands, one after the other. The first that fails ends the trial."},
};
static const struct section section_book = {
    .name = "runbook",
    KEYS(runbook_keys),
    .finish = finish_runbook,
    .doc = "A person's list of commands.",
    .example = "- runbook:\n    hosts: n1\n    steps:\n"
               "      - {name: find the backup, run: [ls, /backup], takes: 5s}\n"
               "      - {name: put it back, run: [cp, -a, /backup/data, /var/lib/app]}\n"};

static const struct key runbook_step_keys[] = {
    {.name = "runbook",
     .type = KEY_SECTION,
     .section = &section_book,
     .required = true,
     .doc = "What a person does, where nothing comes back by itself. Each command has its own time "
            "in the report, and the recovery does not count as automatic. Left out where a step "
            "was refused and nothing was injected."},
    KEY_NAME_OF_STEP,
    KEY_PLANNED,
};
const struct section section_runbook = {
    .name = "runbook step", KEYS(runbook_step_keys), .variants = true, .doc = "A person's hand."};
