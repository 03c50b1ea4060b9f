/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page that a test and the allocations of an agent share: allocations.c, preloaded into the
 * agent, counts what one of its processes asks for and refuses the k-th. It makes no system call
 * once it is loaded: netside may make none but its own.
 */
#ifndef BLACKSTART_TESTS_CRASH_ALLOCATIONS_H
#define BLACKSTART_TESTS_CRASH_ALLOCATIONS_H

#include <stdint.h>

#define ALLOCATIONS_PAGE "BLACKSTART_TEST_ALLOCATIONS" /* the environment's word for its file */

struct allocations {
    int32_t pid;    /* whose count; 0: nobody's */
    uint32_t lasts; /* all that follow the k-th are refused too */
    uint32_t k;     /* from 1 */
    uint32_t calls, hits;
    char who[64]; /* who asked for the first that was refused: object and offset */
};

#endif
