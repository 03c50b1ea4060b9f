/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree that stands in the place of one that was deleted: made empty or from a template, and taken
 * away again. Its maker knows it by a mark beside it, so that nobody else's is taken for it. Knows
 * nothing of quarantine but the directory that it keeps things in. Making may allocate, all else
 * does not.
 */
#ifndef BLACKSTART_AGENTS_HOST_REPLICA_H
#define BLACKSTART_AGENTS_HOST_REPLICA_H

#include "agents/host/hostfs.h"

enum { REPLICA_ENTRIES_MAX = 20000, REPLICA_BYTES_MAX = 64 * 1024 * 1024, REPLICA_DEPTH_MAX = 32 };

/* Makes leaf in parent, which must be absent, with mode and owner of like; template: a descriptor
 * of the directory or file whose content it gets, -1: empty. */
int replica_make(int keep, int parent, const char *leaf, const struct hostfs_meta *like,
                 int template, struct err *err) MUST_CHECK;

/* These three answer 1 or 0, and -1 with *err where it cannot be seen. */

/* Is what stands at leaf ours? */
int replica_is_ours(int keep, int parent, const char *leaf, struct err *err) MUST_CHECK;

/* Has what stood at leaf been moved by us since: made and gone from there, or set aside? Then the
 * time of the directory above is our doing. */
int replica_was_moved(int keep, int parent, const char *leaf, struct err *err) MUST_CHECK;

/* Has one been made, or been set aside, and not been taken away whole? */
int replica_is_left(int keep, struct err *err) MUST_CHECK;

/* Sets what stands at leaf aside into keep: ours, or with `any` whatever it is. 1: it is not ours
 * and stays. Nothing there is a success. */
int replica_set_aside(int keep, int parent, const char *leaf, bool any, struct err *err) MUST_CHECK;

/* Removes all of it from keep. Says in words what others wrote into it, the first names of it. */
struct replica_written {
    uint32_t n;
    char names[96];
};
int replica_remove(int keep, struct replica_written *ret, struct err *err) MUST_CHECK;

#endif
