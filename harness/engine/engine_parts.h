/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine's own files share: its state, and the few calls between them. Nobody else
 * includes it. engine.c holds the trial's states, engine_steps.c the steps, engine_begin.c how a
 * fault step begins, engine_admission.c what it asks before, engine_inject.c groups of injections,
 * engine_unfold.c steps of several groups, engine_runbook.c a person's commands, engine_roles.c who
 * has a role, engine_watch.c probes and guards.
 */
#ifndef BLACKSTART_ENGINE_PARTS_H
#define BLACKSTART_ENGINE_PARTS_H

#include "engine/engine.h"

#include <string.h>

enum { CURSORS_MAX = 32, GROUPS_MAX = ENGINE_INJECTIONS_MAX };

enum cursor_wait {
    CURSOR_READY,       /* at a step that has not begun */
    CURSOR_TIME,        /* until `until` */
    CURSOR_PROBE,       /* wait_until a probe is good or bad */
    CURSOR_ROLE_CHANGE, /* wait_until a role changed */
    CURSOR_CHECK,       /* its check runs */
    CURSOR_APPROVAL,    /* its approval is waited for, until `until` */
    CURSOR_SELECT,      /* roles are asked before the apply */
    CURSOR_PREPARE,
    CURSOR_APPLY,
    CURSOR_RECHECK, /* roles are asked again after it */
    CURSOR_UNFOLD,  /* between two waves */
    CURSOR_GROUP,   /* until all groups of its step have ended */
    CURSOR_REFUSED, /* until its group, which a host refused, is no more */
    CURSOR_TAKES,   /* a runbook's person needs time, until `until` */
    CURSOR_RUN,
    CURSOR_CHILDREN
};

/* One list of steps under way; parallel steps have a cursor for each branch. */
struct cursor {
    bool used;
    bool failed;                     /* what it waited for did not come, but a person still looks */
    bool checked, approved, refused; /* of its fault step */
    char why[120];
    uint32_t step;   /* PLAN_NONE: its list is done */
    uint32_t parent; /* PLAN_NONE: the scenario's own list */
    uint32_t children;
    enum cursor_wait wait;
    int64_t since, until;
    uint32_t roles;   /* bit r: an answer about role r is still needed */
    uint32_t recheck; /* bit r: and one after the apply */
    int64_t fresh_ns; /* only answers to questions asked since then count */
    int64_t ask_ns;   /* when to ask again */
    size_t group;
    size_t task; /* of its runbook */
};

struct group {
    size_t step, first, n;
    uint32_t cursor; /* that waits for it; PLAN_NONE: none does */
    uint32_t wave, phase;
    int64_t for_ns; /* 0: it has no length of its own */
    bool applying, active, over;
    bool refused; /* by a host: it is taken back as soon as all have answered */
    int64_t active_ns, ends_ns, evidence_ns;
};

/* A step with waves or phases: groups that follow each other. */
struct unfold {
    bool used, over;             /* over: no other group follows */
    struct plan_injections list; /* of all waves, or of each phase */
    uint32_t next;               /* how many waves or phases have begun */
    size_t group, listed;        /* the newest; where its successor begins in the list */
    int64_t at_ns;               /* when the next may begin; INT64_MAX: not known yet */
    int64_t ends_ns;             /* FLAP: the whole of it */
};

struct probe_watch {
    bool seen, good;
    bool hit;          /* since this trial's steps began: a service was bad, a signal was there */
    int64_t before_ns; /* due time of the last slot of the streak before; -1: there was none */
    int64_t since_ns;  /* due time of the first slot of the present streak */
    int64_t last_ns;   /* due time of the newest slot */
    char got[24];      /* what the newest bad slot got, empty when nobody said */
};

struct role_watch {
    bool asking;
    int64_t asked_ns;
    uint64_t holders; /* by the newest answer */
    size_t host;      /* the holder when it was last selected; SIZE_MAX: not yet */
};

struct engine {
    const struct plan *plan;
    const struct scenario *scenario;
    struct engine_options options;
    struct actions *out; /* of the step under way */
    int64_t now;

    enum engine_state state;
    uint32_t trial, n_trials;
    bool fault_free;
    bool not_steady;
    bool stopping; /* this trial's steps are over before their end */
    bool aborting; /* and no other trial follows */
    bool hurry;    /* the person does not wait for the settle */
    bool told;     /* the trial's end was told */
    bool asking;   /* whether there is to be another trial, since asked_ns */
    bool enough;   /* there is not */
    bool refused;  /* a step of this trial was */
    bool touched;  /* a host of this trial was told to apply a fault */
    bool went_out; /* a fault of this trial was active */
    int64_t asked_ns;
    bool holding, held; /* held: the first fault had its hold */
    int64_t hold_ns;
    int64_t trial_ns;    /* when the trial began */
    int64_t heal_ns;     /* when the last fault ended */
    bool seen_good;      /* recovery was seen */
    bool chance_over;    /* what did not come back by itself is started */
    int64_t first_ns;    /* when the trial's first fault was active; -1: none yet */
    int64_t dry_ends_ns; /* fault-free: when the last fault would have ended */
    int64_t renew_ns;    /* next renewal */
    int64_t deadline_ns;
    uint64_t baselines; /* bit h: asked, not answered */
    uint64_t cleans;    /* bit h: asked, not answered */
    bool baselined, drained;

    struct cursor cursors[CURSORS_MAX];
    struct group groups[GROUPS_MAX];
    size_t n_groups;
    struct unfold unfolds[PLAN_STEPS_MAX]; /* by step */
    struct engine_injection injections[ENGINE_INJECTIONS_MAX];
    size_t n_injections;
    uint32_t next_id;
    struct probe_watch probes[ENGINE_PROBES_MAX];
    struct role_watch roles[PLAN_ROLES_MAX];
};

