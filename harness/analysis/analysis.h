/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a run's history to its verdict: slots, outages with their bounds, recovery intervals,
 * targets. Pure: no clock, no I/O; the same journal always gives the same result. Reports format
 * what stands here and compute nothing. Times are nanoseconds since the run's start.
 */
#ifndef BLACKSTART_ANALYSIS_H
#define BLACKSTART_ANALYSIS_H

#include "analysis/timeline.h"
#include "analysis/verdict.h"
#include "journal/history.h"
#include "scenario/scenario.h"

#define SPAN_OPEN INT64_MAX

/* The truth lies in (lo, hi]; hi is SPAN_OPEN where the end was not seen. */
struct span {
    int64_t lo, hi;
};

/* One excursion of one probe: from its first bad slot to the start of the first streak of good
 * slots that lasted `stable_for`. */
struct analysis_outage {
    struct span onset, recovery;
    bool recovered;   /* false: right-censored, recovery.hi is SPAN_OPEN */
    bool gap_at_edge; /* the prober's own stall lies at onset or recovery */
    bool automatic;   /* false: a person or the run itself brought it back */
    bool planned;     /* it began behind the faults, in a planned step, and was over with it */
    bool under_fault; /* recovered before the removal of the faults was asked */
    uint32_t dips;    /* runs of bad slots in it; more than one is flapping */
    uint32_t bad_slots;
    int64_t
        first_recovery_ns; /* completion of the first good slot after the first dip; SPAN_OPEN */
    struct span bad_ns;    /* total time bad */
    uint16_t first_result; /* enum sample_result of its first bad slot: what a user saw */
    const char *faults; /* those active or just ended at the onset: "network.partition on n1, n2";
                           "" when none had been applied */
    int64_t wave;       /* index into trial.waves, or -1 */
};

/* One probe at one of its vantages: a probe with several has as many of these, alike in `name`. */
struct analysis_probe {
    const char *name, *from, *rule; /* rule in words: "good when any of n1, n2, n3 is" */
    const char *label;              /* for people: "write", or "write at n1" where it has several */
    size_t vantage, n_vantages;     /* which of its vantages this is */
    enum impact impact;             /* what the scenario expects */
    uint32_t weight;
    int64_t every_ns;
    uint32_t scheduled, good, bad, gaps, late; /* slots from the fault to the end of observation */
    bool impacted; /* at least one outage began after the fault command */
    bool enough;   /* data suffices to say that there was no impact */
    struct analysis_outage *outages;
    size_t n_outages;
    double availability_lo, availability_hi; /* from the fault to the end of observation */
    uint32_t baseline_n;
    int64_t baseline_p50_ns, baseline_p99_ns; /* latency of good slots before the fault; -1: none */
    int64_t missed_ns; /* the longest outage that would not have been seen; -1: nothing was */
    int64_t end_ns;    /* last slot sent */
    struct timeline timeline; /* from the steady state on */
    struct span lost; /* how long it was away, from the fault on: full-outage time; hi is SPAN_OPEN
                         when it did not recover */
    bool signal;      /* no service: the system's own signal, which has no outages */
    struct span detected; /* when the signal was first there; hi is SPAN_OPEN: never until lo */
};

/* One endpoint of a probe as one vantage saw it, from the fault to the end of observation. */
struct analysis_cell {
    size_t probe;     /* index into trial.probes: probe and vantage */
    const char *host; /* the endpoint */
    uint32_t scheduled, good, bad, gaps;
    double good_lo, good_hi; /* share of what was scheduled; NAN where nothing was */
    uint32_t outages;
    struct span bad_ns; /* in all of them together */
    uint16_t
        first_result;  /* enum sample_result of the first bad slot; SAMPLE_GOOD: there is none */
    double per_second; /* requests that it was sent, over the whole trial */
};

/* Where a prober stands. */
struct analysis_vantage {
    const char *host;
    const char *stands;         /* in words: "on n1, which network.partition hit" */
    size_t n_hit;               /* injections of this trial on that host */
    int64_t clock_lo, clock_hi; /* what is added to its times to have the coordinator's */
};

