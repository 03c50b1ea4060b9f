/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much is asked of a service, and what becomes of an attempt that failed: plain numbers, one
 * table for the wire, the journal and the checks. Pure.
 */
#ifndef BLACKSTART_LOAD_SHAPE_H
#define BLACKSTART_LOAD_SHAPE_H

#include "base/fault.h"
#include "base/param.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LOAD_USERS_MAX = 2000, /* at the same time, of either model */
    LOAD_RATE_MAX = 20000,
    LOAD_RETRIES_MAX = 1000,
    LOAD_PORT = 9180 /* where its counters are served, when the scenario says nothing */
};

/* What became of an attempt. */
enum load_outcome {
    LOAD_OK,
    LOAD_REFUSED,  /* no connection came about, or it broke */
    LOAD_TIMEOUT,  /* no answer in time */
    LOAD_ERROR,    /* the service answered that it cannot: 429, 5xx; an error of redis */
    LOAD_CONFLICT, /* somebody else was faster: 409, 412; a transaction that was not done */
    LOAD_OTHER,    /* any other answer than the one that is a success */
    LOAD_OUTCOMES
};
const char *load_outcome_word(enum load_outcome o); /* "ok", "refused", "5xx" ... */
extern const char *const load_failure_words[];      /* from LOAD_REFUSED on; NULL at the end */

/* What is tried again when nothing is said: all but LOAD_OTHER. */
enum {
    LOAD_ON_DEFAULT = 1 << LOAD_REFUSED | 1 << LOAD_TIMEOUT | 1 << LOAD_ERROR | 1 << LOAD_CONFLICT
};

enum { LOAD_CLOSED, LOAD_OPEN };
extern const char *const load_model_words[];
enum { LOAD_POISSON, LOAD_EVEN };
extern const char *const load_arrival_words[];
enum { LOAD_JITTER_FULL, LOAD_JITTER_NONE };
extern const char *const load_jitter_words[];

struct load_retry {
    int64_t limit;           /* attempts beyond the first */
    struct duration backoff; /* before the second attempt */
    int64_t factor;          /* each further wait is so many times as long */
    struct duration at_most;
    int jitter;
    int64_t on; /* bit o: enum load_outcome o is tried again */
};

struct load_shape {
    int model;
    int64_t users;         /* closed */
    struct duration think; /* closed */
    int64_t rate;          /* open: operations a second */
    int arrivals;          /* open */
    int64_t in_flight;     /* open: operations under way, at most; others are not sent */
    struct duration timeout;
    struct load_retry retry;
};
extern const struct param load_shape_params[];
extern const size_t load_n_shape_params;

/* "20 users, each about 100ms after its last answer" into out; returns out. */
const char *load_shape_print_model(const struct load_shape *s, char *out, size_t size);
/* The same with time-out and retries. */
const char *load_shape_text(const struct load_shape *s, char *out, size_t size);

/* What a change does, as a row of the fault contract: the plan and the analysis treat it as they do
 * any harm; its calls are answered by the load's process. Its args are a struct load_shape. */
extern const struct fault load_change;

#endif
