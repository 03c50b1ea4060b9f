/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bearer that serves a packet queue: holds each packet until it is due, or flips a bit in it, and
 * lets go all that it holds when its end comes. What it did stands in its counters. Knows no rules:
 * which packets come is decided by whoever sends them to the queue.
 */
#ifndef BLACKSTART_FAULTS_LINE_H
#define BLACKSTART_FAULTS_LINE_H

#include "agents/faults/shape.h"
#include "agents/host/bearer.h"

struct line_spec {
    struct shape_delay delay;
    bool corrupt;
    uint16_t number; /* of the queue, whose socket is BEARER_FD */
    uint64_t seed;
};

/* Counters of the bearer. */
enum line_counter {
    LINE_TAKEN,
    LINE_RELEASED, /* after their time */
    LINE_CORRUPTED,
    LINE_PASSED,      /* there was no room to hold them */
    LINE_LATE_MEDIAN, /* microseconds after they were due, or for the work itself */
    LINE_LATE_P99
};

/* struct bearer_spec's body; arg is the line_spec. */
void line_run(struct bearer *self, void *arg);

#endif
