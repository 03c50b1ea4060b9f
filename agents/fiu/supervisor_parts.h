/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two ways to start a supervisor share. Only supervisor*.c include it. */
#ifndef BLACKSTART_AGENTS_FIU_SUPERVISOR_PARTS_H
#define BLACKSTART_AGENTS_FIU_SUPERVISOR_PARTS_H

#include "base/err.h"

/* The page of a service, locked for as long as this descriptor, or a copy of it, is open: by the
 * lock the agent knows that a supervisor lives. */
int supervisor_page_open(const char *path, struct err *err) MUST_CHECK;

/* Through a socket of the AF_UNIX family. -1 when it does not get through, or the program never got
 * so far. */
int supervisor_listener_send(int sock, int listener) MUST_CHECK;
int supervisor_listener_receive(int sock) MUST_CHECK;

/* Looking into another process is all that this one may do from here on beyond anybody. */
void supervisor_keep_looking(void);

#endif