/* Probe x vantage x endpoint. Rows are trial.probes, in their order; a row's cells stand together
 * in the order of its endpoints. */
struct analysis_matrix {
    struct analysis_vantage *vantages; /* in the order of their first probe */
    size_t n_vantages;
    const char **endpoints; /* hosts that are an endpoint of any probe: the columns */
    size_t n_endpoints;
    struct analysis_cell *cells;
    size_t n_cells;
    const char *
        *disagreements; /* sentences: "n1 saw write down for 7.8 s to 8.0 s, client did not" */
    size_t n_disagreements;
};

/* What a service counted itself at one endpoint of one probe, and how much of it was the probe. */
struct analysis_served {
    const char *probe, *host;
    int64_t own, grown; /* requests; -1: not known */
    double share;       /* of own among them; NAN: not known */
    double known;       /* the share of the trial in which it told, 0 to 1 */
    double at_most;     /* the scenario's bound */
    const char *why;    /* why it is not known; else "" */
};

/* How well one prober kept its schedule in one trial. Shares are NAN and times -1 where the journal
 * does not tell. */
struct analysis_health {
    const char *vantage;
    uint32_t sent, late, gaps;                     /* attempts; late: by over a quarter interval */
    int64_t late_p50_ns, late_p99_ns, late_max_ns; /* sent after it was due */
    double cpu_share;                              /* its own, of one processor */
    double per_second;                             /* requests that it sent, to all endpoints */
    double steal_share, pressure_share;            /* of its machine, over the trial */
    double load_begin, load_end;
    int64_t null_n, null_late;                     /* answers of its own null server */
    int64_t null_p50_ns, null_p99_ns, null_max_ns; /* from when they were due */
    struct analysis_served *served;                /* of its probes that ask; in their order */
    size_t n_served;
    bool suspect;    /* times are wider, and latencies greater, than the system's alone */
    const char *why; /* when it is; else "" */
};

/* Injections of one group, or of several that overlapped in time: what an outage is measured from.
 */
struct analysis_wave {
    const char *faults; /* "network.partition on n1, n2" */
    size_t n_groups;
    struct span injected; /* command sent .. all verified active */
    struct span undone;   /* revert asked .. all verified gone; both HISTORY_UNKNOWN if never */
    int64_t over_ns; /* all gone; of what is done in a moment: done. HISTORY_UNKNOWN if never */
    bool proven;
    const char *why;                /* when it is not proven */
    uint32_t phases, phases_proven; /* of a fault that came and went; else 0 */
    bool refused; /* no group at all: the only wave of a trial of which every step was refused.
                     `injected` is the moment of the first refusal, from which targets count. */
};

/* What a step asked before it went out, and what came of it. */
struct analysis_admission {
    int64_t step;
    const char *fault;
    const char *as;                /* the identity; "" where it has none */
    const char *approver;          /* "" where nobody is asked */
    const char *outcome;           /* executed, refused, or unfinished: the trial ended before */
    const char *by;                /* refused: check, approval or host; "" */
    const char *host;              /* of the check, or that refused; "" */
    const char *why;               /* of the refusal, or of an approval that came by silence; "" */
    bool partly;                   /* refused, but an earlier wave or phase had been executed */
    int64_t check_ns, checked_ns;  /* when the check began, and passed; HISTORY_UNKNOWN */
    int64_t asked_ns, answered_ns; /* the approval */
    int64_t at_ns;                 /* of the outcome; HISTORY_UNKNOWN */
    const char *sentence; /* "executed after approval by senior (waited 30.000 s; a model)" */
};

/* One command of a runbook. Times are HISTORY_UNKNOWN where it did not come so far. */
struct analysis_task {
    int64_t step, number; /* from 1 */
    const char *name, *hosts;
    const char *state;                  /* begin, typed, end, failed */
    int64_t begin_ns, typed_ns, end_ns; /* the person begins; types; the command has ended */
    const char *why;                    /* why it failed; "" */
};

