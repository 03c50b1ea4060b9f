/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A deletion that can be undone. The entries of a directory go into a hidden directory beside it,
 * and the emptied directory itself after them: for every program the path is gone as after rm -r.
 * On disk: .blackstart-RUN-INJECTION.N/entries holds what was in it, .../top is the directory (or
 * the file) itself. The names alone tell how far a deletion or its undoing came. In the path's
 * place another may be made meanwhile (replica.h). Restoring allocates nothing.
 */
#ifndef BLACKSTART_AGENTS_HOST_QUARANTINE_H
#define BLACKSTART_AGENTS_HOST_QUARANTINE_H

#include "agents/host/hostfs.h"

enum { QUARANTINE_ENTRIES_MAX = 100000 };

struct quarantine {
    struct path path;
    struct hostfs_meta top, parent;
    struct hostfs_meta parent_after; /* noted by take; dev 0: not noted */
    uint32_t moved;                  /* noted by take */
    uint32_t discards; /* at the restore, what others made in its place is taken away, not left */
};

/* Reads, changes nothing; refuses what could not be moved, with the reason. */
int quarantine_prepare(const struct fault_host *host, const struct path *path,
                       struct quarantine *ret, struct err *err) MUST_CHECK;

int quarantine_take(const struct fault_host *host, const struct undo *undo, uint32_t index,
                    struct quarantine *q, struct err *err) MUST_CHECK;

/* After take: makes the path again, with the mode and owner that it had; template: a directory that
 * is laid out as the host's root is, whose like-named path it is copied from where it has one; NULL
 * or not there: empty. With discards, what others made there first stands instead. */
int quarantine_recreate(const struct fault_host *host, const struct undo *undo, uint32_t index,
                        struct quarantine *q, const char *template, struct err *err) MUST_CHECK;

/* The path is absent, or what was recreated stands there; and what it was is in our keeping. */
bool quarantine_holds(const struct fault_host *host, const struct undo *undo, uint32_t index,
                      const struct quarantine *q);

/* From any state between prepare and restored. What others put in the path's place stays: then
 * ret->foreign, and ret->manual says where the rest lies. */
int quarantine_restore(const struct fault_host *host, const struct undo *undo, uint32_t index,
                       const struct quarantine *q, struct revert_report *ret,
                       struct err *err) MUST_CHECK;

#endif
