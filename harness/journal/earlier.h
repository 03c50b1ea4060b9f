/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Earlier runs of the same scenario, as a run's journal lists them (event `history`): what a report
 * compares a run with, so that it can be made again without the store. The store gives the list
 * when a run begins; nothing in it bears on the run's own verdict. Knows JSON, and neither store
 * nor analysis.
 */
#ifndef BLACKSTART_EARLIER_H
#define BLACKSTART_EARLIER_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EARLIER_MAX = 50, EARLIER_TARGETS_MAX = 64, EARLIER_SETUP_TEXT = 65 };

/* As it was judged then, in the trial that decided. */
struct earlier_target {
    const char *measure, *of, *from; /* as of struct analysis_target; "" where there is none */
    const char *unit;                /* "s" or "share" */
    double limit, lower, upper;      /* upper INFINITY: open; NAN where there is no figure */
    const char *verdict;
    const char *detail; /* "over 20s"; "" */
    bool at_least;      /* of the limit is good; otherwise at most */
};

struct earlier_run {
    const char *run, *wall, *version, *verdict;
    const char *sha256; /* of the scenario's text */
    const char *setup;  /* of text, lab's own file and variables: equal means the same experiment */
    const char *packages; /* names their versions in its lab; "": none, or not known */
    int64_t trials;       /* with faults; not one that a stop cut */
    struct earlier_target *targets;
    size_t n_targets;
    bool stopped; /* before its end, by a person: history_stopped */
};

/* The oldest first. */
struct earlier {
    bool known;        /* false: the store could not be asked, or an older version made the run */
    const char *setup; /* of the run that has the list */
    struct earlier_run *runs; /* with faults, of the same scenario's name */
    size_t n;
    int64_t older; /* that are not listed */
    /* Nor are these, of the same setup and as new as those that are: stopped before any trial with
     * a fault had ended, so that nothing was learnt from them. */
    int64_t stopped;
};

/* What makes two runs the same experiment, as hex; `other` and `vars`, an object
 * of texts, may be NULL. */
int earlier_setup(const char *sha256, const char *other, size_t other_len, const json_t *vars,
                  char ret[EARLIER_SETUP_TEXT], struct err *err) MUST_CHECK;

/* The event's members; the caller decrefs. NULL when memory is out. */
json_t *earlier_to_json(const struct earlier *e);

/* The other way round; texts point into `members`, arrays into the arena. */
int earlier_from_json(const json_t *members, struct arena *arena, struct earlier *ret,
                      struct err *err) MUST_CHECK;

#endif