/* A step's waves over its hosts: how far it came, and what that did to the users. */
struct analysis_rollout {
    int64_t step;
    const char *fault;
    const char *state; /* done, stopped, healed, ended; "wave": the journal ends in it */
    const char *why;   /* "" where nothing held it up */
    int64_t wave, waves;
    const json_t *reached, *spared;  /* hosts */
    double reach;                    /* share of the hosts that were reached */
    double blast_lower, blast_upper; /* share of the probes' weight that was impacted */
};

struct analysis_injection {
    const struct history_injection *of;
    const struct history_evidence *evidence; /* the reading that decided; NULL: none counts */
    uint32_t trial;
    uint32_t place; /* in its group: one of the same place in each phase is the same */
    bool proven;
    const char *why; /* when it is not */
};

/* A write that is not as it should be. DIVIDED: acknowledged, there in one view and absent in
 * another. */
enum write_fate { FATE_LOST, FATE_DIVIDED, FATE_PHANTOM, FATE_DUPLICATE };
const char *write_fate_word(enum write_fate f);

struct analysis_write {
    uint64_t id;
    enum write_fate fate;
    int64_t sent_ns, done_ns; /* it was acknowledged, or refused, in between */
    uint32_t times;           /* DUPLICATE: how often it is there */
    const char *why;          /* PHANTOM: how it was refused; else "" */
};

/* One way of reading back: a host by itself, or as a client. */
struct analysis_view {
    const char *vantage, *name;
    bool read;                                      /* there is a full read in the last round */
    const char *why;                                /* why not, or "" */
    uint32_t present, absent, phantoms, duplicates; /* absent: of the acknowledged ones */
};

/* The writes of one ledger in one trial. */
struct analysis_ledger {
    const char *name, *kind, *from;
    int64_t every_ns;
    uint32_t written, acknowledged, refused, unknown, gaps;
    uint32_t lost_lower, lost_upper; /* absent from every view; from any */
    uint32_t phantoms, duplicates;   /* in any view */
    uint32_t unknown_present;        /* unknown ones that are there; either is right */
    uint32_t strange;                /* ids that are there and were never written down */
    struct span risk;                /* the window; SPAN_OPEN: to the end */
    uint32_t at_risk;                /* acknowledged inside of it, or gone: "none of n" */
    bool known;                      /* the reads suffice: two full ones, all views, the same */
    bool torn;                       /* its file's last line was: something may be missing */
    bool agree;                      /* and all views show the same */
    uint32_t rounds;
    const char *why;                        /* what is missing, when not known; else "" */
    const char *sentence;                   /* "none of 812 acknowledged writes at risk was lost" */
    int64_t oldest_lost_ns, newest_lost_ns; /* their acknowledgements; -1: none lost */
    struct span loss_ns;                    /* the time whose writes are lost; 0..0: none */
    struct analysis_view *views;
    size_t n_views;
    struct analysis_write *writes; /* those with a fate, in order of id */
    size_t n_writes;
};

/* What a load counted in some span; what is not known is -1. */
enum { ANALYSIS_LOAD_FAILURES = LOAD_OUTCOMES - LOAD_REFUSED };
struct analysis_load_counts {
    int64_t length_ns;
    int64_t ok, failed; /* operations; failed: given up */
    int64_t attempts, not_sent;
    int64_t failures[ANALYSIS_LOAD_FAILURES]; /* of attempts, in the order of load_failure_words */
    int64_t p50_ns, p99_ns, most_ns;          /* of what was ok */
    int64_t late_ns, cpu_ns; /* its own: the latest attempt, its time on a processor */
};
double analysis_load_rate(const struct analysis_load_counts *c);   /* ok a second; NAN */
double analysis_load_effort(const struct analysis_load_counts *c); /* attempts per ok; NAN */
double analysis_load_cpu(const struct analysis_load_counts *c);    /* of one processor; NAN */

/* From the trial's start to the first fault, to the end of the last, to the trial's end. */
enum load_phase { LOAD_BEFORE, LOAD_DURING, LOAD_AFTER, LOAD_PHASES };
const char *load_phase_word(enum load_phase p);

struct analysis_load_second {
    int64_t from_ns, to_ns;
    int64_t in_flight; /* at its end */
    struct analysis_load_counts counts;
};

