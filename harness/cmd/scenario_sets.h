/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `--set name=value` and `--variant NAME` of the commands that load scenarios. Stands between the
 * command line and scenario.h, which knows nothing of options.
 */
#ifndef BLACKSTART_SCENARIO_SETS_H
#define BLACKSTART_SCENARIO_SETS_H

#include "cmd/command.h"
#include "scenario/scenario.h"

#define SCENARIO_VARIANT_OPTION                                                                    \
    {                                                                                              \
        .name = "variant", .argument = "NAME",                                                     \
        .doc = "Which of the scenario's variants (default: its first)."                            \
    }

enum { SCENARIO_SETS_MAX = COMMAND_VALUES_MAX + 1 };

/*
 * The values of the options "set" and "variant" into sets (SCENARIO_SETS_MAX of them). The names
 * live in *ret_texts, which the caller frees after the scenario was loaded.
 */
int scenario_sets(const struct command_args *args, struct scenario_set *sets, size_t *ret_n,
                  char **ret_texts, struct err *err) MUST_CHECK;
/* The same, and over them those of a second option; `variant` instead of the option's. Both may be
 * NULL. */
int scenario_sets_over(const struct command_args *args, const char *second, const char *variant,
                       struct scenario_set *sets, size_t *ret_n, char **ret_texts,
                       struct err *err) MUST_CHECK;

#endif
