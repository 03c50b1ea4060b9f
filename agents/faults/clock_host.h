/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole host's clock (CLOCK_REALTIME) stepped and stepped back: clock.skew without a service. The
 * clocks that leases are written in stay as they are. It must not know the fault's parameters.
 */
#ifndef BLACKSTART_FAULTS_CLOCK_HOST_H
#define BLACKSTART_FAULTS_CLOCK_HOST_H

#include "base/fault.h"

/* Says that the clock is stepped, and by which injection, until it is stepped back: a reboot ends
 * both. */
#define CLOCK_HOST_MARK "/run/blackstart-clock"

/* A record of this kind, and not of one service's clock. */
bool clock_host_has(const struct undo *undo);
/* ERR_UNSUPPORTED on a lab host, which shares the machine's clock with all others. */
int clock_host_prepare(struct fault_host *host, int64_t by_ns, struct undo *undo,
                       struct err *err) MUST_CHECK;
int clock_host_apply(struct fault_host *host, struct undo *undo, struct err *err) MUST_CHECK;
int clock_host_verify(const struct undo *undo, bool *ret_active, struct err *err) MUST_CHECK;
int clock_host_evidence(const struct undo *undo, struct evidence *ret, struct err *err) MUST_CHECK;
int clock_host_revert(struct fault_host *host, const struct undo *undo, struct revert_report *ret,
                      struct err *err) MUST_CHECK;

#endif
