/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a run's directory to its reports and exit status: what `run` ends with and `report` does
 * again. Everything comes from the journal.
 */
#ifndef BLACKSTART_CMD_JUDGE_H
#define BLACKSTART_CMD_JUDGE_H

#include "base/err.h"

#include <stdbool.h>

/* Writes the reports, prints the verdict (or, with json, the result as one document); the exit
 * status, or -1. */
int cmd_judge(const char *dir, bool json, struct err *err) MUST_CHECK;

#endif
