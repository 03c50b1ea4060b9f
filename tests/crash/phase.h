/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The phases of a fault's life as calls to an agent: what the kill sweep and the error sweep play.
 * Knows nothing of what befalls the agent meanwhile.
 */
#ifndef BLACKSTART_TESTS_CRASH_PHASE_H
#define BLACKSTART_TESTS_CRASH_PHASE_H

#include "crash/rig.h"

enum phase { PHASE_PREPARE, PHASE_APPLY, PHASE_HOLD, PHASE_REVERT, PHASE_CALLS };

struct phase_life {
    const char *injection, *fault;
    const json_t *args;
    int lease_ms;
};

/* false: see a->why. *ret (may be NULL): the last call's result, for the caller to decref. */
bool phase_call(struct rig_agent *a, enum phase phase, const struct phase_life *life,
                int timeout_ms, json_t **ret);

extern const char *const phase_words[PHASE_CALLS];

#endif
