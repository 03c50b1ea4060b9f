/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run in five figures, so that runs of several systems can stand in one table: how long until it
 * was back, how long it was away, writes lost, availability, blast radius. Each is an interval in
 * which the truth of every trial that counts lies. The first, second and fourth are of one service:
 * the probe of the scenario's first recovery_time, without one of its first target that names a
 * probe. Pure.
 */
#ifndef BLACKSTART_OVERVIEW_H
#define BLACKSTART_OVERVIEW_H

#include "analysis/analysis.h"

enum overview_what {
    /* The scenario's first recovery_time; without one, from the fault to the end of the service's
       last outage that was not planned. */
    OVERVIEW_RECOVERY,
    OVERVIEW_OUTAGE, /* full-outage time of the service */
    OVERVIEW_LOST,   /* acknowledged writes that are lost, of all ledgers */
    /* The service's first availability; without one, from the fault to the end; without a service,
       the least of all. */
    OVERVIEW_AVAILABILITY,
    OVERVIEW_BLAST, /* share of the services, by weight, that was impacted */
    OVERVIEW_N
};

struct overview_figure {
    const struct analysis_target *of; /* the target whose figure it is; NULL: of none */
    bool of_service;                  /* of the service, and of no target */
    enum analysis_unit unit;
    uint32_t n;          /* trials that have it; 0: lower and upper say nothing */
    double lower, upper; /* least lower and greatest upper end; INFINITY: open */
};

struct overview {
    struct overview_figure figures[OVERVIEW_N];
    uint32_t trials;      /* with faults, less one that was stopped */
    int64_t longest_ns;   /* the longest of them, from its begin to its end; 0: none */
    uint32_t stopped;     /* runs that were stopped before their end */
    enum verdict verdict; /* the run's; of one that was stopped, of what had ended */
    uint32_t verdicts[VERDICT_FAIL + 1]; /* so many of them had this one */
    uint32_t by_hand;                    /* so many did not recover by themselves */
    const char *service;                 /* the probe's label; "": no target names one */
};

const char *overview_word(enum overview_what w); /* "recovery", ... */

/* `like`: take the same service and targets as this one has, and none where there is no such; NULL:
 * the first of each kind. What ret points to lives in the analysis. */
void overview_make(const struct analysis *a, const struct overview *like, struct overview *ret);

/* Another run of the same joins this one. */
void overview_join(struct overview *o, const struct overview *with);

bool overview_as_expected(enum verdict v, enum variant_expect e);
/* 0 as expected, 1 not; 3 and 4 as verdict_exit. */
int overview_exit(enum verdict v, bool dirty, enum variant_expect e);

#endif
