/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario.h"

/* Counts *left down, to 0 at the step. */
static const struct scenario_step *find(const struct scenario_step *steps, size_t n, uint32_t *left)
{
    const struct scenario_step *found = NULL;
    for (size_t i = 0; i < n && found == NULL; i++) {
        if (--*left == 0)
            return &steps[i];
        for (size_t b = 0; b < steps[i].n_branches && found == NULL; b++)
            found = find(steps[i].branches[b].steps, steps[i].branches[b].n, left);
    }
    return found;
}

const struct scenario_step *scenario_step_find(const struct scenario *s, uint32_t number)
{
    return number != 0 ? find(s->steps, s->n_steps, &number) : NULL;
}
