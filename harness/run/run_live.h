/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Samples as they come -> each probe's slots, good or bad, in the order in which they were due:
 * what the engine waits for and guards look at. Pure. A slot counts once all its attempts have
 * ended, so that it lags by up to the probe's time-out; the verdict never uses it.
 */
#ifndef BLACKSTART_RUN_LIVE_H
#define BLACKSTART_RUN_LIVE_H

#include "base/sample.h"
#include "scenario/scenario.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_live;

/* n_endpoints[i] is the number of endpoints of probe i. slot is called for each slot in order. */
int run_live_new(const struct scenario *scenario, const size_t *n_endpoints,
                 void (*slot)(void *ctx, size_t probe, bool good, const struct sample *last),
                 void *ctx, struct run_live **ret, struct err *err) MUST_CHECK;
void run_live_free(struct run_live *live); /* NULL is allowed */

void run_live_add(struct run_live *live, const struct sample *sample);

/* Which endpoint of an `endpoints: role` probe counts from now on; SIZE_MAX: any. */
void run_live_set_holder(struct run_live *live, size_t probe, size_t endpoint);

#endif
