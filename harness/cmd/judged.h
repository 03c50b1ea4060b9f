/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run's directory, read and analysed: all from its journal. */
#ifndef BLACKSTART_CMD_JUDGED_H
#define BLACKSTART_CMD_JUDGED_H

#include "analysis/analysis.h"

struct judged {
    struct history *history;
    struct scenario *scenario;
    struct analysis *analysis;
};

/* On failure too, *ret is to be freed; err names the directory. */
int judged_load(const char *dir, struct judged *ret, struct err *err) MUST_CHECK;
void judged_free(struct judged *j);
#define CLEANUP_JUDGED __attribute__((cleanup(judged_free)))

#endif
