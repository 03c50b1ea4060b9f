/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What probers and ledgers do first: they connect, and ask a host's init for commands, which takes
 * any caller from outside; no privilege is needed for that. */
#ifndef BLACKSTART_BASE_UNPRIVILEGED_H
#define BLACKSTART_BASE_UNPRIVILEGED_H

/* Another user where there is one, no capabilities, and never any again. Forgets the signal of the
 * parent's death. */
void unprivileged_become(void);

#endif
