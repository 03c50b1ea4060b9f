/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The growth of a counter over a window that ends with each answer. Pure: no clock, no I/O. */
#ifndef BLACKSTART_PROBER_RATE_H
#define BLACKSTART_PROBER_RATE_H

#include "prober/loop.h"

/*
 * Adds a reading and judges the growth since the newest one that is a window older. Answers may
 * overtake each other: one is smaller than another, and the counter began anew, only where it was
 * sent behind the other's end.
 */
enum sample_result rate_judge(struct prober_readings *r, const struct probe_rate *rate,
                              int64_t every_ns, const struct prober_reading *now);

#endif
