/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `compare` does and `run --against` ends with: runs' folders of two sides against each other.
 */
#ifndef BLACKSTART_CMD_COMPARE_H
#define BLACKSTART_CMD_COMPARE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct comparison {
    const char *const *a, *const *b; /* runs' folders */
    size_t n_a, n_b;
    double margin;        /* s */
    bool allow_different; /* scenarios */
    bool json;
};

/* Prints what was found; the exit status, or -1. */
int cmd_compare(const struct comparison *what, struct err *err) MUST_CHECK;

#endif
