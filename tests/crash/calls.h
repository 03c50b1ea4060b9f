/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The harm that a system call is not made and returns an error, for the error sweep: which call may
 * return which. Knows nothing of faults and phases.
 */
#ifndef BLACKSTART_TESTS_CRASH_CALLS_H
#define BLACKSTART_TESTS_CRASH_CALLS_H

#include "crash/errors.h"

enum { CALLS_HARMS_MAX = 20 }; /* of two processes */

/* Appends to harms, which has room for CALLS_HARMS_MAX, that process' errors: each once, and each
 * from then on. */
void calls_add_harms(struct errors_harm *harms, size_t *n, enum sweep_victim victim);

/* The two of such a harm, for one that names its call. */
bool calls_begin(const struct errors_harm *harm, pid_t victim, unsigned k);
bool calls_end(const struct errors_harm *harm, char what[ERRORS_WHAT_MAX]);

#endif
