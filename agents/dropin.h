/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a unit's files must say so that faults reach its calls: the text of a drop-in, for a person
 * to put there. Pure: asks nobody how the unit stands, and changes nothing.
 */
#ifndef BLACKSTART_AGENTS_DROPIN_H
#define BLACKSTART_AGENTS_DROPIN_H

#include "agents/host/systemd_start.h"

#include <stdio.h>

/* self: where the agent lies; library: NULL for the one beside it; kept: the page was there. */
void dropin_preload(FILE *to, const char *unit, const char *self, const char *library, bool kept);

/* `start` is the unit's own command (dropin_unwrap), `calls` the word for what is trapped. */
void dropin_trap(FILE *to, const char *unit, const char *self, const char *calls,
                 const struct unit_start *start);

/* Where the unit has such a drop-in already, `start` becomes what it had before. */
void dropin_unwrap(struct unit_start *start);

/* The program's name for itself, in the command that a drop-in puts before it. */
#define DROPIN_AS "--as="

#endif
