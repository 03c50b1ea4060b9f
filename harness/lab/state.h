/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of a lab on the machine: made with a lock that the fabric holds for as long as it
 * lives, so that whoever comes later can tell a dead lab from a living one and clear it away.
 */
#ifndef BLACKSTART_LAB_STATE_H
#define BLACKSTART_LAB_STATE_H

#include "base/err.h"

/* Makes path and locks it; the lock names the lab's id. Fails when the directory is there. */
int state_make(const char *path, const char *id, int *ret_lock_fd, struct err *err) MUST_CHECK;

#endif
