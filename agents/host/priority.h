/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the kernel schedules one thread: niceness, policy, real-time priority, I/O class. Read, and
 * put, for the thread alone. Knows nothing of faults; nothing here allocates.
 */
#ifndef BLACKSTART_AGENTS_HOST_PRIORITY_H
#define BLACKSTART_AGENTS_HOST_PRIORITY_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct priority {
    int8_t nice;
    uint8_t policy;   /* SCHED_* */
    uint8_t realtime; /* of FIFO and RR: 1 to 99; else 0 */
    uint8_t flags;    /* reset on fork */
    uint16_t io;      /* ioprio_get's value; class 0: follows the niceness */
    uint16_t reserved;
};

bool priority_same(const struct priority *a, const struct priority *b);

/* ERR_NOT_FOUND when there is no such thread. */
int priority_read(int32_t tid, struct priority *ret, struct err *err) MUST_CHECK;
int priority_put(int32_t tid, const struct priority *p, struct err *err) MUST_CHECK;

#endif
