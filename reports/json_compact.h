/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compact form of result.json, for runs of so many trials that the full one would not be
 * written: every trial stays, and of each the fields that its table (result_fields.c) does not call
 * FULL_ONLY.
 */
#ifndef BLACKSTART_REPORTS_JSON_COMPACT_H
#define BLACKSTART_REPORTS_JSON_COMPACT_H

#include "analysis/analysis.h"

#include <jansson.h>

enum { JSON_COMPACT_ABOVE = 1000 }; /* trials */
bool json_is_compact(const struct analysis *a);

/* An object of the list, or the section, that bears this name in result.json: takes out of it what
 * the compact form has not. Returns the object. */
json_t *json_prune(json_t *o, const char *name);

/* What was left out, one text each: "trials.probers: how the probers fared, ..."; the caller
 * decrefs. */
json_t *json_left_out(void);

#endif
