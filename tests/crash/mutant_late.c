/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Undo records that hold nothing until the harm is done. */
#include "crash/mutant.h"

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    (void)host;
    (void)args;
    (void)err;
    undo->size = 0;
    return 0;
}

static int apply(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    const struct fault *row = mutant_original(undo->fault);
    if (row->prepare(host, args, undo, err) != 0)
        return -1;
    return row->apply(host, args, undo, err);
}

static int revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                  struct err *err)
{
    *ret = (struct revert_report){0};
    return undo->size == 0 ? 0 : mutant_original(undo->fault)->revert(host, undo, ret, err);
}

static void change(struct fault *row)
{
    row->prepare = prepare;
    row->apply = apply;
    row->revert = revert;
}

__attribute__((constructor)) static void make(void)
{
    mutants_make(change);
}
