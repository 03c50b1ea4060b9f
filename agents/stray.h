/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What bears our name in this network namespace and belongs to no living run, for
 * "blackstart-agent sweep". A table that a socket owns is alive. One without an owner is never
 * removed, since nothing proves whose it is: the command is said. A link goes only when its name,
 * its kind and its alias are ours and no process here is of its run.
 */
#ifndef BLACKSTART_STRAY_H
#define BLACKSTART_STRAY_H

#include "base/err.h"

struct stray_tally {
    unsigned removed, left; /* left: for a person to remove */
};

/* `say` is told of each. */
int stray_sweep(void (*say)(const char *text), struct stray_tally *ret, struct err *err) MUST_CHECK;

#endif
