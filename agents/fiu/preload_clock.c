/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Wrappers of calls that read a clock. Only readings are shifted: what waits for a time (timers,
 * sleeps, timeouts) is the kernel's, and so are the times of files.
 */
#include "agents/fiu/preload_clock.h"
#include "agents/fiu/preload.h"
#include "agents/fiu/preload_next.h"

#include <errno.h>

enum { SECOND = 1000000000 };

static int64_t shift_of(enum fiu_point point)
{
    return preload_is_armed(point) ? preload_shift(point) : 0;
}

/* Never before the epoch: programs take that for an error. */
static void add(int64_t shift, int64_t unit, int64_t *seconds, int64_t *parts)
{
    int64_t rest = *parts + shift % SECOND / (SECOND / unit);
    int64_t whole = *seconds + shift / SECOND;
    if (rest < 0) {
        rest += unit;
        whole--;
    } else if (rest >= unit) {
        rest -= unit;
        whole++;
    }
    *seconds = whole < 0 ? 0 : whole;
    *parts = whole < 0 ? 0 : rest;
}

static int64_t shift_of_id(long id)
{
    switch (id) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI:
        return shift_of(FIU_REALTIME);
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        return shift_of(FIU_MONOTONIC);
    default:
        return 0;
    }
}

void preload_clock_add(long id, struct timespec *ts)
{
    int64_t shift = ts != NULL ? shift_of_id(id) : 0;
    if (shift != 0)
        add(shift, SECOND, &ts->tv_sec, &ts->tv_nsec);
}

void preload_clock_add_val(struct timeval *tv)
{
    int64_t shift = tv != NULL ? shift_of(FIU_REALTIME) : 0;
    if (shift != 0)
        add(shift, 1000000, &tv->tv_sec, &tv->tv_usec);
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int rc = NEXT(clock_gettime)(id, ts);
    if (rc == 0 && preload_any_armed())
        preload_clock_add(id, ts);
    return rc;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    int rc = NEXT(gettimeofday)(tv, zone);
    if (rc == 0 && preload_any_armed())
        preload_clock_add_val(tv);
    return rc;
}

/* Through the finer clock, so that seconds change when they do for the other calls. */
time_t time(time_t *ret)
{
    struct timespec ts = {.tv_sec = 0};
    if (!preload_is_armed(FIU_REALTIME) || NEXT(clock_gettime)(CLOCK_REALTIME, &ts) != 0)
        return NEXT(time)(ret);
    preload_clock_add(CLOCK_REALTIME, &ts);
    if (ret != NULL)
        *ret = ts.tv_sec;
    return ts.tv_sec;
}

int timespec_get(struct timespec *ts, int base)
{
    int rc = NEXT(timespec_get)(ts, base);
    if (rc == TIME_UTC && preload_any_armed())
        preload_clock_add(CLOCK_REALTIME, ts);
    return rc;
}
