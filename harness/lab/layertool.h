/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the package tools of the machine for layer.c, without a shell and without a terminal.
 */
#ifndef BLACKSTART_LAB_LAYERTOOL_H
#define BLACKSTART_LAB_LAYERTOOL_H

#include "base/buf.h"

/* Runs argv (looked up in PATH) in dir; stdout and stderr go to out, which may be cut at its
 * maximum. A status other than 0 is an error whose message ends with the tool's last line. */
int layertool_run(const char *dir, const char *const *argv, struct buf *out,
                  struct err *err) MUST_CHECK;

#endif
