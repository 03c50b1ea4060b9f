/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens next in a run: steady -> inject -> hold -> heal -> recover -> settle, for each
 * trial. Pure: no clock, no I/O; events carry their time (ns since the run's start) and the caller
 * performs the actions. The engine promises that every injection that was prepared is reverted in
 * every path, and that ACTION_END comes once, after the last revert has been answered and all hosts
 * were looked at. It does not judge: that is analysis and verdict.
 */
#ifndef BLACKSTART_ENGINE_H
#define BLACKSTART_ENGINE_H

#include "engine/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    ENGINE_INJECTIONS_MAX = PLAN_TRIAL_INJECTIONS_MAX,
    ENGINE_ACTIONS_MAX = 2048,
    ENGINE_PROBES_MAX = 64
};

enum engine_state {
    ENGINE_STEADY,  /* waiting until every probe has been good for steady_for */
    ENGINE_INJECT,  /* a fault is being prepared or applied */
    ENGINE_HOLD,    /* steps go on, faults hold */
    ENGINE_HEAL,    /* the last faults are being reverted */
    ENGINE_RECOVER, /* observing until every probe has been good for stable_for */
    ENGINE_SETTLE,  /* hosts are compared with their baseline, the last samples come in */
    ENGINE_ENDED
};

enum event_kind {
    EVENT_START,
    EVENT_TICK,     /* time passed */
    EVENT_BASELINE, /* host, ok, text */
    EVENT_PROBE,    /* probe, ok = good, at_ns = when its slot was due; slots come in order; text =
                       what a bad one got */
    EVENT_ROLE,     /* role, holders, at_ns = when it was asked */
    EVENT_PREPARED, /* injection, ok, refused (by the host's kernel, for an identity), text */
    EVENT_APPLIED,  /* injection, ok, text, at_ns = verified active */
    EVENT_REVERTED, /* injection, ok, text */
    EVENT_INJECTION_ENDED, /* injection ended otherwise than by revert; text says how */
    EVENT_LAPSED,          /* injection: its lease ran out */
    EVENT_AGENT_LOST,      /* host, text */
    EVENT_HOST_DIED,       /* host: nothing is left there to put back */
    EVENT_RAN,             /* step, ok, text; of a runbook: its command under way */
    EVENT_CHECKED,         /* step, ok, refused (its status), text */
    EVENT_CLEAN,           /* host, ok */
    EVENT_DRAINED,         /* the probes stand still, all samples are in the journal */
    EVENT_NEXT,            /* ok = the next trial begins; else the run ends */
    EVENT_GO_ON,           /* the person looked long enough */
    EVENT_INTERRUPT,       /* text: by what; NULL: by a person */
    EVENT_ERROR            /* the caller cannot go on; text */
};

struct event {
    enum event_kind kind;
    int64_t t;
    size_t index;     /* host, probe, role, injection or step, by kind */
    uint64_t holders; /* EVENT_ROLE: bit i: host i says that it has the role */
    int64_t at_ns;
    bool ok, refused;
    const char *text; /* borrowed */
};

enum action_kind {
    ACTION_TRIAL_START, /* trial; ok = fault free: the probes start */
    ACTION_STATE,    /* index = enum engine_state; why = what is waited for, when it may be long */
    ACTION_STEADY,   /* ok = held; text why not */
    ACTION_BASELINE, /* host */
    ACTION_ASK_ROLE, /* role */
    ACTION_ROLE,     /* role, host (SIZE_MAX: nobody); text = when: select, after-apply, step; ok */
    ACTION_PREPARE,  /* injection */
    ACTION_APPLY,    /* injection */
    ACTION_EVIDENCE, /* injection; answered to the journal only */
    ACTION_REVERT,   /* injection */
    ACTION_RENEW,    /* host */
    ACTION_RUN,      /* step */
    ACTION_CHECK,    /* step, host: its check, there */
    ACTION_TASK,     /* step, host = which of its runbook, from 0; text = begin, run, end or failed;
                        with run it is typed */
    ACTION_ADMISSION, /* step; text = check, checked, asked, approved, refused or executed; by =
                         check, approval or host; host, or SIZE_MAX; why */
    ACTION_STEP,      /* step; text = begin, end, skipped, refused or failed; why */
    ACTION_ROLLOUT,   /* step; text = wave (host = which, from 1, begins), done, stopped, healed,
                         refused or ended; why */
    ACTION_HOLD,      /* stop and let a person look; EVENT_GO_ON goes on */
    ACTION_HOLD_OVER, /* text = person, limit or stopped */
    ACTION_GUARD,     /* probe; why */
    ACTION_ABORT,     /* text = interrupt, guard, deadline, agent lost, host died, error; why;
                         index = how many injections are there to be put back */
    ACTION_CLEAN,     /* host: compare with the baseline */
    ACTION_DRAIN,     /* let the probes stop and complete the trial's samples */
    ACTION_TRIAL_END, /* trial; ok = done, else aborted */
    ACTION_NEXT,      /* trial: may it begin? EVENT_NEXT answers */
    ACTION_END        /* ok = not aborted */
};

struct action {
    enum action_kind kind;
    size_t index;
    size_t host; /* ROLE */
    bool ok;
    const char *text; /* static */
    const char *by;   /* ADMISSION; static */
    char why[400];
};

struct actions {
    struct action list[ENGINE_ACTIONS_MAX];
    size_t n;
    bool overflow; /* cannot happen within the limits above; the caller treats it as an error */
};

struct engine_options {
    bool no_fault, hold;
    bool ask;        /* between trials, whether there is to be another */
    uint32_t trials; /* at least 1; more than one: a fault-free trial comes first */
    int64_t lease_ns;
    int64_t hold_limit_ns; /* a hold that nobody ends is over then; 0: never */
};

enum injection_state {
    INJECTION_NEW,
    INJECTION_PREPARING,
    INJECTION_PREPARED,
    INJECTION_APPLYING,
    INJECTION_ACTIVE,
    INJECTION_REVERTING,
    INJECTION_OVER
};

struct engine_injection {
    char id[INJECTION_ID_MAX + 1]; /* i1, i2 ... over the whole run */
    size_t step, host, group;
    uint32_t trial;
    uint32_t wave, phase; /* from 1; 0: its step has none */
    int64_t for_ns;       /* how long it is meant to be active; 0: until it is told */
    void *args;
    enum injection_state state;
    int64_t active_ns, ends_ns; /* ends_ns: INT64_MAX when only the steps' end ends it */
};

struct engine;

/* The plan must outlive the engine. */
int engine_new(const struct plan *plan, const struct engine_options *options, struct engine **ret,
               struct err *err) MUST_CHECK;
void engine_free(struct engine *e); /* NULL is allowed */

/* Takes one event, adds actions. */
void engine_step(struct engine *e, const struct event *event, struct actions *actions);

/* When EVENT_TICK is due at the latest; INT64_MAX: not at all. */
int64_t engine_deadline(const struct engine *e);

enum engine_state engine_state(const struct engine *e);
const char *engine_state_word(enum engine_state state);
uint32_t engine_trial(const struct engine *e);
size_t engine_n_injections(const struct engine *e); /* of this trial */
const struct engine_injection *engine_injection(const struct engine *e, size_t i);
/* What a step with waves does to which host, in the order of waves; *ret_begun of them have begun.
 */
const struct plan_injections *engine_rollout(const struct engine *e, size_t step,
                                             uint32_t *ret_begun);
bool engine_holding(const struct engine *e); /* a person looks; `for` stands still */

#endif
