/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One of the agent's subcommands: what it says of itself, and how it complains. */
#ifndef BLACKSTART_AGENTS_COMMAND_H
#define BLACKSTART_AGENTS_COMMAND_H

#include "base/err.h"

#include <stdio.h>

struct command {
    const char *name, *summary, *usage, *doc, *example;
    int (*run)(int argc, char **argv, const struct command *self); /* the exit status */
};

void command_help(FILE *to, const struct command *c);

/* Of a wrong use: says so, and is its exit status, 2. */
int command_complain(const struct command *c, const char *what);

/* Says what went wrong, if that is what the exit status means; returns it. */
int command_report(int status, const struct err *err);

#endif
