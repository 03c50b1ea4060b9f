/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent as another version of it might be: one kind has another name. */
#include "crash/mutant.h"

static void change(struct fault *row)
{
    if (strcmp(row->name, "config.push") == 0)
        row->name = "config.shove";
}

__attribute__((constructor)) static void make(void)
{
    mutants_make(change);
}
