/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a test waits where the machine is slow: PATIENCE=8 in its environment makes its bounds,
 * and the leases that must outlast some of its steps, eight times as long.
 */
#ifndef BLACKSTART_TESTS_PATIENCE_H
#define BLACKSTART_TESTS_PATIENCE_H

#include <stdint.h>
#include <stdlib.h>

static inline int64_t patience(int64_t time)
{
    const char *text = getenv("PATIENCE");
    int64_t times = text != NULL ? strtol(text, NULL, 10) : 1;
    return time * (times < 1 ? 1 : times > 100 ? 100 : times);
}

#endif
