/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One target over the runs of a scenario: what `blackstart trend`, the line at a run's end and the
 * reports draw. Pure; made from earlier runs as store or journal list them, and from this run. It
 * compares and judges nothing anew: every figure is the one that its run was judged by.
 */
#ifndef BLACKSTART_TREND_H
#define BLACKSTART_TREND_H

#include "analysis/analysis.h"
#include "base/buf.h"
#include "journal/earlier.h"

/* What is another than at the point before. */
enum trend_change {
    TREND_SCENARIO = 1, /* the scenario's text */
    TREND_SETUP = 2,    /* not the text, but its lab's file or a variable */
    TREND_VERSION = 4,  /* of Blackstart */
    TREND_PACKAGES = 8  /* other versions of the services' packages */
};

struct trend_point {
    const char *run, *wall, *version, *verdict; /* verdict: of this target */
    double limit, lower, upper;                 /* as of struct earlier_target */
    int64_t trials;
    unsigned changes;
    bool same;    /* the same experiment as the last point */
    bool stopped; /* before its end; of what had ended is the figure, NAN where nothing had */
};

/* The oldest first; only runs that have this target. */
struct trend {
    const char *measure, *of, *from, *unit, *detail;
    bool at_least; /* of the limit is good */
    struct trend_point *points;
    size_t n;
    bool this_run;                 /* the last point is the run that asks */
    size_t n_same;                 /* earlier points of the same experiment that have a figure */
    double same_lower, same_upper; /* over those */
    int64_t left_out; /* earlier runs that were stopped before any trial with a fault had ended */
};

/* Texts are borrowed. */
void trend_target_of(const struct analysis_target *t, struct earlier_target *ret);

/* What an analysis found, in the form in which later runs see it; texts are borrowed from h and a.
 */
int trend_run_of(const struct history *h, const struct analysis *a, struct arena *arena,
                 struct earlier_run *ret, struct err *err) MUST_CHECK;

/* Over `runs`, the oldest first, and `now` behind them (NULL: none); all is borrowed. */
int trend_make(const struct earlier_run *runs, size_t n, const struct earlier_run *now,
               const struct earlier_target *target, struct arena *arena, struct trend *ret,
               struct err *err) MUST_CHECK;

/* The same over the runs that the journal lists and this one, for the k-th target of the analysis;
 * TREND_MAIN: the one that trend_main_target chooses. Nothing (n is 0) where there is no such
 * target, and for a run without faults. */
#define TREND_MAIN SIZE_MAX
int trend_of_run(const struct history *h, const struct analysis *a, size_t k, struct arena *arena,
                 struct trend *ret, struct err *err) MUST_CHECK;

/* The target that people look at first: the first recovery time, else the first with a figure, else
 * the first; NULL when there is none. */
const struct earlier_target *trend_main_target(const struct earlier_run *run);

/* The one that the run's verdict is from: the first that is as bad; of a pass, the main one. */
const struct earlier_target *trend_deciding_target(const struct earlier_run *run);

/* "recovery_time of write from fault" */
void trend_print_name(const struct earlier_target *t, struct buf *out);
/* "3.100 s", "99.500 %", "open", "-" */
void trend_print_figure(const char *unit, double value, struct buf *out);
/* "earlier: 12 runs, recovery_time of write from fault 3.100 s .. 4.900 s; this one 4.190 s ..
 * 4.260 s"; nothing when no earlier run is the same experiment. How many were left out is told.
 * Without a newline. */
void trend_print_comparison(const struct trend *t, struct buf *out);

#endif
