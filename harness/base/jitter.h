/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prober's random numbers: each a pure function of seed, probe and number, so that what was
 * drawn for a slot can be drawn again by whoever reads its samples.
 */
#ifndef BLACKSTART_BASE_JITTER_H
#define BLACKSTART_BASE_JITTER_H

#include <stdint.h>

/* In [0, below); 0 where below is not positive. */
int64_t jitter_draw(uint64_t seed, uint16_t probe, uint32_t number, int64_t below);

/* How far slot `number` of a probe asked each every_ns is moved: within a tenth of that, either
 * way. */
int64_t jitter_slot(uint64_t seed, uint16_t probe, uint32_t number, int64_t every_ns);

#endif