/* One load in one trial. */
struct analysis_load {
    const char *name, *kind, *from;
    const char *model; /* a sentence */
    struct analysis_load_counts phases[LOAD_PHASES];
    struct analysis_load_second *seconds; /* in their order */
    size_t n_seconds;
};

enum analysis_unit { UNIT_SECONDS, UNIT_SHARE, UNIT_COUNT };
enum analysis_side { AT_MOST, AT_LEAST }; /* of the limit is good */

/* measure, of, from and detail together say what was measured, from run to run. */
struct analysis_target {
    const char *measure; /* of targets.def, or "impact" */
    const char *of;      /* the probe's label, or the ledger; "" for the whole system */
    const char *vantage; /* of a probe with several; else "" */
    const char *from;    /* recovery_time: "fault", "impact", "heal"; else "" */
    const char *detail;  /* what else was asked for: "over 20s"; "" */
    enum analysis_unit unit;
    enum analysis_side side;
    double limit, lower, upper; /* upper is INFINITY when open; impact has no figures (NAN) */
    enum verdict verdict;
    const char *why; /* names the bound that decided */
    uint32_t trial;  /* whose figures these are */
    bool automatic;
};

/* In order of weight: a run's is its worst. */
enum symptom_state {
    SYMPTOM_NOT_JUDGED, /* the trial has another reason to count for nothing */
    SYMPTOM_SHOWN,
    SYMPTOM_NOT_DECIDED, /* the interval leaves it open */
    SYMPTOM_NOT_SHOWN
};
const char *symptom_word(enum symptom_state s); /* "not shown" */

/* What the outage showed that is reproduced: by one target, which must be met, or missed. */
struct analysis_symptom {
    const char *shows; /* as the scenario says it */
    bool missed;       /* the target must be */
    enum symptom_state state;
    const char *why;
    struct analysis_target target; /* as it was judged: of several vantages the one that decided */
    uint32_t trial;
};

/* What the trials say together of one symptom. */
struct analysis_shown {
    const char *shows;
    uint32_t n, shown, not_shown, undecided; /* trials with a fault; n is the sum of the others */
    uint32_t left_out;                       /* that count for nothing, for another reason */
    bool dry_known;                          /* there was a fault-free trial, or the run was one */
    enum symptom_state dry;                  /* in it */
    const char *sentence; /* "..." was shown in 4 of 5 trials; "" for fewer than two */
};

/* One trial's figure of a target: the truth lies in [lower, upper]. */
struct analysis_figure {
    uint32_t trial;
    double lower, upper;  /* INFINITY: open */
    enum verdict verdict; /* pass, fail, inconclusive */
    bool censored;        /* what was waited for did not come while it was looked at */
};

struct analysis_left_out {
    uint32_t trial;
    const char *why;
};

/* With 95 % confidence at least `percent` of runs are at `bound` or on its good side. */
struct analysis_quantile {
    unsigned percent;
    uint32_t needs; /* the fewest trials that give one */
    bool known;
    double bound; /* of what is good when small an upper one, else a lower one; may be INFINITY */
};
enum { ANALYSIS_QUANTILES = 4 };

/* What the trials say together of one target of the scenario. Where n proves nothing, was not fixed
 * before (a plan, a stop), or the series is invalid, nothing is known. Lower bounds come from the
 * figures' lower ends, upper ones from their upper ends. */
struct analysis_summary {
    const char *measure, *of, *from, *detail; /* as the target's */
    enum analysis_unit unit;
    enum analysis_side side;
    double limit;
    struct analysis_figure *values; /* in the order of trials */
    size_t n;
    uint32_t passes, misses, undecided; /* n together; what did not pass counts against the claim */
    uint32_t censored;                  /* of misses and undecided */
    struct analysis_left_out *left_out;
    size_t n_left_out;
    double share_proven; /* at least this share of runs passes, with 95 % confidence */
    bool median_known;
    uint32_t median_needs;
    double median_lower, median_upper;
    struct analysis_quantile quantiles[ANALYSIS_QUANTILES];
    bool order_known;     /* there are enough trials to look at their order */
    double lag1;          /* autocorrelation of the ranks of successive trials */
    double trend;         /* Kendall's tau of figure and order: 1 is ever larger */
    double trend_p;       /* how often no trend would look like this one, or more so */
    bool order_shown;     /* trials were not alike, or not independent */
    const char *order;    /* a sentence on both, "" when not known */
    const char *sentence; /* what n trials prove, "" for fewer than two */
};

