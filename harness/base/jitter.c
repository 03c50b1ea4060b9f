/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jitter.h"

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

int64_t jitter_draw(uint64_t seed, uint16_t probe, uint32_t number, int64_t below)
{
    uint64_t x = mix(mix(seed ^ ((uint64_t)probe << 40)) ^ number);
    return below > 0 ? (int64_t)(x % (uint64_t)below) : 0;
}

int64_t jitter_slot(uint64_t seed, uint16_t probe, uint32_t number, int64_t every_ns)
{
    int64_t tenth = every_ns / 10;
    return jitter_draw(seed, probe, number, 2 * tenth) - tenth;
}
