/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shifting a clock's reading that a call has just put there: for each way that a program can ask.
 */
#ifndef BLACKSTART_AGENTS_FIU_PRELOAD_CLOCK_H
#define BLACKSTART_AGENTS_FIU_PRELOAD_CLOCK_H

#include <sys/time.h>
#include <time.h>

void preload_clock_add(long id, struct timespec *ts);
void preload_clock_add_val(struct timeval *tv);

#endif
