/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long an injection may live without a word from the coordinator. Deadlines are absolute on
 * CLOCK_BOOTTIME, which goes on through suspend and cannot be set. Knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_LEASE_H
#define BLACKSTART_AGENTS_LEASE_H

#include "base/clock.h"
#include "base/err.h"

#include <stddef.h>

#define LEASE_MIN     (100 * NS_PER_MS)
#define LEASE_MAX     (600 * NS_PER_SEC)
#define LEASE_FOR_MAX (24 * 3600 * NS_PER_SEC)
/* The planned end is a command; the deadline behind it leaves that command time to arrive. */
#define LEASE_MARGIN (1 * NS_PER_SEC)
#define LEASE_NEVER  INT64_MAX

/* Bounds of what a request asks for: lease_ns, and for_ns (0: until reverted). */
int lease_check(int64_t lease_ns, int64_t for_ns, struct err *err) MUST_CHECK;

/* The lesser of the lease from now and the planned end plus the margin (for_end LEASE_NEVER: none).
 */
int64_t lease_deadline(int64_t now, int64_t lease_ns, int64_t for_end);

/* A CLOCK_BOOTTIME timer descriptor, disarmed. */
int lease_timer(int *ret_fd, struct err *err) MUST_CHECK;
/* Arms it for an absolute instant, in the past too; LEASE_NEVER disarms. */
int lease_arm(int fd, int64_t deadline, struct err *err) MUST_CHECK;
/* Takes an expiry, so that poll() waits again. */
void lease_rest(int fd);

#endif
