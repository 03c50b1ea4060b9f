/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ledger at a trial's end: its writes come to their end, then all vantages read round by round,
 * each round at the same time, until two rounds are the same and all vantages agree, or the time is
 * over.
 */
#include "base/ledgerlog.h"
#include "run/run_ledger_parts.h"

#include <string.h>

enum {
    CUT_READ_S = 3, /* reading back, when the run was ended before its time */
    LATE_S = 30,    /* beyond all limits */
    PAUSE_MS = 200,
    PAUSE_MAX_MS = 1000
};

static void drained_one(struct run *r)
{
    if (r->ledgers_waiting > 0 && --r->ledgers_waiting == 0)
        run_post(r, EVENT_DRAINED, 0, true, 0, NULL);
}

static int64_t limit_of(const struct run_ledger_group *g, enum ledger_call call)
{
    int64_t views = 1 + (int64_t)g->run->plan->n_hosts;
    if (call == CALL_STOP)
        return g->of->timeout.ns / NS_PER_SEC + LATE_S;
    return (call == CALL_READ ? views * LEDGERLOG_VIEW_S : 0) + LATE_S;
}

static void group_next(struct run_ledger_group *g);

static void answered(struct run_ledger_group *g)
{
    if (g->waiting > 0 && --g->waiting == 0)
        group_next(g);
}

/* To all that are left; whoever is lost meanwhile has answered. */
static void group_call(struct run_ledger_group *g, enum ledger_call call)
{
    g->call = call;
    g->waiting = 1;
    for (size_t i = 0; i < g->n; i++) {
        if (g->list[i].lost)
            continue;
        g->list[i].steady = false;
        g->waiting++;
        run_ledger_call(&g->list[i], call, json_object(), limit_of(g, call));
    }
    answered(g);
}

bool run_ledgers_steady(const struct run_ledger_group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->list[i].lost || !g->list[i].steady ||
            strcmp(g->list[i].digest, g->list[0].digest) != 0)
            return false;
    return true;
}

static bool any_left(const struct run_ledger_group *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (!g->list[i].lost)
            return true;
    return false;
}

static void on_pause(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    group_call(ctx, CALL_READ);
}

static void pause_begin(struct run_ledger_group *g)
{
    struct timeval tv = {.tv_sec = g->pause_ms / 1000, .tv_usec = g->pause_ms % 1000 * 1000};
    if (g->pause_ms < PAUSE_MAX_MS)
        g->pause_ms += PAUSE_MS;
    if (g->pause == NULL)
        g->pause = evtimer_new(g->run->base, on_pause, g);
    if (g->pause == NULL || evtimer_add(g->pause, &tv) < 0)
        group_call(g, CALL_OVER);
}

static void group_over(struct run_ledger_group *g)
{
    struct err err;
    for (size_t i = 0; i < g->n; i++)
        if (!g->list[i].lost && !g->run->unwritten &&
            journal_ledger_end(g->run->journal, g->list[i].index, g->of->name, g->list[i].trial,
                               &err) != 0)
            run_break(g->run, &err);
    g->call = CALL_NONE;
    drained_one(g->run);
}

/* Everybody has answered the call. */
static void group_next(struct run_ledger_group *g)
{
    if (g->call == CALL_OVER || !any_left(g))
        group_over(g);
    else if (g->call == CALL_STOP)
        group_call(g, CALL_READ);
    else if (run_ledgers_steady(g) || run_now(g->run) >= g->until_ns)
        group_call(g, CALL_OVER);
    else
        pause_begin(g);
}

void run_ledger_answered(struct run_ledger *l)
{
    answered(l->group);
}

void run_ledgers_drain(struct run *r)
{
    r->ledgers_waiting = 1;
    if (r->n_ledger_groups != 0)
        run_say(r, "reading back what was written");
    for (size_t i = 0; i < r->n_ledger_groups; i++) {
        struct run_ledger_group *g = &r->ledger_groups[i];
        int64_t within = g->of->read_within.ns;
        if (r->cut && within > CUT_READ_S * NS_PER_SEC)
            within = CUT_READ_S * NS_PER_SEC;
        g->until_ns = run_now(r) + within;
        g->pause_ms = PAUSE_MS;
        r->ledgers_waiting++;
        group_call(g, CALL_STOP);
    }
    r->cut = false;
    drained_one(r);
}
