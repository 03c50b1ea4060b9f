/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the faults that delete share: a list of paths that go into quarantine together
 * (host/quarantine.h) and come back together. Part of their undo records. Knows nothing of
 * services.
 */
#ifndef BLACKSTART_FAULTS_REMOVAL_H
#define BLACKSTART_FAULTS_REMOVAL_H

#include "agents/host/quarantine.h"

struct removal {
    uint32_t n;
    uint32_t reserved;
    struct quarantine paths[LIST_MAX];
};

/* Pure: no path that cannot be deleted, none that lies in another. */
int removal_check(const struct paths *paths, struct err *err) MUST_CHECK;

/* Reads, changes nothing. if_there: a path that the host does not have is left out; one it must
 * have. */
int removal_prepare(const struct fault_host *host, const struct paths *paths, bool if_there,
                    struct removal *ret, struct err *err) MUST_CHECK;

/* Makes each of them again (quarantine_recreate). */
int removal_recreate(const struct fault_host *host, const struct undo *undo, struct removal *r,
                     const char *template, struct err *err) MUST_CHECK;

int removal_take(const struct fault_host *host, const struct undo *undo, struct removal *r,
                 struct err *err) MUST_CHECK;

/* All that evidence says of them. */
void removal_evidence(const struct fault_host *host, const struct undo *undo,
                      const struct removal *r, struct evidence *ret);
bool removal_holds(const struct fault_host *host, const struct undo *undo, const struct removal *r);

/* Every path is tried, whatever became of the others; the first failure is the one that is told. */
int removal_restore(const struct fault_host *host, const struct undo *undo, const struct removal *r,
                    struct revert_report *ret, struct err *err) MUST_CHECK;

#endif
