/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two builds of one system, each measured in some trials: is the second slower? Rank statistics on
 * the middles of the trials' intervals, so that nothing is assumed of how figures are distributed;
 * a censored figure is larger than all others. Pure: figures are copied out of analyses, which may
 * be freed.
 */
#ifndef BLACKSTART_COMPARE_H
#define BLACKSTART_COMPARE_H

#include "analysis/analysis.h"
#include "analysis/ranks.h"

enum {
    COMPARE_TRIALS_MIN = 4,    /* fewer cannot show any difference with 95 % confidence */
    COMPARE_TRIALS_MAX = 1000, /* of a side */
    COMPARE_TARGETS_MAX = 64
};
enum compare_side { COMPARE_A, COMPARE_B };

enum compare_word { COMPARE_CANNOT, COMPARE_SAME, COMPARE_BETTER, COMPARE_WORSE };

struct compare_figures {
    double lower[COMPARE_TRIALS_MAX], upper[COMPARE_TRIALS_MAX];
    size_t n;
    uint32_t left_out, censored;
};

struct compare_target {
    const char *measure, *of, *from, *detail;
    enum analysis_unit unit;
    enum analysis_side side;
    struct compare_figures *figures[2];
    struct ranks_u test, beyond;     /* B against A; against A and the margin */
    double p, p_beyond;              /* after Holm's correction over all that is judged at once */
    double shift;                    /* Hodges-Lehmann, B - A; NAN: censored trials hide it */
    double shift_lower, shift_upper; /* with 95 % confidence, of this target alone; may be open */
    double seen; /* a shift so large would be seen in four of five comparisons; NAN: unknown */
    enum compare_word word;
    bool beyond_margin; /* worse by more than the margin */
    const char *why;    /* why it cannot be told, "" else */
};

struct compare {
    struct arena arena;
    double margin;        /* of times, in seconds */
    const char *names[2]; /* "A" and "B", or what the caller puts here and keeps */
    size_t family;        /* tests that the p's are corrected for */
    size_t runs[2];
    size_t left_out[2]; /* runs that were stopped before any trial with a fault had ended */
    bool invalid[2];    /* one of its series is */
    bool planned[2];    /* one of its series stopped by a plan, at what it had seen */
    bool stopped[2];    /* or was stopped, by somebody who may have seen it */
    struct compare_target targets[COMPARE_TARGETS_MAX];
    size_t n_targets;
    int exit_status; /* 0 not slower, 1 slower by more than the margin, 3 cannot tell */
};

int compare_new(double margin, struct compare **ret, struct err *err) MUST_CHECK;
void compare_free_at(struct compare **c);
#define CLEANUP_COMPARE __attribute__((cleanup(compare_free_at)))

/* Adds a run's figures to a side, or counts it as left out. */
int compare_add(struct compare *c, enum compare_side side, const struct analysis *a,
                struct err *err) MUST_CHECK;
/* Once all are added. */
int compare_judge(struct compare *c, struct err *err) MUST_CHECK;
/* Several at once, whose targets are corrected for together. */
int compare_judge_all(struct compare *const *list, size_t n, struct err *err) MUST_CHECK;

#endif