/* Of all trials together, by the plan that was stated before (history.plan). */
enum analysis_decision {
    DECISION_NO_PLAN,
    DECISION_OPEN,   /* more trials are needed */
    DECISION_ACCEPT, /* as good as the plan asks */
    DECISION_REJECT,
    DECISION_CANNOT /* too many trials, or too many that count for neither side */
};
struct analysis_series {
    bool invalid; /* the fault-free trial showed impact */
    enum analysis_decision decision;
    uint32_t passes, misses, undecided; /* of whole trials: every target was met, or one missed */
    uint32_t trial;                     /* after which it was decided */
    const char *why;                    /* a sentence; "" without a plan */
};

struct analysis_trial {
    uint32_t trial;
    bool fault_free;
    bool stopped; /* from outside, while it was under way: it says nothing of the system */
    enum verdict verdict;
    const char *why; /* of the verdict, one sentence */
    const struct history_trial *of;
    int64_t start_ns, end_ns;
    struct analysis_wave *waves;
    size_t n_waves;
    struct analysis_rollout *rollouts;
    size_t n_rollouts;
    struct analysis_admission *admissions; /* of steps that ask, in the order of asking */
    size_t n_admissions;
    struct analysis_task *tasks; /* in the order of time */
    size_t n_tasks;
    struct analysis_injection *injections;
    size_t n_injections;
    double outage_lower, outage_upper; /* full-outage seconds of all services, by weight */
    struct analysis_probe *probes;     /* in the scenario's order */
    size_t n_probes;
    struct analysis_ledger *ledgers; /* in the scenario's order */
    size_t n_ledgers;
    struct analysis_load *loads; /* in the scenario's order */
    size_t n_loads;
    struct analysis_matrix matrix;
    struct analysis_health *health; /* one for each vantage */
    size_t n_health;
    struct analysis_target
        *targets; /* the scenario's, then one `impact` per probe that states one */
    size_t n_targets;
    struct analysis_symptom *symptoms; /* in the scenario's order */
    size_t n_symptoms;
};

struct analysis_host {
    const char *name;
    bool clean, known; /* unknown is not clean once something was injected there */
    const json_t *differences, *left;
    const json_t *listed; /* what others wrote there meanwhile; not judged */
};

struct analysis {
    struct arena arena;
    enum verdict verdict;
    const char *why;
    bool dirty;
    bool stopped;     /* from outside: history_stopped */
    uint32_t n_ended; /* trials with a fault that this did not cut */
    int exit_status;
    struct analysis_target *targets; /* each from the trial that decided */
    size_t n_targets;
    struct analysis_symptom *symptoms; /* each from the trial that decided */
    size_t n_symptoms;
    struct analysis_shown *shown; /* one per symptom, in its order */
    struct analysis_trial *trials;
    size_t n_trials;
    struct analysis_injection *injections; /* of all trials */
    size_t n_injections;
    struct analysis_host *hosts;
    size_t n_hosts;
    struct analysis_summary *summaries; /* one per target of the scenario, in its order */
    size_t n_summaries;
    struct analysis_series series;
    const char **sentences; /* the symptoms', the summaries', and the plan's; none for a single
                               trial */
    size_t n_sentences;
    const char **notes; /* rules used and what a reader must know: torn journal, late probes */
    size_t n_notes;
};

/* Nothing was learnt from a run that was stopped before any trial with a fault had ended. */
static inline bool analysis_says_nothing(const struct analysis *a)
{
    return a->stopped && a->n_ended == 0;
}

/* Scenario and history are borrowed and must outlive the result. */
int analysis_make(const struct scenario *s, const struct history *h, struct analysis **ret,
                  struct err *err) MUST_CHECK;
void analysis_free(struct analysis *a); /* NULL is allowed */
void analysis_free_at(struct analysis **a);
#define CLEANUP_ANALYSIS __attribute__((cleanup(analysis_free_at)))

#endif
