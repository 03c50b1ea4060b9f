/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands in result.json, as a table: its JSON Schema derives from it. A field that json.c
 * writes has a row here; a test compares both.
 */
#ifndef BLACKSTART_REPORTS_RESULT_SCHEMA_H
#define BLACKSTART_REPORTS_RESULT_SCHEMA_H

#include <jansson.h>

/* The JSON Schema (draft-07) of result.json; the caller decrefs. */
json_t *result_schema(void);

#endif
