/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The injections of one agent and the order of what happens to them: record on disk, guardian told,
 * only then harm; evidence, revert, record done, guardian told. Every path that leaves an injection
 * half made ends in its revert. Runs in privside; knows rows only through the fault contract, and
 * nothing of JSON or of who asked.
 */
#ifndef BLACKSTART_AGENTS_INJECT_H
#define BLACKSTART_AGENTS_INJECT_H

#include "agents/guardian.h"
#include "agents/policy.h"
#include "agents/touched.h"

enum inject_state {
    INJECT_FREE,
    INJECT_PREPARED, /* recorded, nothing changed */
    INJECT_ACTIVE,
    INJECT_STUCK, /* its revert failed: tried again, and the record stays in the log */
    INJECT_ENDED  /* remembered until its slot is needed, so that a second revert has an answer */
};

struct injection {
    enum inject_state state;
    enum ended_by ended_by;
    const struct fault *row;
    void *args;              /* from prepare to apply */
    struct touched *touched; /* until its end; NULL: no files */
    int64_t lease_ns, for_ns, for_end, deadline;
    unsigned tries;
    uint64_t order; /* of its end */
    bool has_evidence;
    struct evidence evidence; /* the last reading */
    struct revert_report report;
    struct undo undo;
};

struct injector {
    struct fault_host *host;
    const struct catalogue *catalogue;
    const struct policy *policy;
    struct undo_log *log;
    struct guardian *guardian;
    uint64_t ended;     /* counts ends */
    int64_t busy_until; /* as the guardian is told */
    bool many;          /* several ends follow each other: busy until the last */
    char halted[160];   /* why nothing new is taken any more; empty: it is */
    bool settled;       /* everything was reverted after halting */
    /* An injection ended otherwise than by a revert that was asked for. */
    void (*notice)(const struct injection *injection);
    struct touched_log files;
    struct injection all[INJECTIONS_MAX];
};

int inject_prepare(struct injector *in, const struct agent_request *r, const void *args,
                   struct err *err) MUST_CHECK;
int inject_apply(struct injector *in, const char *id, struct injection **ret,
                 struct err *err) MUST_CHECK;
int inject_verify(struct injector *in, const char *id, bool *ret_active,
                  struct err *err) MUST_CHECK;
int inject_evidence(struct injector *in, const char *id, struct injection **ret,
                    struct err *err) MUST_CHECK;
/* Idempotent; 0 also for one that had ended before. */
int inject_revert(struct injector *in, const char *id, struct injection **ret,
                  struct err *err) MUST_CHECK;

/* Moves every deadline. Injections that had ended before are reverted and given to `lapsed`. */
int inject_renew(struct injector *in, int64_t lease_ns,
                 void (*lapsed)(const struct injection *injection), struct err *err) MUST_CHECK;

/* Reverts what is past its deadline. */
void inject_expire(struct injector *in);
/* LEASE_NEVER when there is none. */
int64_t inject_earliest(const struct injector *in);

/* Returns how many could not be put back. */
unsigned inject_revert_all(struct injector *in, enum ended_by by);

/* Nothing new from now on, and everything that is active is reverted. */
void inject_halt(struct injector *in, const char *why);
/* Halts if the guardian or the undo log was lost; to be called after every request. */
void inject_settle(struct injector *in);

/* The host's files_quiet; quiet_ctx is the injector. */
void inject_files_quiet(const struct fault_host *host, const struct undo *undo);

const char *inject_state_word(enum inject_state state);

#endif
