/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this machine says of itself: how much of its time others took, how long tasks waited for a
 * processor, its load. Only reads; what cannot be read is -1. A trial has one at each end.
 */
#ifndef BLACKSTART_PROBER_MACHINE_H
#define BLACKSTART_PROBER_MACHINE_H

#include <stdint.h>

struct machine {
    int64_t steal, ticks; /* /proc/stat: of all processors since they started */
    int64_t pressure_us;  /* /proc/pressure/cpu, some: since the start */
    int64_t load_milli;   /* over one minute, in thousandths */
};

struct machine machine_read(void);

/* The same of the three files' texts; NULL: there is none. For tests. */
struct machine machine_parse(const char *stat, const char *pressure, const char *load);

#endif
