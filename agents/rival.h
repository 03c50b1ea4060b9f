/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other agents of the same host, as their undo logs show them. Which files another agent's fault
 * has changed is known to that agent alone.
 */
#ifndef BLACKSTART_AGENTS_RIVAL_H
#define BLACKSTART_AGENTS_RIVAL_H

#include "agents/undo.h"
#include "base/fault.h"

/*
 * ERR_REFUSED, with whose it is, when another agent has a fault on files on this host, or one that
 * the catalogue does not know. To be called once our own record stands in the log: of two agents
 * that begin at once, none or one goes on.
 */
int rival_check(const struct undo_log *own, const struct catalogue *catalogue,
                struct err *err) MUST_CHECK;

#endif
