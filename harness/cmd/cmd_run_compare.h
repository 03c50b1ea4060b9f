/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `run --against`, `--set-b`, `--compare`, `--variants`: several systems in one series of trials.
 */
#ifndef BLACKSTART_CMD_RUN_COMPARE_H
#define BLACKSTART_CMD_RUN_COMPARE_H

#include "cmd/command.h"
#include "scenario/scenario.h"

struct run_compared {
    const struct scenario *scenario; /* as it was loaded: the first of a pair, any variant */
    uint32_t trials, reports;
    uint64_t seed;
};

bool cmd_run_is_compared(const struct command_args *args);
/* The exit status, or -1. */
int cmd_run_compared(const struct command_args *args, const struct run_compared *what,
                     struct err *err) MUST_CHECK;

#endif
