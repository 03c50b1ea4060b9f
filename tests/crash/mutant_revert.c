/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reverts that say that they did it, and did nothing. */
#include "crash/mutant.h"

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    (void)host;
    (void)undo;
    (void)err;
    *ret = (struct revert_report){.what = "put back"};
    return 0;
}

static void change(struct fault *row)
{
    row->revert = revert;
}

__attribute__((constructor)) static void make(void)
{
    mutants_make(change);
}
