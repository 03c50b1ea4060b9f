/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls of a traced program change something that outlives it, so that of a row of
 * calls that only look, its first and its last can stand for all as points to die at: whatever
 * dies between two looks leaves the same behind.
 */
#ifndef BLACKSTART_TESTS_CRASH_CHANGE_H
#define BLACKSTART_TESTS_CRASH_CHANGE_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* At a call's entry. What is not known only to look counts as a change. */
bool change_is_made(pid_t victim, const struct __ptrace_syscall_info *info);

#endif
