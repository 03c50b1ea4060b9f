/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a run reproduces, and which variant it is, in words: for all renderers. */
#ifndef BLACKSTART_REPORTS_REPRODUCED_H
#define BLACKSTART_REPORTS_REPRODUCED_H

#include "base/buf.h"
#include "scenario/scenario.h"

#include <jansson.h>

/* Calls `put` for each line that there is: "fidelity", "high". */
void reproduced_lines(const struct scenario *s,
                      void (*put)(void *ctx, const char *label, const char *text), void *ctx);
/* NULL where nothing is reproduced; the caller decrefs. */
json_t *reproduced_json(const struct scenario *s);

#endif
