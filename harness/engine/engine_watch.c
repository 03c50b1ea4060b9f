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
        if (!watch_good(e, i, since, length)) {
            *ret_not = i;
            return false;
        }
    return true;
}

size_t watch_find(const struct engine *e, const char *probe)
{
    return scenario_probe_find(e->scenario, probe, NULL);
}

static bool guarded(const struct engine *e)
{
    return !e->stopping && !e->holding && (e->state == ENGINE_INJECT || e->state == ENGINE_HOLD);
}

void watch_guards(struct engine *e)
{
    for (size_t i = 0; i < e->scenario->n_guards && guarded(e); i++) {
        const struct scenario_guard *g = &e->scenario->guards[i];
        size_t probe = scenario_probe_find(e->scenario, g->probe, g->vantage);
        if (probe == e->scenario->n_probes)
            continue;
        const char *label = scenario_probe_label(&e->scenario->probes[probe]);
        const struct probe_watch *w = &e->probes[probe];
        if (!w->seen || w->good || e->now - w->since_ns <= g->bad_for.ns)
            continue;
        char text[64];
        engine_explain(engine_emit(e, ACTION_GUARD, probe, NULL), "%s was bad for longer than %s",
                       label, duration_print(g->bad_for, text, sizeof(text)));
        engine_abort(e, "guard", "%s was bad for longer than %s", label, text);
    }
}

int64_t watch_deadline(const struct engine *e)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < e->scenario->n_guards && guarded(e); i++) {
        const struct scenario_guard *g = &e->scenario->guards[i];
        size_t probe = scenario_probe_find(e->scenario, g->probe, g->vantage);
        if (probe < e->scenario->n_probes && e->probes[probe].seen && !e->probes[probe].good)
            next = earlier(next, e->probes[probe].since_ns + g->bad_for.ns + 1);
    }
    return next;
}
