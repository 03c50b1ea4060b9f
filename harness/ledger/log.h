/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's file while it is written, by many threads. A line is in the kernel before
 * log_append returns, so that the process may be killed at any time; a thread of its own flushes
 * to the disk, at most LOG_FLUSH_MS behind, and log_flush does so at once: nothing is read back
 * before all that was acknowledged is durable.
 */
#ifndef BLACKSTART_LEDGER_LOG_H
#define BLACKSTART_LEDGER_LOG_H

#include "base/buf.h"
#include "base/err.h"

enum { LOG_FLUSH_MS = 100 };

struct log;

int log_open(int fd, struct log **ret, struct err *err) MUST_CHECK; /* fd is borrowed */
void log_close(struct log *l);                                      /* NULL is allowed */
/* Whole lines, and nothing between them. After a failure every later call fails too. */
int log_append(struct log *l, const struct buf *lines, struct err *err) MUST_CHECK;
int log_flush(struct log *l, struct err *err) MUST_CHECK;

#endif
