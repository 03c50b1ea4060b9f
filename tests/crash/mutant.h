/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalogue with rows that are broken on purpose, in place of the agent's own: same names, same
 * parameters, same digest. For the proof that the sweeps find what is wrong.
 */
#ifndef BLACKSTART_TESTS_CRASH_MUTANT_H
#define BLACKSTART_TESTS_CRASH_MUTANT_H

#include "agents/faults/catalogue.h"

#include <string.h>

#define FAULT(row) extern const struct fault fault_##row;
#include "agents/faults/faults.def"
#undef FAULT

static const struct fault *const originals[] = {
#define FAULT(row) &fault_##row,
#include "agents/faults/faults.def"
#undef FAULT
};
enum { MUTANTS = sizeof(originals) / sizeof(originals[0]) };

static struct fault mutants[MUTANTS];
static const struct fault *rows[MUTANTS];
const struct catalogue fault_catalogue = {.faults = rows, .n = MUTANTS};

/* Before main: the rows are copied, then change() breaks them. */
static void mutants_make(void (*change)(struct fault *row))
{
    for (size_t i = 0; i < MUTANTS; i++) {
        mutants[i] = *originals[i];
        rows[i] = &mutants[i];
        change(&mutants[i]);
    }
}

static inline const struct fault *mutant_original(const char *name)
{
    for (size_t i = 0; i < MUTANTS; i++)
        if (strcmp(originals[i]->name, name) == 0)
            return originals[i];
    return NULL;
}

#endif
