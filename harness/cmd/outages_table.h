/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of runs as the table of `outages --table`. */
#ifndef BLACKSTART_OUTAGES_TABLE_H
#define BLACKSTART_OUTAGES_TABLE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Each is a run's folder, or one whose folders are. Prints; 0 or -1. */
int outages_table(const char *const *dirs, size_t n, bool json, struct err *err) MUST_CHECK;

#endif
