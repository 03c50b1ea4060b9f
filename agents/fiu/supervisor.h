/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that answers the trapped calls of one start of a service (trap.h), by the rules in
 * the service's page: what the preload library does inside a program, for programs that it cannot
 * reach. It belongs to the service, not to an agent: with nothing armed it lets every call go on,
 * and it ends when the last process under its filter has. When it dies before that, trapped calls
 * fail with ENOSYS until the service is started again: no undo covers it.
 *
 * It must not know who arms a rule or why. It injects faults and guards nothing: what it read of a
 * call the program could have changed by the time that the kernel does the call.
 */
#ifndef BLACKSTART_AGENTS_FIU_SUPERVISOR_H
#define BLACKSTART_AGENTS_FIU_SUPERVISOR_H

#include "agents/fiu/page.h"
#include "base/err.h"

#include <sys/types.h>

/*
 * Forks a supervisor for a program that is about to start: a child of the caller, who is in the
 * same pid and mount namespace as the program will be. The program hands its calls over through
 * *ret_socket (close-on-exec, the caller closes it after its fork); without that the supervisor
 * ends.
 */
int supervisor_start(const char *page_path, uint64_t points, pid_t *ret_pid, int *ret_socket,
                     struct err *err) MUST_CHECK;

/* In the program, before exec: its calls of these points are trapped from here on. Closes socket.
 */
int supervisor_enter(int socket, uint64_t points, struct err *err) MUST_CHECK;

/*
 * For a program that somebody else starts, who runs as anybody and inside what walls it likes (a
 * unit of systemd), the supervisor is a process of its own outside of them. What becomes the
 * program has connected to it.
 *
 * The program's side: may it go on, its calls of these points are answered? ERR_TIMEOUT or
 * ERR_SYSTEM when nobody says so: nothing is trapped yet. Then supervisor_enter(sock, ...).
 */
int supervisor_ask(int sock, uint64_t points, struct err *err) MUST_CHECK;

/*
 * The supervisor's: answers, enters the program's mount namespace, gives up all that it may do but
 * look, and works until no program is left. `proc` is a descriptor of /proc, `pid` who connected.
 * ERR_NOT_FOUND when the program went away before its calls were trapped.
 */
int supervisor_attend(int sock, int proc, pid_t pid, const char *page_path,
                      struct err *err) MUST_CHECK;

/* The supervisor's work; proc is a descriptor of /proc. Returns when no program is left. */
void supervisor_work(int listener, int proc, struct fiu_page *page);

#endif
