/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A real host's units and the faults on their calls: the agent's subcommands that prepare a unit,
 * say whether it is prepared, and stand around its program when it starts. No run is needed for
 * them, and none knows of one.
 */
#ifndef BLACKSTART_AGENTS_UNIT_H
#define BLACKSTART_AGENTS_UNIT_H

#include "agents/command.h"

/* `preload`, `trap`, `reach`: for people. */
int unit_preload(int argc, char **argv, const struct command *self);
int unit_trap(int argc, char **argv, const struct command *self);
int unit_reach(int argc, char **argv, const struct command *self);

/* `supervise`, `trapped`: for drop-ins. The second becomes the program, as it is, when its calls
 * cannot be trapped. */
int unit_supervise(int argc, char **argv, const struct command *self);
int unit_trapped(int argc, char **argv, const struct command *self);

#endif
