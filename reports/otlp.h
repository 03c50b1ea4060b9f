/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes of spans and events as the OpenTelemetry protocol writes them in JSON: each adds one
 * to a list. What has no value (NULL, an empty text, a figure that is not finite) adds none. */
#ifndef BLACKSTART_REPORTS_OTLP_H
#define BLACKSTART_REPORTS_OTLP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

void otlp_text(json_t *list, const char *key, const char *value);
void otlp_int(json_t *list, const char *key, int64_t value);
void otlp_real(json_t *list, const char *key, double value);
void otlp_bool(json_t *list, const char *key, bool value);

#endif
