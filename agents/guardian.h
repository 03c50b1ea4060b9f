/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that can only undo. Forked first, before any netlink socket exists (a socket that it
 * held would keep our tables alive), it is told every undo record and deadline before the harm is
 * done. When privside dies, or lets a deadline pass (stopped, stuck), it kills privside, puts back
 * everything, marks it done in the shared undo log, and exits.
 */
#ifndef BLACKSTART_AGENTS_GUARDIAN_H
#define BLACKSTART_AGENTS_GUARDIAN_H

#include "agents/lease.h"
#include "agents/undo.h"

enum {
    GUARDIAN_GRACE_MS = 300,  /* behind a deadline, before privside counts as stuck */
    GUARDIAN_LOOK_MS = 100,   /* how often a busy privside past its deadline is looked at */
    GUARDIAN_ANSWER_MS = 1000 /* for an acknowledgement */
};

/* privside's end. */
struct guardian {
    pid_t pid;
    int fd; /* -1: lost */
};

/* What the guardian shares from the fork on. */
struct guardian_duty {
    const struct catalogue *catalogue;
    struct fault_host *host;
    struct undo_log *log;
    uint64_t caps;
    int link;         /* only to see it hang up */
    int close_fds[3]; /* what must not stay open here; -1: none */
};

int guardian_start(struct guardian *g, const struct guardian_duty *duty,
                   struct err *err) MUST_CHECK;

/*
 * Each waits for the guardian's acknowledgement; after a failure the guardian is killed and lost.
 * busy_until (CLOCK_BOOTTIME, 0: not): privside works on something that may take until then and
 * cannot renew meanwhile. Until then a deadline that passes counts only if privside is stopped.
 */
int guardian_add(struct guardian *g, unsigned slot, const struct undo *undo, int64_t deadline,
                 int64_t busy_until, struct err *err) MUST_CHECK;
int guardian_renew(struct guardian *g, const int64_t deadlines[UNDO_SLOTS], int64_t busy_until,
                   struct err *err) MUST_CHECK;
int guardian_remove(struct guardian *g, unsigned slot, int64_t busy_until,
                    struct err *err) MUST_CHECK;

static inline bool guardian_is_lost(const struct guardian *g)
{
    return g->fd < 0;
}

/* After everything that can be is reverted: the guardian touches nothing any more, sees that
 * privside ends, and exits. */
void guardian_release(struct guardian *g);
void guardian_kill(struct guardian *g);

#endif
