/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the files that injections touched are as they were. Before a fault's first change the
 * paths of its parameters are written down, and again when they are put back: what differs between
 * the two is dirt, unless others did it. What changes later is others' doing and only listed. An
 * agent that takes over knows nothing of this. Knows of a row its parameters and what it touches.
 */
#ifndef BLACKSTART_AGENTS_TOUCHED_H
#define BLACKSTART_AGENTS_TOUCHED_H

#include "agents/host/footprint.h"

enum { TOUCHED_PATHS_MAX = LIST_MAX, TOUCHED_KEPT_MAX = 32, TOUCHED_TEXT_MAX = 64 * 1024 };

/* Of one injection. */
struct touched {
    uint32_t n;
    bool reverting;
    unsigned rules[TOUCHED_PATHS_MAX];          /* FOOTPRINT_* */
    struct hostfs_meta left[TOUCHED_PATHS_MAX]; /* the directory above, as apply left it */
    bool has_after[TOUCHED_PATHS_MAX];
    struct footprint before[TOUCHED_PATHS_MAX], after[TOUCHED_PATHS_MAX];
};

/* Of all that have ended since the baseline. */
struct touched_log {
    struct buf dirt, listed; /* lines */
    uint32_t n_kept;
    struct footprint kept[TOUCHED_KEPT_MAX]; /* as put back */
};

/* *ret is NULL when the row touches no files, or is to be freed by touched_free(). Reads nothing
 * yet. */
int touched_make(const struct fault *row, const void *args, struct touched **ret,
                 struct err *err) MUST_CHECK;
void touched_free(struct touched *t);
/* How long one look at all of its paths may take; t may be NULL, here and below. */
int64_t touched_bound_ns(const struct touched *t);

/* A path of one of them is the other's, or lies beneath it; NULL: they are apart. */
const char *touched_common(const struct touched *a, const struct touched *b);

int touched_before(struct touched *t, const struct fault_host *host, struct err *err) MUST_CHECK;
/* The services stand still: before the first change, or when the files are back. */
void touched_quiet(struct touched *t, const struct fault_host *host);
void touched_applied(struct touched *t, const struct fault_host *host);
void touched_reverting(struct touched *t, const struct fault_host *host);
/* The judgement, into the log. */
void touched_ended(struct touched *t, const struct fault_host *host, bool is_foreign,
                   struct touched_log *log);

/* A new baseline: what was before does not count. */
void touched_log_clear(struct touched_log *log);
/* Every line, also what has changed since. Returns how many are dirt. paths: only what lies at or
 * beneath one of them; none: all. */
size_t touched_tell(const struct touched_log *log, const struct fault_host *host,
                    const struct paths *paths, footprint_fn *fn, void *ctx);

#endif
