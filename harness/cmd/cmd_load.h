/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What commands that work on scenarios begin with: --set, --variant, the file, and what is wrong
 * with it, for people on stderr and for machines (--json) as the one document on stdout.
 */
#ifndef BLACKSTART_CMD_LOAD_H
#define BLACKSTART_CMD_LOAD_H

#include "cmd/command.h"
#include "scenario/scenario.h"

#include <jansson.h>

/* 0 and *ret (scenario_free); 2: the file has problems, which are printed; -1 with err. */
int cmd_load_scenario(const struct command_args *args, const char *file,
                      const struct catalogue *faults, struct scenario **ret,
                      struct err *err) MUST_CHECK;

struct cmd_load {
    const char *file;    /* as the person gave it: scenario_find.h */
    const char *second;  /* an option beside --set, whose values go before; NULL: none */
    const char *variant; /* instead of that of --variant; NULL: that */
};
int cmd_load_scenario_over(const struct command_args *args, const struct cmd_load *what,
                           const struct catalogue *faults, struct scenario **ret,
                           struct err *err) MUST_CHECK;

/* What the scenario alone shows to be wrong is said before anything is made: 0, or -1. trials: so
 * many with faults are needed, which must fit its deadline; 0: none. */
int cmd_can_run(const struct scenario *scenario, uint64_t seed, uint32_t trials,
                struct err *err) MUST_CHECK;

void cmd_print_problems(const struct problems *p);
/* That there were more of them, where there were. */
void cmd_print_problems_cut(const struct problems *p);
/* A list of {file, line, column, message, text}; without problems of the file's content, of err
 * alone (NULL: none). */
json_t *cmd_problems_json(const struct problems *p, const char *file, const struct err *err);

#endif
