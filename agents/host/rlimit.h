/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The soft limit on descriptors of any process, read and put. The kernel lets a process change
 * another's limits when its own real ids are those of the other, so that no capability beyond
 * taking those is needed, and a hard limit is never touched: nobody could raise it again. Knows
 * nothing of faults; allocates nothing.
 */
#ifndef BLACKSTART_AGENTS_HOST_RLIMIT_H
#define BLACKSTART_AGENTS_HOST_RLIMIT_H

#include "agents/host/proc.h"

#include <linux/capability.h>

/* What these functions need. */
#define RLIMIT_CAPS                                                                                \
    ((UINT64_C(1) << CAP_SETUID) | (UINT64_C(1) << CAP_SETGID) | (UINT64_C(1) << CAP_SYS_PTRACE) | \
     (UINT64_C(1) << CAP_DAC_READ_SEARCH))

/* ERR_NOT_FOUND when the process has ended. */
int rlimit_read(const struct fault_host *host, const struct proc_id *id, uint64_t *ret_soft,
                struct err *err) MUST_CHECK;
/* ERR_LIMIT when its hard limit is lower. */
int rlimit_put(const struct fault_host *host, const struct proc_id *id, uint64_t soft,
               struct err *err) MUST_CHECK;

/* How many descriptor numbers below `limit` are free in it. */
int rlimit_count_free(const struct fault_host *host, const struct proc_id *id, uint64_t limit,
                      uint64_t *ret, struct err *err) MUST_CHECK;
/* The limit under which exactly n are free. */
int rlimit_leave_free(const struct fault_host *host, const struct proc_id *id, uint64_t n,
                      uint64_t *ret, struct err *err) MUST_CHECK;

#endif
