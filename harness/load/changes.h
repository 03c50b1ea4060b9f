/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a load asks beyond its own: changes that come and go by their ids. While several are on, the
 * newest holds. What each did is told by the load's own counters.
 */
#ifndef BLACKSTART_LOAD_CHANGES_H
#define BLACKSTART_LOAD_CHANGES_H

#include "load/runner.h"

#include <jansson.h>

enum { CHANGES_MAX = 64 };

struct change {
    char id[INJECTION_ID_MAX + 1];
    struct load_shape shape;
    bool on;
    bool proven; /* by a reading so far */
    int64_t on_ns;
    uint64_t begun, attempts, not_sent; /* what had been counted before it */
    json_t *kept;                       /* its reading when another one took its place */
};

struct changes {
    struct runner *runner;
    struct load_shape own;
    struct change list[CHANGES_MAX]; /* in the order of their apply */
    size_t n;
};

int changes_prepare(struct changes *c, const char *id, const struct load_shape *shape,
                    struct err *err) MUST_CHECK;
/* The answers are as an agent's (docs/agent-protocol.md), NULL with err; the caller's to free. */
json_t *changes_apply(struct changes *c, const char *id, struct err *err);
json_t *changes_evidence(struct changes *c, const char *id, struct err *err);
json_t *changes_revert(struct changes *c, const char *id, struct err *err);
/* The load's own shape again, and no change is left. */
void changes_drop(struct changes *c);

#endif
