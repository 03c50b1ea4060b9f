/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The coordinator's part of a run that measures outages which are known: a prober's process, its
 * samples in a journal as `blackstart run` writes it, the analysis over that. The outages of a
 * trial are somebody's injection, active before the first of them. Knows no servers; asserts
 * nothing. What fails inside of the loop is kept and told by the call that waited for it.
 */
#ifndef BLACKSTART_TESTS_TRUTH_RUN_H
#define BLACKSTART_TESTS_TRUTH_RUN_H

#include "analysis/analysis.h"
#include "base/clock.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "prober_process.h"
#include "run/proberlink.h"

#include <event2/event.h>
#include <sys/stat.h>

struct truth_run {
    struct clock clock;
    struct event_base *base;
    struct journal *journal;
    struct proberlink *link;
    uint32_t trial;
    bool waiting;
    struct err failed; /* code ERR_NONE: nothing has */
    struct scenario scenario;
    struct scenario_probe *probes; /* the scenario's, borrowed; their parameters are ours */
};

static inline void truth_run_note(struct truth_run *r, const struct err *why)
{
    if (why != NULL && r->failed.code == ERR_NONE)
        r->failed = *why;
}

static inline void truth_run_on_samples(void *ctx, const struct sample *samples, size_t n)
{
    struct truth_run *r = ctx;
    struct err err;
    if (journal_samples_add(r->journal, r->trial, samples, n, &err) != 0)
        truth_run_note(r, &err);
}

static inline void truth_run_on_done(void *ctx, const struct err *why)
{
    struct truth_run *r = ctx;
    truth_run_note(r, why);
    r->waiting = false;
    (void)event_base_loopbreak(r->base);
}

static inline void truth_run_on_stopped(void *ctx, const struct prober_health *health,
                                        const struct err *why)
{
    struct truth_run *r = ctx;
    struct err err;
    if (health != NULL &&
        journal_append(r->journal, "prober",
                       json_pack("{s:I, s:I, s:I, s:I, s:I}", "late", (json_int_t)health->late,
                                 "gaps", (json_int_t)health->gaps, "sent", (json_int_t)health->sent,
                                 "cpu_ns", (json_int_t)health->cpu_ns, "until_ns",
                                 (json_int_t)health->until_ns),
                       &err) != 0)
        truth_run_note(r, &err);
    truth_run_on_done(ctx, why);
}

static inline int truth_run_wait(struct truth_run *r, struct err *err)
{
    r->waiting = r->failed.code == ERR_NONE;
    while (r->waiting)
        if (event_base_dispatch(r->base) != 0)
            return make_error(err, ERR_SYSTEM, 0, "the prober's loop ended");
    if (r->failed.code == ERR_NONE)
        return 0;
    *err = r->failed;
    return -1;
}

/* Lets the samples come in for so long. */
static inline void truth_run_loop(struct truth_run *r, int64_t ns)
{
    struct timeval t = {.tv_sec = ns / NS_PER_SEC, .tv_usec = ns % NS_PER_SEC / NS_PER_US};
    (void)event_base_loopexit(r->base, &t);
    (void)event_base_dispatch(r->base);
}

/* Makes dir, in which the journal goes, and starts the prober. The probes are the caller's and stay
 * until the end; truth_run_probe fills them. */
static inline int truth_run_open(struct truth_run *r, const char *dir, uint64_t seed,
                                 struct scenario_probe *probes, size_t n, struct err *err)
{
    const struct proberlink_events events = {
        .samples = truth_run_on_samples, .lost = truth_run_on_done, .ctx = r};
    *r = (struct truth_run){.failed = {.code = ERR_NONE},
                            .scenario = {.probes = probes,
                                         .n_probes = n,
                                         .steady_for = {200 * NS_PER_MS},
                                         .stable_for = {200 * NS_PER_MS}},
                            .probes = probes};
    clock_start(&r->clock);
    r->base = event_base_new();
    if (mkdir(dir, 0700) != 0)
        return make_error(err, ERR_SYSTEM, errno, "make %s", dir);
    if (journal_create(dir, &r->clock, &r->journal, err) != 0 ||
        journal_append(r->journal, "run.start",
                       json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", 1, "run", "truth", "text",
                                 "", "file", "", "sha256", ""),
                       err) != 0 ||
        proberlink_open(r->base, prober_process_start, NULL, &events, &r->link, err) != 0 ||
        proberlink_configure(r->link, r->clock.epoch, seed, truth_run_on_done, r, err) != 0)
        return -1;
    return truth_run_wait(r, err);
}

