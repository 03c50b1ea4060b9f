/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a run on disk: runs/<time>-<scenario>/ with runs/latest, or where the person
 * says. What sudo made belongs to the person who called it.
 */
#ifndef BLACKSTART_RUN_DIR_H
#define BLACKSTART_RUN_DIR_H

#include "base/err.h"

#include <limits.h>
#include <stdbool.h>

#define RUN_DIR_RUNS "runs"

/* Makes it; `out` NULL: the default. Fails when there is a journal in it already. */
int run_dir_make(const char *out, const char *scenario, char ret[PATH_MAX],
                 struct err *err) MUST_CHECK;

/* Hands all in it, and what was made above it, to SUDO_UID; nothing when there is none. */
void run_dir_give_back(const char *out, const char *dir);

/* The same with one file. */
void run_dir_give(const char *path);

#endif
