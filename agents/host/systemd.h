/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd as a real host's service manager, over its own socket: no message bus is needed, and none
 * that a fault has hurt stands in between. Jobs are waited for by their signal. Units are named as
 * systemctl takes them (unit_name.h). Masks are runtime ones, which a reboot
 * ends. libsystemd allocates; nothing else here does. Knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_SYSTEMD_H
#define BLACKSTART_AGENTS_HOST_SYSTEMD_H

#include "base/err.h"
#include "base/hostctl.h"

int systemd_supported(struct err *err) MUST_CHECK;

/* ERR_NOT_FOUND: it knows none of that name; ERR_UNSUPPORTED: this host has no systemd. Another
 * error: it does not answer, which it does to root alone. */
int systemd_knows(const char *unit, struct err *err) MUST_CHECK;

int systemd_look(const char *unit, struct hostctl_look *ret, struct err *err) MUST_CHECK;
int systemd_do(enum hostctl_op op, const char *unit, int64_t wait_ns, struct err *err) MUST_CHECK;

#endif
