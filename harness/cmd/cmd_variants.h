/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of runs, one of each variant, in one table: what `run --compare` ends with. */
#ifndef BLACKSTART_CMD_VARIANTS_H
#define BLACKSTART_CMD_VARIANTS_H

#include "cmd/judged.h"
#include "reports/variants.h"

#include <stdbool.h>
#include <stddef.h>

/* Prints the table and what the first is against each other one. 0 each verdict is as expected, 1
 * one is not, 3 one is inconclusive or invalid, 4 one left a host dirty; or -1. */
int cmd_variants(const char *const *dirs, size_t n, bool json, struct err *err) MUST_CHECK;

/* A run's row, all but its overview; it lives as long as the run. */
void variants_row_of(const struct judged *run, const char *dir, struct variants_row *ret);

#endif
