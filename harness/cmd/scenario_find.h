/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which file a person means: a path, a folder that has a scenario.yaml, or the name of a shipped
 * one, below ./scenarios and where Blackstart is installed. Reads no scenario.
 */
#ifndef BLACKSTART_SCENARIO_FIND_H
#define BLACKSTART_SCENARIO_FIND_H

#include "base/buf.h"
#include "base/err.h"

#include <limits.h>

#define SCENARIO_FOLDER_FILE "scenario.yaml"

/* ERR_INPUT when there is none, with the nearest name. */
int scenario_find(const char *operand, char ret[PATH_MAX], struct err *err) MUST_CHECK;

/* Calls `each` for every folder of scenarios/outages with the path of its scenario, in the order of
 * their names; where a name is in both places the working directory's. Stops at what is not 0 and
 * returns it. ERR_INPUT, with the places, when there is none. */
int scenario_find_outages(int (*each)(void *ctx, const char *name, const char *file), void *ctx,
                          struct err *err) MUST_CHECK;

#endif
