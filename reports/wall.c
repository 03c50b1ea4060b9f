/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/wall.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

enum { YEAR_MAX = 2200 }; /* so that nanoseconds fit */

static int64_t start_ns(const char *wall)
{
    struct tm tm = {.tm_isdst = 0};
    char z;
    if (wall == NULL || sscanf(wall, "%4d-%2d-%2dT%2d:%2d:%2d%c", &tm.tm_year, &tm.tm_mon,
                               &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &z) != 7)
        return 0;
    if (z != 'Z' || tm.tm_year < 1970 || tm.tm_year > YEAR_MAX)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)timegm(&tm) * NS_PER_SEC;
}

int64_t wall_ns(const struct history *h, int64_t t)
{
    int64_t ns;
    if (t == HISTORY_UNKNOWN || t == INT64_MAX)
        t = h->end_ns;
    if (__builtin_add_overflow(start_ns(h->wall), t, &ns))
        return INT64_MAX;
    return ns < 0 ? 0 : ns;
}

void wall_put(struct buf *out, const struct history *h, int64_t t)
{
    char text[40] = "";
    int64_t ns = wall_ns(h, t);
    time_t s = (time_t)(ns / NS_PER_SEC);
    struct tm tm;
    if (gmtime_r(&s, &tm) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "%s.%03dZ", text, (int)(ns % NS_PER_SEC / NS_PER_MS));
}
