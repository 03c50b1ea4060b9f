/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One run, from the lab's start to its end: the one loop that feeds the engine, performs its
 * actions and writes the journal. It judges nothing; reports are made from the journal afterwards.
 * Whatever happens, all faults are reverted and the lab is taken down before it returns.
 */
#ifndef BLACKSTART_RUN_H
#define BLACKSTART_RUN_H

#include "base/fault.h"
#include "scenario/scenario.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What a person sees while it runs; each may be NULL. Texts are whole lines without newline. */
struct run_view {
    void (*say)(void *ctx, int64_t t_ns, const char *text);
    /* Replaces the last status, which is not kept: evidence so far. */
    void (*status)(void *ctx, int64_t t_ns, const char *text);
    /* The run stands still until a person does something: shown even where nothing else is. */
    void (*ask)(void *ctx, int64_t t_ns, const char *text);
    void *ctx;
};

struct run_options {
    const struct scenario *scenario;
    const struct catalogue *faults;
    uint32_t trials;
    const struct scenario_sequential *sequential; /* NULL: all the trials */
    uint64_t seed;
    bool no_fault, hold;
    /* Asked between two trials, when all of the earlier stands in the journal in `dir`: whether
     * there is to be another, and why (not). It may read there, and takes as long as it does: the
     * probes stand still and no fault is on. NULL: there is. */
    bool (*another)(void *ctx, char *why, size_t size);
    void *another_ctx;
    /* A stream to one who says when a trial may begin: a byte goes out when one is ready, and one
     * is awaited; its end ends the run as an interrupt does. */
    bool takes_turns;
    int turn_fd;
    const char *dir; /* of this run: exists, without a journal */
    /* Members of the event `history`, borrowed; NULL: nothing is known of earlier runs. */
    json_t *history;
    struct run_view view;
};

/*
 * 0 when the run came to its end, also when it was aborted: the journal says how. -1: it could not
 * be carried out; the journal says so too, as far as there is one.
 */
int run_execute(const struct run_options *options, struct err *err) MUST_CHECK;

/* A seed for runs that give none. */
uint64_t run_draw_seed(void);

#endif
