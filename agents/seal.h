/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each of the agent's processes gives up once it stands. Nothing here can be taken back.
 */
#ifndef BLACKSTART_AGENTS_SEAL_H
#define BLACKSTART_AGENTS_SEAL_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEAL_UID = 65534 };

/*
 * privside and guardian: keeps only the capabilities of `caps` (CAP bits) that it has; no new
 * privileges; no program can be executed and no socket listens.
 */
int seal_privileged(uint64_t caps, struct err *err) MUST_CHECK;

/*
 * netside: an unprivileged uid where the user namespace has one (*ret_own_uid), no capabilities,
 * and only the system calls of a process that reads and writes what is open already.
 */
int seal_netside(bool *ret_own_uid, struct err *err) MUST_CHECK;

#endif
