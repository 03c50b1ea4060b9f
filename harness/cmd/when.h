/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points in time as people write them and as journals do ("2026-03-01T12:00:00Z"). */
#ifndef BLACKSTART_WHEN_H
#define BLACKSTART_WHEN_H

#include "base/err.h"

#include <time.h>

enum { WHEN_TEXT = 24 };

/* An age ("90d"; s, m, h, d, w) or a local date ("2026-03-01", "2026-03-01 12:00"; UTC with a Z at
 * its end) to a journal's form. */
int when_parse(const char *option, const char *text, time_t now, char ret[WHEN_TEXT],
               struct err *err) MUST_CHECK;

/* A journal's time for people, "2026-03-01 13:00" in local time; as it is when it is none. */
void when_print(const char *wall, char ret[WHEN_TEXT]);

#endif
