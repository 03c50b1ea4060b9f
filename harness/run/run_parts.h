/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the run's own files share. run.c has the loop and the order of things, run_setup.c what is
 * started before it, run_agent.c the agents, run_clean.c hosts before and after, run_probe.c the
 * probers, run_ledger.c the ledgers, run_load.c the loads, run_step.c commands in hosts,
 * run_record.c journal lines and what people see, run_logs.c the services' logs, run_watch.c the
 * lab's own processes, run_hold.c the wait while a person looks. Nobody else includes it.
 */
#ifndef BLACKSTART_RUN_PARTS_H
#define BLACKSTART_RUN_PARTS_H

#include "base/buf.h"
#include "base/clock.h"
#include "engine/engine.h"
#include "journal/journal.h"
#include "lab/lab.h"
#include "run/agentlink.h"
#include "run/proberlink.h"
#include "run/run.h"
#include "run/run_live.h"

#include <event2/event.h>
#include <limits.h>

enum {
    RUN_LEASE_S = 10,
    RUN_CALL_S = 10,   /* an agent that has not answered by then is lost */
    RUN_DRAIN_S = 10,  /* a prober's last samples, beyond its probes' time limits */
    RUN_SETUP_S = 20,  /* all agents' hello, all probers' configuration */
    RUN_HOLD_MIN = 30, /* a hold that was forgotten ends */
    RUN_EVENTS_MAX = 8192,
    RUN_VANTAGES_MAX = 64,
    RUN_LOG_TAIL = 16384
};

#define RUN_CALL_NS (RUN_CALL_S * NS_PER_SEC)

struct run_agent {
    bool died; /* its host */
    struct run *run;
    size_t host;
    struct agentlink *link;
    bool up;
    bool replaced;   /* its first agent was lost */
    char digest[65]; /* of the baseline */
    json_t *left;    /* what could not be put back */
    bool touched;    /* something was applied there, and it was not found clean since */
};

struct run_vantage {
    struct run *run;
    const char *host;
    struct proberlink *client;
    bool lost;
    bool stopping; /* it was asked for the trial's last samples, and has not answered */
};

struct run_call {
    struct run *run;
    size_t index; /* injection or host */
    struct run_call *next;
    char id[INJECTION_ID_MAX + 1]; /* the injection's: an index is of one trial only */
};

struct run_watch;   /* run_watch.c */
struct run_command; /* a run step's command under way: run_step.c */

struct run {
    const struct run_options *options;
    const struct scenario *scenario;
    struct plan *plan;
    struct engine *engine;
    struct clock clock;
    struct journal *journal;
    struct lab *lab;
    bool lab_ended;
    bool turn_lost; /* the one who gives turns is gone */
    struct run_watch *lab_watch, *host_watches[PLAN_HOSTS_MAX];
    struct event_base *base;
    struct event *timer, *signals, *keys, *drain_timer, *progress, *turn;
    int64_t state_ns; /* when the engine's state began */
    char id[RUN_ID_MAX + 1];
    char exe_dir[PATH_MAX], state_dir[PATH_MAX];

    struct run_agent agents[PLAN_HOSTS_MAX];
    struct run_vantage vantages[RUN_VANTAGES_MAX];
    size_t n_vantages;
    struct run_live *live;
    struct run_ledger *ledgers; /* one for each vantage, in the scenario's order: run_ledger.c */
    struct run_ledger_group *ledger_groups; /* the scenario's */
    size_t n_ledgers, n_ledger_groups, ledgers_waiting;
    struct run_load *loads; /* of the scenario, in its order: run_load.c */
    size_t n_loads, loads_waiting;
    bool cut; /* somebody or something ended the trial before its time: nobody waits for long */
    size_t role_holder[PLAN_ROLES_MAX];
    int64_t role_asked_ns[PLAN_ROLES_MAX];
    struct run_command *commands;

