/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands on units share. Only unit*.c include it. */
#ifndef BLACKSTART_AGENTS_UNIT_PARTS_H
#define BLACKSTART_AGENTS_UNIT_PARTS_H

#include "agents/command.h"
#include "agents/fiu/page.h"

enum { UNIT_CALLS = 3 };

/* Where a program that is about to be trapped finds its supervisor. */
#define UNIT_SOCKET FIU_PAGE_DIR "/%s.sock"

/* The points of rare, writes and all; 0 of any other word. */
uint64_t unit_points(const char *word);

/* That there are so many, the first of them a service's name, which becomes the one that its page
 * has (unit_name.h). -1: go on; else the exit status. */
int unit_arguments(int argc, char **argv, int least, int most, const struct command *self);

#endif
