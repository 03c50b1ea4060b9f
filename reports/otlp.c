/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/otlp.h"

#include "reports/letter.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void attribute(json_t *list, const char *key, const char *kind, json_t *value)
{
    (void)json_array_append_new(list,
                                json_pack("{s:s, s:{s:o}}", "key", key, "value", kind, value));
}

void otlp_text(json_t *list, const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        attribute(list, key, "stringValue", letter_json(value));
}

void otlp_int(json_t *list, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    attribute(list, key, "intValue", json_string(text));
}

void otlp_real(json_t *list, const char *key, double value)
{
    if (isfinite(value))
        attribute(list, key, "doubleValue", json_real(value));
}

void otlp_bool(json_t *list, const char *key, bool value)
{
    attribute(list, key, "boolValue", json_boolean(value));
}
