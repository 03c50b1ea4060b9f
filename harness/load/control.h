/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control stream of a load (docs/load-protocol.md): frames in, calls of the runner, answers and
 * a record of each second out. */
#ifndef BLACKSTART_LOAD_CONTROL_H
#define BLACKSTART_LOAD_CONTROL_H

#include "base/err.h"

/* Runs until the stream ends; then nothing is sent any more. */
int control_serve(int fd, struct err *err) MUST_CHECK;

#endif