/* engine.c */
struct action *engine_emit(struct engine *e, enum action_kind kind, size_t index, const char *text);
void engine_explain(struct action *action, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* The steps of this trial end here: everything is reverted, and observed as usual. */
void engine_stop_trial(struct engine *e);
void engine_abort(struct engine *e, const char *why, const char *fmt, ...) PRINTF_LIKE(3, 4);
void engine_enter(struct engine *e, enum engine_state state);
void engine_begin_hold(struct engine *e);

/* engine_steps.c */
void steps_begin(struct engine *e);
bool steps_advance(struct engine *e); /* true: something went on */
bool steps_over(const struct engine *e);
void steps_drop(struct engine *e); /* forgets all cursors */
void steps_shift(struct engine *e, int64_t by);
int64_t steps_deadline(const struct engine *e);
void steps_ran(struct engine *e, const struct event *event);
/* All that was to be injected so far was refused: as without a fault, nothing goes bad. */
bool steps_spared(const struct engine *e);
void step_next(struct engine *e, struct cursor *c, const char *how);
void step_fail(struct engine *e, struct cursor *c, const char *why);

/* engine_inject.c */
void inject_event(struct engine *e, const struct event *event);
void inject_heal(struct engine *e, uint32_t step); /* PLAN_NONE: all */
/* All, or those without a length; not the instant ones that may come back by themselves. */
void inject_heal_rest(struct engine *e, bool open_ended);
bool inject_holds(const struct engine *e); /* is any active, beside those? */
bool inject_waits(const struct engine *e); /* is any open, beside those? */
bool inject_tick(struct engine *e);        /* ends, renewals, evidence */
bool inject_over(const struct engine *e);
size_t inject_count_open(const struct engine *e);
void inject_drop(struct engine *e);
void inject_shift(struct engine *e, int64_t by);
int64_t inject_deadline(const struct engine *e);
void inject_go_on(struct engine *e, struct cursor *c); /* after its fault is on */

/* engine_begin.c */
void inject_begin(struct engine *e, struct cursor *c);
bool inject_advance(struct engine *e, struct cursor *c);
void inject_selected(struct engine *e, struct cursor *c); /* its roles are known */
/* Prepares the list as one group; false after an abort. c: who waits for it, or NULL. */
struct group_of {
    size_t step;
    const struct plan_injection *list;
    size_t n;
    uint32_t wave, phase;
    int64_t for_ns;
};
bool inject_group(struct engine *e, struct cursor *c, const struct group_of *of);

/* What a fault step does to whom now, its roles being known; false after an abort. */
bool inject_expand(struct engine *e, const struct cursor *c, struct plan_injections *ret);

/* engine_admission.c: what a fault step asks before it goes out */
/* Is the check or the approval still to be asked? Then it is, and goes on with inject_begin. */
bool admission_asks(struct engine *e, struct cursor *c);   /* before its roles are asked */
bool admission_checks(struct engine *e, struct cursor *c); /* when they are known */
void admission_checked(struct engine *e, const struct event *event);
bool admission_advance(struct engine *e, struct cursor *c); /* true: the cursor went on */
void admission_refused(struct engine *e, struct group *g, size_t host, const char *why);
void admission_executed(struct engine *e, const struct group *g);

/* engine_runbook.c */
void runbook_begin(struct engine *e, struct cursor *c);
void runbook_type(struct engine *e, struct cursor *c);
void runbook_ran(struct engine *e, struct cursor *c, const struct event *event);

/* engine_unfold.c */
/* A host refused its newest group: no other follows. */
void unfold_refused(struct engine *e, size_t step, struct cursor *c, const char *why);
bool unfold_is(const struct engine *e, size_t step); /* has the step waves or phases? */
/* The first of its groups; takes the list. */
void unfold_begin(struct engine *e, struct cursor *c, struct plan_injections *list);
void unfold_on(struct engine *e, size_t step, struct cursor *c); /* the newest group is active */
void unfold_heal(struct engine *e, uint32_t step); /* no other group follows; PLAN_NONE: of all */
bool unfold_pending(const struct engine *e, uint32_t step); /* does one follow? */
void unfold_tick(struct engine *e);
void unfold_drop(struct engine *e);
void unfold_shift(struct engine *e, int64_t by);
int64_t unfold_deadline(const struct engine *e);

/* engine_roles.c */
void role_event(struct engine *e, const struct event *event);
void role_ask(struct engine *e, size_t role);
void roles_ask(struct engine *e, struct cursor *c); /* those of its bits */
/* Sets which roles a fault step needs before, and again after it is on. */
void roles_find(const struct engine *e, struct cursor *c);
void roles_fail(struct engine *e, struct cursor *c); /* no single host has one in time */

/* engine_watch.c */
void watch_sample(struct engine *e, const struct event *event);
/* Adds why the first probe that is not good is not: what it got. */
void watch_explain(const struct engine *e, size_t probe, char *text, size_t size);
/* Has the probe been good (all slots due since `since`) for `length`? */
bool watch_good(const struct engine *e, size_t probe, int64_t since, int64_t length);
bool watch_bad(const struct engine *e, size_t probe, int64_t since);
bool watch_all_good(const struct engine *e, int64_t since, int64_t length, size_t *ret_not);
/* Signals are no services: they are silent in the steady state, and awaited by targets. */
bool watch_all_silent(const struct engine *e, int64_t since, int64_t length, size_t *ret_not);
bool watch_signals_came(const struct engine *e);
void watch_begin_trial(struct engine *e);
void watch_guards(struct engine *e);
int64_t watch_deadline(const struct engine *e);
size_t watch_find(const struct engine *e, const char *probe);

static inline int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

#endif
