/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which system calls of a program stop in the kernel (seccomp user notification) until a supervisor
 * has answered, and what each is about. For programs that make their calls past every library.
 * Knows nothing of pages and rules; a filter can be put on only before the program starts, and
 * never taken off.
 */
#ifndef BLACKSTART_AGENTS_FIU_TRAP_H
#define BLACKSTART_AGENTS_FIU_TRAP_H

#include "agents/fiu/page.h"
#include "base/err.h"

/* Calls on files that a program makes now and then; and with them those that move its data, of
 * which each costs a round trip to the supervisor, those on sockets and pipes too. */
#define TRAP_RARE                                                                                  \
    (FIU_BIT(FIU_OPEN) | FIU_BIT(FIU_FSYNC) | FIU_BIT(FIU_FDATASYNC) | FIU_BIT(FIU_SYNC_RANGE) |   \
     FIU_BIT(FIU_TRUNCATE) | FIU_BIT(FIU_ALLOCATE) | FIU_BIT(FIU_RENAME) | FIU_BIT(FIU_UNLINK) |   \
     FIU_BIT(FIU_MKDIR))
#define TRAP_WRITES (TRAP_RARE | FIU_BIT(FIU_WRITE))
#define TRAP_ALL    (TRAP_WRITES | FIU_BIT(FIU_READ))

/* Places among a call's arguments; TRAP_NO where it has none. */
enum { TRAP_NO = -1 };

struct trap_call {
    int number;
    enum fiu_point point;
    int fd;         /* the file itself, without a path; else the directory that the path is from */
    int path;       /* TRAP_NO: it is about the descriptor */
    int fd2, path2; /* the other name of a rename */
    int flags;      /* open's; O_NOFOLLOW in them */
    bool follow;    /* otherwise: follows a symbolic link in the last part of the path */
};

/* NULL for a call that no point is about. */
const struct trap_call *trap_find(int number);

/*
 * In a process of one thread that is about to become the program, and may do so (CAP_SYS_ADMIN in
 * its user namespace): from here on each call of these points waits for whoever reads *ret_listener
 * (closed on exec). io_uring, by which a program could go past it, does not exist for the program.
 * ERR_UNSUPPORTED where the kernel cannot (before 5.19), or a listener is above us already.
 */
int trap_install(uint64_t points, int *ret_listener, struct err *err) MUST_CHECK;

#endif
