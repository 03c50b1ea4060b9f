/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `--set name=value` of the commands that load scenarios. Stands between the command line and
 * scenario.h, which knows nothing of options.
 */
#ifndef BLACKSTART_SCENARIO_SETS_H
#define BLACKSTART_SCENARIO_SETS_H

#include "cmd/command.h"
#include "scenario/scenario.h"

/*
 * The values of the option "set" into sets (COMMAND_VALUES_MAX of them). The names live in
 * *ret_texts, which the caller frees after the scenario was loaded.
 */
int scenario_sets(const struct command_args *args, struct scenario_set *sets, size_t *ret_n,
                  char **ret_texts, struct err *err) MUST_CHECK;
/* The same, and over them those of a second option. */
int scenario_sets_over(const struct command_args *args, const char *second,
                       struct scenario_set *sets, size_t *ret_n, char **ret_texts,
                       struct err *err) MUST_CHECK;

#endif
