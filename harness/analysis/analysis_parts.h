/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the analysis share, and nobody else but their tests: slots (samples reduced to
 * one answer a slot), the outages in them, and the judging of one trial.
 */
#ifndef BLACKSTART_ANALYSIS_PARTS_H
#define BLACKSTART_ANALYSIS_PARTS_H

#include "analysis/analysis.h"
#include "base/clock.h"
#include "base/histogram.h"

enum slot_state { SLOT_GOOD, SLOT_BAD, SLOT_GAP };

/* What a bad slot proves of the time at which the service was away. */
enum slot_proof {
    PROOF_SENT,   /* it was when it was asked: no answer, or a bad one */
    PROOF_WINDOW, /* at some instant between `lower` and `upper`: a counter grew by too little */
    PROOF_NONE    /* nothing: how much the counter grew is not known, or another had the role */
};

/* The system as its users see it, asked once. */
struct slot {
    int64_t due;
    int64_t lower; /* good: it was still up at this send; bad: it was still down at this one */
    int64_t upper; /* bad: it was down by the end of this send */
    int64_t done;  /* good: it was up by this completion; bad: the last answer came then, or, of
                      a slow one, that which a user would have waited for */
    uint32_t number;
    uint32_t missing; /* slots before this one of which the record has nothing */
    uint16_t result;  /* of the first endpoint that was bad */
    uint8_t state;    /* enum slot_state */
    uint8_t proof;    /* enum slot_proof; of a bad one */
    bool late;        /* sent more than a quarter of the interval after it was due */
    bool stalled;     /* bad, but sent more than an interval late: true, and useless as a bound */
    bool slow;        /* bad, but answered: too late */
};

/* Which endpoint has the role from when on. */
struct slot_role {
    int64_t from;
    uint32_t endpoint; /* SLOT_NO_ENDPOINT: not among the probe's hosts */
};
#define SLOT_NO_ENDPOINT UINT32_MAX

struct slot_rule {
    enum endpoints_rule rule;
    size_t n_endpoints;
    int64_t every;
    const struct slot_role *roles; /* ENDPOINTS_ROLE; in order of time */
    size_t n_roles;
};

/* One slot of its n samples, 1 or more, in order of endpoint; before: the slot before it, or
 * NULL. */
struct slot analysis_slot(const struct slot_rule *rule, const struct sample *samples, size_t n,
                          const struct slot *before);
/* Samples of one probe in one trial, in order of slot and endpoint; `ret` has room for n. Returns
 * the number of slots. */
size_t analysis_slots(const struct slot_rule *rule, const struct sample *samples, size_t n,
                      struct slot *ret);

/* Slots from `first` on. */
struct slot_range {
    const struct slot *slots;
    size_t n;
    int64_t every, stable_for;
    int64_t blur; /* by so much `lower` of each slot was set back: probe_rate_blur */
};

/*
 * The outage whose first bad slot is at or after *at: fills *ret (times as measured, nothing
 * clamped, no names), moves *at behind it. False when there is none. `before` is the instant at
 * which the range began, for an outage that no good slot precedes.
 */
bool analysis_outage_next(const struct slot_range *range, size_t *at, int64_t before,
                          struct analysis_outage *ret);

/* Scheduled slots due in [from, to): how many good, bad, not known (tail included: up to `to` or
 * `until`, whichever is first, there should have been slots). */
struct slot_count {
    uint32_t scheduled, good, bad, gaps, late;
};
struct slot_count analysis_slots_count(const struct slot_range *range, int64_t from, int64_t to,
                                       int64_t until);

