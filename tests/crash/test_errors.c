/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that fail, in every phase of every fault; BLACKSTART_FULL=yes tries each call site,
 * and where one makes many calls the first, second, fourth, eighth ..., else a sample.
 * SWEEP_FAULT=name: only that one. */
#include "check.h"
#include "crash/calls.h"

enum { SHORT_SECONDS = 15, FULL_SECONDS = 6600 };
static void test_calls(void)
{
    struct errors_harm harms[CALLS_HARMS_MAX];
    size_t n = 0;
    calls_add_harms(harms, &n, SWEEP_PRIVSIDE);
    const struct errors_plan plan = {.word = "calls of privside",
                                     .last_phase = PHASE_REVERT,
                                     .seconds = SHORT_SECONDS * 2 / 3,
                                     .full_seconds = FULL_SECONDS * 2 / 3,
                                     .reach = 24,
                                     .harms = harms,
                                     .n_harms = n};
    errors_sweep(&plan);
}

static void test_ends(void)
{
    struct errors_harm harms[CALLS_HARMS_MAX];
    size_t n = 0;
    calls_add_harms(harms, &n, SWEEP_PRIVSIDE);
    calls_add_harms(harms, &n, SWEEP_GUARDIAN);
    const struct errors_plan plan = {.word = "ends of privside and guardian",
                                     .first_phase = PHASE_CALLS,
                                     .last_phase = PHASE_CALLS,
                                     .seconds = SHORT_SECONDS / 3,
                                     .full_seconds = FULL_SECONDS / 3,
                                     .reach = 24,
                                     .harms = harms,
                                     .n_harms = n};
    errors_sweep(&plan);
}

static const struct check_test tests[] = {
    {"system calls that fail", test_calls},
    {"system calls that fail at the end", test_ends},
};

CHECK_MAIN("crash/errors", tests)
