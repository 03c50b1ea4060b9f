/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run's times on a calendar, for formats that want one. The journal has one wall time, of the
 * run's start, to the second: a label. All else is measured from there on the monotonic clock, so
 * that distances are exact and the whole may stand up to a second off.
 */
#ifndef BLACKSTART_REPORTS_WALL_H
#define BLACKSTART_REPORTS_WALL_H

#include "base/buf.h"
#include "journal/history.h"

#include <stdint.h>

/* Nanoseconds from 1970 to t, which counts from the run's start; at least 0. A journal without a
 * wall time began in 1970. HISTORY_UNKNOWN and what is open stand at the end of the journal. */
int64_t wall_ns(const struct history *h, int64_t t);

/* "2026-11-22T14:41:03.250Z" */
void wall_put(struct buf *out, const struct history *h, int64_t t);

#endif
