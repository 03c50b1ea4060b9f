/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time is int64_t nanoseconds. Inside a run it counts from the run's start on CLOCK_MONOTONIC
 * (which all processes of one machine share); leases count on CLOCK_BOOTTIME, absolute. Code that
 * waits or measures takes a `struct clock *`, so that tests own the time. Wall time is a label,
 * never arithmetic.
 */
#ifndef BLACKSTART_BASE_CLOCK_H
#define BLACKSTART_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_SEC INT64_C(1000000000)
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_US  INT64_C(1000)

struct clock {
    int64_t (*now)(const struct clock *clock);
    int64_t epoch; /* subtracted from the system's reading; or the virtual clock's own time */
};

/* A clock that reads 0 now and follows CLOCK_MONOTONIC. */
void clock_start(struct clock *clock);

/* The same clock in another process: reads nanoseconds since the given CLOCK_MONOTONIC instant. */
void clock_start_at(struct clock *clock, int64_t monotonic_epoch_ns);

/* A clock that stands at `now` until the test sets clock->epoch. */
void clock_virtual(struct clock *clock, int64_t now);

static inline int64_t clock_now(const struct clock *clock)
{
    return clock->now(clock);
}

/* The system clock `id`, in nanoseconds; cannot fail for the clocks that we use. */
int64_t clock_system(clockid_t id);

/* For poll(): milliseconds until deadline, rounded up, at least 0, at most `cap`. */
int clock_poll_ms(int64_t now, int64_t deadline, int cap);

static inline struct timespec clock_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SEC),
                             .tv_nsec = (long)(ns % NS_PER_SEC)};
}

#endif
