/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for programs that draw their cases: xorshift64 (Marsaglia, 2003), one row of them, the
 * same on every machine. `draw_state` is its seed, and never 0: seed.h has one from outside.
 */
#ifndef BLACKSTART_TESTS_DRAW_H
#define BLACKSTART_TESTS_DRAW_H

#include <stdint.h>

static uint64_t draw_state = UINT64_C(88172645463325252);

/* All bits. */
static inline uint64_t draw_bits(void)
{
    draw_state ^= draw_state << 13;
    draw_state ^= draw_state >> 7;
    draw_state ^= draw_state << 17;
    return draw_state;
}

/* From 0 up to what is below `below`; 0 where there is none. */
static inline int64_t draw(int64_t below)
{
    uint64_t bits = draw_bits();
    return below > 0 ? (int64_t)(bits % (uint64_t)below) : 0;
}

#endif
