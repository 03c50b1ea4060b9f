/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who asks when, and how often again: users who think, or arrivals at a rate, and their retries.
 * Pure: no clock and no I/O; the caller gives the time (ns, never backwards) and sends what is
 * due. The seed alone decides what is drawn.
 */
#ifndef BLACKSTART_LOAD_MODEL_H
#define BLACKSTART_LOAD_MODEL_H

#include "base/err.h"
#include "base/histogram.h"
#include "load/shape.h"

/* What was counted in some span. An operation is what a user wants; it takes one attempt or more.
 */
struct load_tally {
    uint64_t begun, ok, failed; /* operations; failed: given up */
    uint64_t attempts, failures[LOAD_OUTCOMES];
    uint64_t not_sent;        /* open: arrivals beyond in_flight */
    int64_t late_ns;          /* the latest that an attempt was sent after it was due */
    struct histogram latency; /* ns, of those that were ok, from when each was due */
};
void load_tally_add(struct load_tally *total, const struct load_tally *more);

enum model_what { MODEL_NOTHING, MODEL_SEND, MODEL_CANCEL };
struct model_task {
    enum model_what what;
    size_t user;      /* from 0; of the open model a place of its own while it is under way */
    uint64_t id;      /* of the operation, from 1 */
    uint32_t attempt; /* from 1 */
    size_t turn;      /* which host, modulo their number: the next one after each that is away */
};

struct model;

int model_new(const struct load_shape *shape, uint64_t seed, struct model **ret,
              struct err *err) MUST_CHECK;
void model_free(struct model *m); /* NULL is allowed */
/* Users begin, spread over one think time; arrivals begin. */
void model_start(struct model *m, int64_t now);
/* From now on as the new shape says; the model stays closed or open. What is under way goes on;
 * users beyond the new number end with their operation. */
void model_change(struct model *m, const struct load_shape *shape, int64_t now);
/* Nothing is sent any more; what is under way is forgotten, and must be cancelled. */
void model_stop(struct model *m);

/* When model_take has something to give; INT64_MAX: never. */
int64_t model_next(const struct model *m);
/* What is due: an attempt to send, which then has its answer (model_done) or a CANCEL at its
 * time-out. Until it gives MODEL_NOTHING. */
struct model_task model_take(struct model *m, int64_t now);
/* The attempt of that user has ended. Ignored when none is under way. */
void model_done(struct model *m, size_t user, enum load_outcome outcome, int64_t now);

struct load_tally *model_tally(struct model *m); /* since it was zeroed by the caller */
const struct load_shape *model_shape(const struct model *m);
size_t model_in_flight(const struct model *m); /* attempts that are under way */
size_t model_busy(const struct model *m);      /* operations, waits for retries among them */
bool model_is_sent(const struct model *m, size_t user);
/* How many users have begun an operation since the last start or change. */
size_t model_heard(const struct model *m);

#endif
