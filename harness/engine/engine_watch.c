/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes' states as the engine sees them, and the guards that look at them. */
#include "engine/engine_parts.h"

#include <stdio.h>

void watch_sample(struct engine *e, const struct event *event)
{
    if (event->index >= e->scenario->n_probes)
        return;
    struct probe_watch *w = &e->probes[event->index];
    if (!w->seen || w->good != event->ok) {
        w->before_ns = w->seen ? w->last_ns : -1;
        w->since_ns = event->at_ns;
    }
    w->seen = true;
    w->good = event->ok;
    if (e->state > ENGINE_STEADY && event->ok == e->scenario->probes[event->index].signal)
        w->hit = true;
    w->last_ns = event->at_ns;
    if (!w->good)
        (void)snprintf(w->got, sizeof(w->got), "%s", event->text != NULL ? event->text : "");
}

void watch_explain(const struct engine *e, size_t probe, char *text, size_t size)
{
    text[0] = '\0';
    if (probe >= e->scenario->n_probes)
        return;
    const struct probe_watch *w = &e->probes[probe];
    if (!w->seen)
        (void)snprintf(text, size, ": nothing was measured");
    else if (w->got[0] != '\0')
        (void)snprintf(text, size, ": the last %s: %s", w->good ? "bad answer was" : "answers were",
                       w->got);
}

bool watch_good(const struct engine *e, size_t probe, int64_t since, int64_t length)
{
    const struct probe_watch *w = &e->probes[probe];
    int64_t start = w->since_ns > since ? w->since_ns : since;
    return w->seen && w->good && w->last_ns >= since && w->last_ns - start >= length;
}

bool watch_bad(const struct engine *e, size_t probe, int64_t since)
{
    const struct probe_watch *w = &e->probes[probe];
    return w->seen && !w->good && w->last_ns >= since;
}

bool watch_all_good(const struct engine *e, int64_t since, int64_t length, size_t *ret_not)
{
    for (size_t i = 0; i < e->scenario->n_probes; i++)
        if (!e->scenario->probes[i].signal && !watch_good(e, i, since, length)) {
            *ret_not = i;
            return false;
        }
    return true;
}

bool watch_all_silent(const struct engine *e, int64_t since, int64_t length, size_t *ret_not)
{
    for (size_t i = 0; i < e->scenario->n_probes; i++) {
        const struct probe_watch *w = &e->probes[i];
        int64_t start = w->since_ns > since ? w->since_ns : since;
        if (e->scenario->probes[i].signal &&
            !(watch_bad(e, i, since) && w->last_ns - start >= length)) {
            *ret_not = i;
            return false;
        }
    }
    return true;
}

static bool awaits_signal(const struct engine *e, const struct scenario_target *t)
{
    size_t probe = t->kind == TARGET_DETECTION ? watch_find(e, t->probe) : e->scenario->n_probes;
    return probe < e->scenario->n_probes && !e->probes[probe].hit;
}

bool watch_signals_came(const struct engine *e)
{
    const struct scenario *s = e->scenario;
    for (size_t i = 0; i < s->n_targets; i++)
        if (awaits_signal(e, &s->targets[i]))
            return false;
    for (size_t i = 0; i < s->n_symptoms; i++)
        if (s->symptoms[i].n_targets != 0 && awaits_signal(e, &s->symptoms[i].targets[0]))
            return false;
    return true;
}

void watch_begin_trial(struct engine *e)
{
    for (size_t i = 0; i < e->scenario->n_probes; i++)
        e->probes[i].hit = false;
}

size_t watch_find(const struct engine *e, const char *probe)
{
    return scenario_probe_find(e->scenario, probe, NULL);
}

static bool guarded(const struct engine *e)
{
    return !e->stopping && !e->holding && (e->state == ENGINE_INJECT || e->state == ENGINE_HOLD);
}

static void guard_probe(struct engine *e, const struct scenario_guard *g)
{
    size_t probe = scenario_probe_find(e->scenario, g->probe, g->vantage);
    if (probe == e->scenario->n_probes)
        return;
    const char *label = scenario_probe_label(&e->scenario->probes[probe]);
    const struct probe_watch *w = &e->probes[probe];
    if (!w->seen || w->good || e->now - w->since_ns <= g->bad_for.ns)
        return;
    char text[64];
    engine_explain(engine_emit(e, ACTION_GUARD, probe, NULL), "%s was bad for longer than %s",
                   label, duration_print(g->bad_for, text, sizeof(text)));
    engine_abort(e, "guard", "%s was bad for longer than %s", label, text);
}

/* Services by weight, as the target of that name counts them. */
static void guard_blast(struct engine *e, const struct scenario_guard *g)
{
    uint64_t all = 0, hit = 0;
    char why[160] = "", limit[32];
    size_t len = 0;
    for (size_t i = 0, n; i < e->scenario->n_probes; i += n) {
        const struct scenario_probe *p = &e->scenario->probes[i];
        bool is_hit = false;
        /* At any of its vantages, which stand together. */
        for (n = 0; i + n < e->scenario->n_probes && (n == 0 || p[n].vantage != 0); n++)
            is_hit = is_hit || e->probes[i + n].hit;
        all += p->signal ? 0 : p->weight;
        if (p->signal || !is_hit)
            continue;
        hit += p->weight;
        if (len < sizeof(why))
            len += (size_t)snprintf(why + len, sizeof(why) - len, "%s%s", len != 0 ? ", " : "",
                                    p->name);
    }
    if (all == 0 || hit * 1000000 <= all * g->blast.ppm)
        return;
    double share = 100.0 * (double)hit / (double)all;
    (void)ratio_print(g->blast, limit, sizeof(limit));
    engine_explain(engine_emit(e, ACTION_GUARD, SIZE_MAX, NULL),
                   "%.1f%% of the services impacted, more than %s: %.100s", share, limit, why);
    engine_abort(e, "guard", "%.1f%% of the services impacted, more than %s: %.100s", share, limit,
                 why);
}

void watch_guards(struct engine *e)
{
    for (size_t i = 0; i < e->scenario->n_guards && guarded(e); i++) {
        const struct scenario_guard *g = &e->scenario->guards[i];
        if (g->probe != NULL)
            guard_probe(e, g);
        else
            guard_blast(e, g);
    }
}

int64_t watch_deadline(const struct engine *e)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < e->scenario->n_guards && guarded(e); i++) {
        const struct scenario_guard *g = &e->scenario->guards[i];
        size_t probe = g->probe != NULL ? scenario_probe_find(e->scenario, g->probe, g->vantage)
                                        : e->scenario->n_probes;
        if (probe < e->scenario->n_probes && e->probes[probe].seen && !e->probes[probe].good)
            next = earlier(next, e->probes[probe].since_ns + g->bad_for.ns + 1);
    }
    return next;
}