/*
 * How long the service was away in [from, to]; the schedule ended at `until`. Between two bad slots
 * it was, next to one it may have been, and so it may where slots are missing; what no slot fell
 * into is not seen.
 *
 * Of a rate (expect.rate) a bad slot tells that it was too low at some instant a of [lower, upper],
 * the window behind the slot. In a run of bad slots without a gap the first instant is before the
 * first one's `upper`, the last one behind the last one's `lower`, so that between these two it was
 * away, as it is between two bad slots of any other probe: a stretch in which the rate was high
 * enough for a window and an interval would have held a good slot, and a shorter one is not told
 * from being away. The time at which the rate itself was too low, instant by instant, has no lower
 * bound but 0: a moment in each window turns all slots bad.
 */
struct span analysis_lost(const struct slot_range *range, int64_t from, int64_t to, int64_t until);
/* When a signal was first there, from the fault on; hi is SPAN_OPEN: not until lo. */
struct span analysis_signal(const struct slot_range *range, int64_t from);

/* One trial's making. */
struct analysis_maker {
    const struct scenario *s;
    const struct history *h;
    struct analysis *a;
    bool no_memory;
    bool failed; /* the samples could not be had: why */
    struct err why;
};

/* Text in the analysis' arena; never NULL. */
const char *analysis_text(struct analysis_maker *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
void *analysis_array(struct analysis_maker *m, size_t n, size_t size); /* NULL: no_memory is set */
/* "1.234 s", "56.7 ms" for people, in one of a few static-size buffers of the caller. */
const char *analysis_time(int64_t ns, char out[32]);

/* What steps asked, and the commands of runbooks: analysis_admissions.c. */
void analysis_admissions(struct analysis_maker *m, struct analysis_trial *t);
/* Was every step of it that asks refused, and nothing injected? */
bool analysis_spared(const struct analysis_trial *t);
/* Groups of injections that overlapped, and the proof of each; the admissions are known. */
void analysis_waves(struct analysis_maker *m, struct analysis_trial *t);
/* The waves of steps over their hosts; the probes have been looked at. */
void analysis_rollouts(struct analysis_maker *m, struct analysis_trial *t);
/* Bounds of the share of the probes' weight that was impacted. */
struct analysis_share {
    double lower, upper;
};
struct analysis_share analysis_blast(const struct analysis_trial *t);
/* Bounds of the full-outage seconds, of one probe or of all services by weight; over_ns as in a
 * target. probe: t->n_probes for all. */
struct probe_slots;
struct analysis_share analysis_outage_seconds(struct analysis_maker *m,
                                              const struct analysis_trial *t,
                                              const struct probe_slots *slots, size_t probe,
                                              int64_t over_ns);
/* Why the trial cannot be judged, or NULL. */
const char *analysis_invalid(struct analysis_maker *m, const struct analysis_trial *t);

/* One probe in one trial: slots, outages, availability, baseline. The slots stay with the caller
 * (free()). */
struct probe_slots {
    struct slot *slots;
    size_t n;            /* all of the trial */
    size_t first;        /* the first of the steady state */
    int64_t from, until; /* the fault command (or the steady state, in a dry trial); end of the
                            schedule */
    uint32_t bad_before; /* bad answers of the steady state that came before the command */
    struct probe_attempts {
        struct histogram lateness; /* of what was sent: how long after it was due */
        uint32_t late, gaps;
        int64_t first_ns, last_ns; /* sent */
    } attempts;
};
void analysis_probe(struct analysis_maker *m, struct analysis_trial *t, size_t index,
                    struct probe_slots *ret);
/* Where the journal tells of it; NULL: nowhere. */
const struct history_probe *analysis_history_probe(const struct history *h,
                                                   const struct scenario_probe *p);
const struct history_vantage *analysis_history_vantage(const struct history_trial *t,
                                                       const char *host);
const char *analysis_from(const struct scenario_probe *p);
/* All slots of a probe; of one endpoint alone when `only` is not -1. -1: m->why. */
int analysis_slots_read(struct analysis_maker *m, const struct history_trial *t, size_t index,
                        const struct slot_rule *rule, int64_t only, struct probe_slots *ret);
struct slot_range analysis_range(const struct analysis_maker *m, size_t index,
                                 const struct probe_slots *p);

/* ledger.c: the writes of all ledgers in one trial; its probes and waves have been looked at. */
void analysis_ledgers(struct analysis_maker *m, struct analysis_trial *t);
/* analysis_loads.c */
void analysis_loads(struct analysis_maker *m, struct analysis_trial *t);
const struct analysis_ledger *analysis_ledger_find(const struct analysis_trial *t,
                                                   const char *name); /* NULL: there is none */
/* Why nothing good may be said of it, or NULL. */
const char *analysis_ledger_doubt(struct analysis_maker *m, const struct analysis_trial *t,
                                  const struct analysis_ledger *l);

/* Probe x vantage x endpoint; and how the probers themselves fared. */
void analysis_matrix(struct analysis_maker *m, struct analysis_trial *t,
                     const struct probe_slots *slots);
void analysis_health(struct analysis_maker *m, struct analysis_trial *t,
                     const struct probe_slots *slots);
/* Why no trial with such a prober can be conclusive, or NULL. */
const char *analysis_stalled(struct analysis_maker *m, const struct analysis_trial *t);

void analysis_targets(struct analysis_maker *m, struct analysis_trial *t,
                      const struct probe_slots *slots);
/* When the scenario's faults would have been there, in a trial that has none: from the first fault
 * step's injection (behind what it asks) to the end of the last one's last wave. Of a scenario
 * without any, its steps; of one without steps under way, from the steady state to the end. */
struct analysis_wave analysis_planned(const struct analysis_maker *m,
                                      const struct analysis_trial *t);
/* Does an outage begin in steps that were planned, and recover by their end? */
bool analysis_in_planned(const struct analysis_maker *m, const struct analysis_trial *t,
                         const struct analysis_outage *o);
/* Does any step apply a fault? */
bool analysis_injects(const struct scenario *s);

/* analysis_symptoms.c: those of one trial, before its verdict. */
void analysis_symptoms(struct analysis_maker *m, struct analysis_trial *t,
                       const struct probe_slots *slots);
/* Of a trial with a fault: why it is invalid, or cannot be known to be valid; *ret_verdict says
 * which of both. NULL: every symptom is shown. */
const char *analysis_symptoms_lack(struct analysis_maker *m, const struct analysis_trial *t,
                                   enum verdict *ret_verdict);
/* The same of one without a fault, which must not look like the outage; of a run without any, which
 * is no reproduction. */
const char *analysis_symptoms_dry(struct analysis_maker *m, const struct analysis_trial *t,
                                  enum verdict *ret_verdict);
/* The trial counts for nothing: neither do they. */
void analysis_symptoms_drop(struct analysis_trial *t, const char *why);
/* Is it known that the trial shows all of them? */
bool analysis_symptoms_shown(const struct analysis_trial *t);
/* Over trials; which of them count is known. */
void analysis_symptoms_sum(struct analysis_maker *m);

/* analysis_summary.c: over trials; the trials are judged. */
void analysis_summaries(struct analysis_maker *m);
/* What follows from values, limit and side: the share proven, median and quantiles. lower and upper
 * have room for n figures. */
void analysis_summary_bounds(struct analysis_summary *s, double *lower, double *upper);
/* Of the middles of the values, in the order of trials. */
void analysis_summary_order(struct analysis_summary *s, const double *middles);
/* analysis_series.c: what the stated plan says, and the verdict and sentences that follow. */
void analysis_series(struct analysis_maker *m);
void analysis_sentences(struct analysis_maker *m);
void analysis_trial(struct analysis_maker *m, const struct history_trial *of,
                    struct analysis_trial *ret);
/* analysis_trial.c: when a trial was ended before its end, by an abort or a failed step, and all
 * was put back: what was seen from then on is not the system's own doing. SPAN_OPEN: it was not. */
int64_t analysis_cut_at(const struct history_trial *of);
const char *analysis_cut_why(struct analysis_maker *m, const struct history_trial *of);

#endif
