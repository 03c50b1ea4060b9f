/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kinds of target share. A kind is a line in scenario/targets.def and one file,
 * analysis_target_NAME.c, which exports its judging and nothing else; analysis_targets.c has the
 * table and asks them. Only these files and their tests use this.
 */
#ifndef BLACKSTART_ANALYSIS_TARGET_H
#define BLACKSTART_ANALYSIS_TARGET_H

#include "analysis/analysis_parts.h"

/* One target of the scenario in one trial. */
struct target_case {
    const struct analysis_trial *t;
    const struct probe_slots *slots; /* of each probe, as t->probes */
    const struct scenario_target *of;
    size_t probe; /* index into both; only of a kind that has one */
};

/*
 * How one kind is judged. What is handed in is filled: measure, of, limit, lower 0, upper `most`,
 * verdict not judged. All functions are pure.
 */
struct target_judging {
    bool whole;  /* of the whole system: it has no probe */
    double most; /* of the figure: 1, INFINITY */
    double (*limit)(const struct scenario_target *of);
    /* NULL: "". They live as long as the scenario or the analysis. */
    const char *(*from)(const struct scenario_target *of);
    const char *(*detail)(struct analysis_maker *m, const struct scenario_target *of);
    /* Bounds, verdict, reason: a fault was injected in t->waves[0], whose bracket is known. */
    void (*judge)(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret);
    /* In a trial without a fault: only the bounds of the same measure. */
    void (*show)(struct analysis_maker *m, const struct target_case *c,
                 struct analysis_target *ret);
    /* Why there is nothing of it to be seen in a trial without a fault; NULL, or to return NULL:
     * there is. */
    const char *(*nothing)(const struct scenario_target *of);
};

#define TARGET(word, name, unit, side, doc) extern const struct target_judging target_##name;
#include "scenario/targets.def"
#undef TARGET

/* One target in one trial. In t->waves may stand what was planned, where nothing was injected. */
void target_judge(struct analysis_maker *m, const struct analysis_trial *t,
                  const struct probe_slots *slots, const struct scenario_target *of,
                  struct analysis_target *ret);
const struct target_judging *target_judging_of(enum target_kind kind);

double target_seconds(int64_t ns); /* SPAN_OPEN: INFINITY */
/* hi - lo, at least 0; an open end stays open. */
int64_t target_minus(int64_t hi, int64_t lo);

/*
 * The time that counts, by `over` or `during`, as the fault's brackets leave it open: two windows,
 * whose figures both hold. The wider first: while there may have been a fault, or while there was
 * one. False when it never came, since a fault was not seen to be removed.
 */
struct target_window {
    int64_t from, to; /* SPAN_OPEN: to the end of observation */
};
bool target_windows(const struct target_case *c, struct target_window ret[2]);
extern const char target_never_removed[];
/* "over 20s", "during the fault", "during recovery"; "". */
const char *target_window_text(struct analysis_maker *m, const struct scenario_target *of);

/* What the trial did not live to show is not known: a target that seems met may still have been
 * missed, while one that is missed stays so. `so_far` is the end of the reason. */
void target_cut_short(struct analysis_maker *m, const struct analysis_trial *t, const char *so_far,
                      struct analysis_target *ret);
/* Of a vantage that saw no impact: must it have? What is expected must be felt at one vantage at
 * least; another may stand where it is not. */
bool target_expects_impact(const struct analysis_trial *t, const struct analysis_probe *p);
/* Of what is counted over a window that begins at the fault (0: up to the end of observation): is
 * any of it behind the cut? */
bool target_is_cut(const struct analysis_trial *t, int64_t over_ns);

#endif
