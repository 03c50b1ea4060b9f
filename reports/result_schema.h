/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON Schema of result.json, from the tables of result_fields.c. */
#ifndef BLACKSTART_REPORTS_RESULT_SCHEMA_H
#define BLACKSTART_REPORTS_RESULT_SCHEMA_H

#include <jansson.h>

/* The JSON Schema (draft-07) of result.json; the caller decrefs. */
json_t *result_schema(void);

#endif
