/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The undo log: what stands on disk before anything is changed, and is replayed when an agent
 * starts. One file per agent, preallocated (a full disk can refuse a start, never an undo) and
 * locked as long as the agent or its guardian lives; both write it, to fixed places, so that they
 * need not agree on an end. Only unlocked logs of the same host are replayed. Knows nothing of what
 * a record means.
 *
 * A slot has a head and two copies of its record, written in turn: a write that is cut short leaves
 * the older one. The head, 32 bytes in one page, says which copy counts and whether it is done.
 * No function here allocates.
 */
#ifndef BLACKSTART_AGENTS_UNDO_H
#define BLACKSTART_AGENTS_UNDO_H

#include "agents/wire.h"

enum { UNDO_FORMAT = 1, UNDO_SLOTS = INJECTIONS_MAX, UNDO_FILE_MAX = 128 };

/* Whose log it is. */
struct undo_owner {
    char host[NAME_MAX_LEN + 1];
    uint64_t net_ns;  /* inode of the host's network namespace ... */
    char boot_id[40]; /* ... which means something only within one boot */
};

struct undo_log {
    int dir, fd;
    bool durable; /* fdatasync: for what can outlive a reboot */
    bool failed;  /* a sync failed: nothing new is written any more, ever */
    uint64_t seq[UNDO_SLOTS];
    char file[UNDO_FILE_MAX];
};

/* Creates, preallocates and locks a log in the directory `dir`, which stays the caller's. */
int undo_open(struct undo_log *log, int dir, const struct undo_owner *owner, bool durable,
              struct err *err) MUST_CHECK;

/* Writes a record ahead; on return it is in the page cache, and on disk if `sync` and the log is
 * durable. */
int undo_write(struct undo_log *log, unsigned slot, const struct undo *undo, bool sync,
               struct err *err) MUST_CHECK;

/* The record needs no replay any more. */
int undo_done(struct undo_log *log, unsigned slot, struct err *err) MUST_CHECK;

/* Removes the file if nothing live is in it, and closes it. */
void undo_close(struct undo_log *log);

struct undo_tally {
    unsigned replayed, kept, unknown, busy; /* busy: logs of this host that stayed locked */
};

/*
 * Gives each live record of each unlocked log of this owner to fn; 0 from fn marks it done. A lock
 * may be that of a dead agent's guardian at work: it is waited for, at most wait_ms in all. Logs
 * without live records are removed; what is of an unknown format is kept and counted. `own` (may be
 * NULL) is passed over.
 */
typedef int undo_replay_fn(void *ctx, const struct undo *undo);
int undo_replay(int dir, const struct undo_owner *owner, const struct undo_log *own, int wait_ms,
                undo_replay_fn *fn, void *ctx, struct undo_tally *ret, struct err *err) MUST_CHECK;

/* Gives each live record of the other logs of this host to fn, of living agents and of dead ones,
 * and changes nothing. What fn returns does not count. */
int undo_look(const struct undo_log *own, undo_replay_fn *fn, void *ctx,
              struct err *err) MUST_CHECK;

#endif
