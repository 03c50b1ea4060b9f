/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `run --against`: two runs whose trials alternate, and their comparison. */
#ifndef BLACKSTART_CMD_RUN_PAIR_H
#define BLACKSTART_CMD_RUN_PAIR_H

#include "cmd/command.h"
#include "scenario/scenario.h"

/* Both scenarios are the caller's. The exit status, or -1. */
struct run_pair {
    const struct scenario *scenarios[2];
    uint32_t trials, reports;
    uint64_t seed;
};
int cmd_run_pair(const struct command_args *args, const struct run_pair *pair,
                 struct err *err) MUST_CHECK;

#endif
