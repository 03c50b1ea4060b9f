/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

int64_t clock_system(clockid_t id)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * NS_PER_SEC + t.tv_nsec;
}

static int64_t monotonic_now(const struct clock *clock)
{
    return clock_system(CLOCK_MONOTONIC) - clock->epoch;
}

static int64_t virtual_now(const struct clock *clock)
{
    return clock->epoch;
}

void clock_start(struct clock *clock)
{
    clock_start_at(clock, clock_system(CLOCK_MONOTONIC));
}

void clock_start_at(struct clock *clock, int64_t monotonic_epoch_ns)
{
    *clock = (struct clock){.now = monotonic_now, .epoch = monotonic_epoch_ns};
}

void clock_virtual(struct clock *clock, int64_t now)
{
    *clock = (struct clock){.now = virtual_now, .epoch = now};
}

int clock_poll_ms(int64_t now, int64_t deadline, int cap)
{
    if (deadline <= now)
        return 0;
    int64_t ms = (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
    return ms > cap ? cap : (int)ms;
}
