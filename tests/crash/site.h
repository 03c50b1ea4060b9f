/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where in a traced program a system call is made: by what is on its stack. A loop over a thousand
 * files makes a thousand calls at one site, and each call site is to fail, not each call.
 */
#ifndef BLACKSTART_TESTS_CRASH_SITE_H
#define BLACKSTART_TESTS_CRASH_SITE_H

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/*
 * At a call's entry: is it the first, second, fourth, eighth ... that its site makes, in this
 * process's count? A site is the call's number and the return addresses on the stack that lie in
 * the program itself. What an older frame left there may be among them: it makes two sites of one,
 * never one of two.
 */
bool site_counts(pid_t victim, const struct __ptrace_syscall_info *info);

#endif
