/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisors of units' starts have in FIU_PAGE_DIR, seen from outside of them: whether
 * one of them waits, and pages that none of them needs. It must not know how calls are answered.
 */
#ifndef BLACKSTART_AGENTS_UNIT_PAGE_H
#define BLACKSTART_AGENTS_UNIT_PAGE_H

#include "base/err.h"

#include <stdbool.h>

/* One at a time waits, or takes a page away: holds as long as the descriptor that is returned. */
int unit_page_lock(struct err *err) MUST_CHECK;

/* Does a supervisor wait at the unit's socket? A socket that a dead one left is none. */
bool unit_is_awaited(const char *unit);

/*
 * Under the lock: removes the page of a unit whose calls were trapped, when it is certain that
 * nobody needs it: root's alone, no supervisor waits for the unit or lives on the page, no fault is
 * on it, no process has it mapped. True when it went. A page that was given to programs stays:
 * its unit may be about to start.
 */
bool unit_page_drop(const char *unit);

/* Drops the pages of all units so, and the sockets that dead supervisors left; `say` is told of
 * each that went, and of each page that no process has mapped and that is left all the same.
 * Nothing where no unit was ever prepared. */
int unit_page_sweep(void (*say)(const char *text), struct err *err) MUST_CHECK;

#endif
