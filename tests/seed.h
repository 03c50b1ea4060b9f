/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seed of a test that draws. Short forms draw the same each time, so that one tree has one
 * outcome; full forms draw anew. The variable named (PAIRS_SEED=7) chooses in both; the test
 * prints what was taken.
 */
#ifndef BLACKSTART_TESTS_SEED_H
#define BLACKSTART_TESTS_SEED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline uint64_t seed_take(const char *variable)
{
    const char *given = getenv(variable), *full = getenv("BLACKSTART_FULL");
    if (given != NULL)
        return strtoull(given, NULL, 10);
    return full != NULL && strcmp(full, "yes") == 0 ? (uint64_t)time(NULL) : 1;
}

#endif
