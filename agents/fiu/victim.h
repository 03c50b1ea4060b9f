/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's side of a service's page: find it beneath the host's root, arm a rule, move its
 * deadline, disarm it, read its counters. The page is a file that the victim can write: everything
 * is done with pread and pwrite (a mapping of a truncated file would kill the agent), and what is
 * read back decides nothing but what is reported. No allocation: reverts use it. It must not know
 * what a fault is.
 */
#ifndef BLACKSTART_AGENTS_FIU_VICTIM_H
#define BLACKSTART_AGENTS_FIU_VICTIM_H

#include "agents/fiu/page.h"
#include "base/err.h"

#include <stdbool.h>

struct victim_counts {
    uint64_t calls, seen, hits, added_ns;
    uint32_t attached;
    bool answered; /* a supervisor is there; a preloaded service has none */
    bool sane;     /* hits <= seen <= calls, as the library counts them */
};

/*
 * Opens the page of a service beneath root (O_PATH); the caller closes *ret_fd. ERR_NOT_FOUND with
 * the mend in the message when there is none, ERR_FOREIGN when the file is not a page of ours.
 */
int victim_open(int root, const char *service, int *ret_fd, struct err *err) MUST_CHECK;

/* Puts the rule into a free slot with counters at zero; ERR_LIMIT when all are taken. */
int victim_arm(int page, const struct fiu_rule *rule, struct err *err) MUST_CHECK;

/* The rule of this owner, armed or disarmed; ERR_NOT_FOUND when no slot has it (any more). */
int victim_find(int page, uint64_t owner, struct fiu_rule *ret, struct err *err) MUST_CHECK;

/*
 * Moves the deadline of the owner's rule. `now` tells the time: ERR_LAPSED when the old deadline
 * had passed before the new one was in place; it is then left dead.
 */
int victim_renew(int page, uint64_t owner, int64_t deadline, int64_t (*now)(void),
                 struct err *err) MUST_CHECK;

/* Disarms the owner's rules and reads back that they are; its counters stay readable. */
int victim_disarm(int page, uint64_t owner, struct err *err) MUST_CHECK;

int victim_counts(int page, uint64_t owner, struct victim_counts *ret, struct err *err) MUST_CHECK;

/* The points of a service whose calls are trapped, 0 for a preloaded one; and whether a supervisor
 * is there to answer them. */
int victim_trapped(int page, uint64_t *ret_points, bool *ret_alive, struct err *err) MUST_CHECK;

/* The mask of armed points covers the rule's: without this no call looks at it. */
int victim_is_armed(int page, const struct fiu_rule *rule, bool *ret, struct err *err) MUST_CHECK;

/* Point of a name, or FIU_N_POINTS; and all names, NULL-terminated, for messages. */
enum fiu_point victim_point(const char *name);
extern const char *const victim_point_names[];

#endif