    size_t pending; /* answers that the setup, or a drain, waits for */
    bool draining;
    bool failed;    /* setup or something of ours: why says what */
    bool unwritten; /* the journal could not be written: no line of it is tried again */
    struct err why;

    /* Events wait here while actions are performed. */
    struct run_event {
        struct event_copy {
            enum event_kind kind;
            int64_t t, at_ns;
            size_t index;
            uint64_t holders;
            bool ok, refused, has_text;
            char text[400];
        } e;
    } * queue;
    size_t queue_head, queue_n;
    bool started, busy, ended, aborted;
    struct actions *actions;

    /* For people. */
    struct {
        bool seen, good;
        int64_t fault_ns; /* of the fault after which it went bad */
        const char *fault;
    } shown[ENGINE_PROBES_MAX];
    int64_t fault_ns;    /* the newest fault of this trial was active; -1: not yet */
    const char *fault;   /* its step's name, or its kind */
    struct run_seen {    /* by injection of this trial */
        bool asked, off; /* its apply was asked for; it is known to be gone */
        bool counter;
        char item[24]; /* of its newest evidence: what, and how many */
        int64_t count;
    } seen[ENGINE_INJECTIONS_MAX];
    char *step_output[PLAN_STEPS_MAX];
    struct buf *tails; /* logs' ends before the first injection, one for each host and service */
    size_t n_tails;
};

/* run.c */
void run_post(struct run *r, enum event_kind kind, size_t index, bool ok, int64_t at_ns,
              const char *text);
void run_post_check(struct run *r, size_t step, bool ok, bool refused, const char *text);
void run_post_refused(struct run *r, size_t injection, const char *text); /* EVENT_PREPARED */
void run_post_role(struct run *r, size_t role, uint64_t holders, int64_t asked_ns);
int64_t run_now(const struct run *r);
/* Turns the loop until pending is 0; fails after `limit_s`, on r->failed and on an interrupt. */
int run_wait(struct run *r, int limit_s, const char *what, struct err *err) MUST_CHECK;
void run_break(struct run *r, const struct err *why);

/* run_signal.c */
int run_signal_open(struct err *err) MUST_CHECK;
int run_signal_fd(void);
unsigned run_signal_take(void); /* how many came since the last call */
bool run_signal_waiting(void *ctx);
void run_signal_close(void);

/* run_setup.c */
int run_setup(struct run *r, struct err *err) MUST_CHECK;
void run_teardown(struct run *r, struct err *err);

/* run_watch.c */
int run_watch_start(struct run *r, struct err *err) MUST_CHECK;
void run_watch_stop(struct run *r);
/* Whether the lab's own process is gone; breaks the run when it is seen for the first time. */
bool run_lab_ended(struct run *r);
/* Whether the host, or the whole lab, is gone; tells the engine when it is seen for the first time.
 */
bool run_host_ended(struct run *r, size_t host);

/* run_hold.c */
int run_hold_open(struct run *r, struct err *err) MUST_CHECK;
void run_hold_begin(struct run *r);
void run_hold_over(struct run *r, const char *by_whom);

/* run_agent.c */
int run_agents_start(struct run *r, struct err *err) MUST_CHECK;
void run_agents_stop(struct run *r);
int run_agent_open(struct run *r, size_t host, agentlink_done *hello, struct err *err) MUST_CHECK;
struct run_call *run_call_new(struct run *r, size_t index, const char *id);
/* Why a call failed; NULL when it went well. */
/* ERR_DIRTY when an agent's hello tells of what an earlier one left on the host. */
int run_agent_fit(const json_t *hello, struct err *err) MUST_CHECK;
const struct err *run_agent_failure(const json_t *result, const struct err *err);
/* A call that failed because the link did is told by `lost` alone. */
bool run_agent_link_failed(struct run *r, size_t host, const struct err *err);
/* What stays on the host for good, and what to do about it: part of its `host` line. */
void run_agent_keep_left(struct run_agent *a, const char *id, const char *what);
/* Who brought back what was ended, by a revert or replay; NULL: nobody had to. */
const char *run_agent_restored_by(const json_t *result);
void run_agent_prepare(struct run *r, size_t injection);
void run_agent_apply(struct run *r, size_t injection);
void run_agent_evidence(struct run *r, size_t injection);
void run_agent_revert(struct run *r, size_t injection);
void run_agent_renew(struct run *r, size_t host);