/* Adds the index-th probe, of which all but its parameters is set; steals args. */
static inline int truth_run_probe(struct truth_run *r, size_t index, json_t *args,
                                  const struct prober_endpoint *at, size_t n, struct err *err)
{
    struct scenario_probe *p = &r->probes[index];
    void *room = calloc(1, p->kind->args_size);
    int rc = params_decode(p->kind->params, p->kind->n_params, args, room, p->kind->args_size, err);
    json_decref(args);
    p->args = room;
    if (rc != 0 ||
        proberlink_add(r->link, (uint16_t)index, p, at, n, truth_run_on_done, r, err) != 0)
        return -1;
    return truth_run_wait(r, err);
}

static inline int truth_run_begin(struct truth_run *r, uint32_t trial, struct err *err)
{
    r->trial = trial;
    if (journal_append(r->journal, "trial.start", json_pack("{s:I}", "trial", (json_int_t)trial),
                       err) != 0 ||
        proberlink_start(r->link, trial, truth_run_on_done, r, err) != 0)
        return -1;
    return truth_run_wait(r, err);
}

/* The steady state has held, and a fault is active from now on. */
static inline int truth_run_inject(struct truth_run *r, struct err *err)
{
    json_int_t now = clock_now(&r->clock);
    if (journal_append(r->journal, "steady", json_pack("{s:b}", "held", 1), err) != 0 ||
        journal_append(r->journal, "prepare",
                       json_pack("{s:s, s:s, s:s, s:i}", "injection", "i", "fault", "truth", "host",
                                 "n1", "group", 0),
                       err) != 0 ||
        journal_append(r->journal, "apply", json_pack("{s:s}", "injection", "i"), err) != 0 ||
        journal_append(r->journal, "applied",
                       json_pack("{s:s, s:b, s:I, s:I}", "injection", "i", "ok", 1, "asked_ns", now,
                                 "active_ns", now),
                       err) != 0)
        return -1;
    return journal_append(r->journal, "evidence",
                          json_pack("{s:s, s:s, s:b, s:{}}", "injection", "i", "class", "state",
                                    "proven", 1, "items"),
                          err);
}

static inline int truth_run_end(struct truth_run *r, struct err *err)
{
    if (proberlink_stop(r->link, truth_run_on_stopped, r, err) != 0 ||
        truth_run_wait(r, err) != 0 || journal_samples_end(r->journal, err) != 0)
        return -1;
    return journal_append(r->journal, "trial.end",
                          json_pack("{s:I}", "trial", (json_int_t)r->trial), err);
}

/* Ends the journal and judges it, as `blackstart report` does from the directory. */
static inline int truth_run_analyse(struct truth_run *r, const char *dir, struct history **ret_h,
                                    struct analysis **ret_a, struct err *err)
{
    int rc = journal_append(r->journal, "run.end", json_pack("{s:b}", "aborted", 0), err);
    journal_close(r->journal);
    r->journal = NULL;
    if (rc != 0 || history_load(dir, ret_h, err) != 0)
        return -1;
    return analysis_make(&r->scenario, *ret_h, ret_a, err);
}

/* Ends the prober. The directory stays. */
static inline void truth_run_close(struct truth_run *r)
{
    proberlink_close(r->link);
    for (size_t i = 0; i < r->scenario.n_probes; i++)
        free((void *)(uintptr_t)r->probes[i].args);
    event_base_free(r->base);
}

#endif
