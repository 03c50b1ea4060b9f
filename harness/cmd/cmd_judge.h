/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a run's directory to its reports and exit status: what `run` ends with and `report` does
 * again. Everything comes from the journal.
 */
#ifndef BLACKSTART_CMD_JUDGE_H
#define BLACKSTART_CMD_JUDGE_H

#include "cmd/cmd_store.h"

#include <stdbool.h>
#include <stdint.h>

struct report_renderer;

struct judge {
    const char *dir;
    uint32_t reports;       /* those to write: bits as report_select gives */
    bool json;              /* prints the result as one document instead of the verdict */
    bool silent;            /* prints nothing */
    struct cmd_store store; /* records the run there, too */
    const struct report_renderer *print; /* prints this one alone and writes none; NULL: writes */
};

/* Writes the reports, prints the verdict; the exit status, -1, or COMMAND_TOLD where the document
 * was printed and a report could not be written. */
int cmd_judge(const struct judge *j, struct err *err) MUST_CHECK;

#endif
