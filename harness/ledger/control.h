/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control stream of a ledger (docs/ledger-protocol.md): frames in, calls of the keeper, answers
 * out. */
#ifndef BLACKSTART_LEDGER_CONTROL_H
#define BLACKSTART_LEDGER_CONTROL_H

#include "base/err.h"

/* Runs until the stream ends; then no write is sent any more, and what is known is on the disk. */
int control_serve(int fd, int file_fd, struct err *err) MUST_CHECK;

#endif