/* "dropped so far: n1 47, n2 24": all injections' newest evidence in one line. */
/* The evidence of all hosts so far, in one line; "" when there is none. */
void run_evidence_text(const struct run *r, char *ret, size_t size);

/* run_progress.c: on a terminal, once a second */
int run_progress_start(struct run *r, struct err *err) MUST_CHECK;
void run_progress_show(struct run *r);

/* run_clean.c */
void run_agent_baseline(struct run *r, size_t host);
void run_agent_clean(struct run *r, size_t host);

/* run_probe.c */
int run_probes_start(struct run *r, struct err *err) MUST_CHECK;
void run_probes_stop(struct run *r);
void run_probes_begin_trial(struct run *r, uint32_t trial);
void run_probes_drain(struct run *r);
void run_probes_ask(struct run *r, size_t role);
/* The hosts of a selector in the order of the lab, with their addresses; hosts[k] is the plan's
 * index of the k-th. 0 on failure. */
size_t run_endpoints(struct run *r, const struct selector *of, size_t *hosts,
                     struct prober_endpoint *ret, struct err *err);

/* run_ledger.c, run_ledger_read.c */
int run_ledgers_start(struct run *r, struct err *err) MUST_CHECK;
void run_ledgers_stop(struct run *r);
void run_ledgers_begin_trial(struct run *r, uint32_t trial);
/* The last part of a drain: no more writes, all is read back. Ends with EVENT_DRAINED. */
void run_ledgers_drain(struct run *r);

/* run_load.c */
int run_loads_start(struct run *r, struct err *err) MUST_CHECK;
void run_loads_stop(struct run *r);
void run_loads_begin_trial(struct run *r, uint32_t trial);
void run_loads_drain(struct run *r); /* nothing is asked any more; then the ledgers' turn */
/* A call about an injection of a step that changes a load. Steals params. */
void run_load_call(struct run *r, size_t injection, const char *method, json_t *params,
                   agentlink_done *done);

/* run_next.c: whether and when the next trial begins */
void run_next_ask(struct run *r);
int run_next_first(struct run *r, struct err *err) MUST_CHECK; /* waits for the first turn */
void run_next_last(struct run *r); /* waits with the lab's end until the other has had its turn */

/* run_step.c */
void run_step_command(struct run *r, size_t step);
void run_step_task(struct run *r, size_t step, size_t task);
void run_step_check(struct run *r, size_t step, size_t host);
void run_steps_stop(struct run *r);

/* run_record.c */
void run_record(struct run *r, const char *ev, json_t *members);
void run_record_at(struct run *r, int64_t t, const char *ev, json_t *members);
int run_record_start(struct run *r, struct err *err) MUST_CHECK;
/* Moves a step's output into the line; NULL or "(not UTF-8)" where there is none. */
void run_take_output(struct run *r, size_t step, json_t *members);
/* What a failed command said last, as far as it is text. */
void run_say_output(struct run *r, const char *output);
void run_record_action(struct run *r, const struct action *a);
void run_say(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void run_ask(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
void run_status(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* run_told.c: what a step asked, a runbook's commands, how far waves came */
void run_record_admission(struct run *r, const struct action *a);
void run_record_task(struct run *r, const struct action *a);
void run_record_rollout(struct run *r, const struct action *a);

/* run_logs.c */
void run_logs_before(struct run *r);
void run_logs_after(struct run *r);
void run_logs_collect(struct run *r);
void run_logs_free(struct run *r);

#endif
