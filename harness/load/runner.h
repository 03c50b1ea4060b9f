/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A load on its event loop: what the model says is due goes out by the kind's clients, and what
 * comes back is counted. It knows nothing of faults, and of the journal only that somebody wants a
 * record of each second.
 */
#ifndef BLACKSTART_LOAD_RUNNER_H
#define BLACKSTART_LOAD_RUNNER_H

#include "load/load.h"
#include "load/model.h"

struct runner_spec {
    const struct load_kind *kind;
    const void *args;
    const struct named_host *hosts;
    size_t n_hosts;
    bool fresh;
    struct load_shape shape;
    uint64_t seed;
    /* A second is over, or it was cut short by a change. CLOCK_MONOTONIC. */
    void (*second)(void *ctx, int64_t from_ns, int64_t to_ns, const struct load_tally *tally);
    void *ctx;
};

struct runner;

/* Copies what it is given but args and hosts, which outlive it. */
int runner_new(struct event_base *base, const struct runner_spec *spec, struct runner **ret,
               struct err *err) MUST_CHECK;
void runner_free(struct runner *r); /* NULL is allowed */
void runner_start(struct runner *r);
void runner_stop(struct runner *r);
bool runner_runs(const struct runner *r);
/* From now on as that shape says. The second under way ends here. */
void runner_change(struct runner *r, const struct load_shape *shape);
/* Since the last start, the second under way too. */
const struct load_tally *runner_total(struct runner *r);
struct model *runner_model(struct runner *r);
const char *runner_failure(const struct runner *r); /* NULL: nothing failed for good */

#endif
