/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What loads counted, second by second: as a course over the trial, and summed up before the first
 * fault, while any was on, and after the last. A second belongs to the phase in which its middle
 * lies. It judges nothing.
 */
#include "analysis/analysis_parts.h"

#include "base/histogram.h"

#include <math.h>
#include <string.h>

static int64_t number(const json_t *o, const char *member)
{
    return json_integer_value(json_object_get(o, member));
}

static bool is_second(const struct history_event *e, const char *load)
{
    const char *of = json_string_value(json_object_get(e->members, "load"));
    return strcmp(e->ev, "load") == 0 && of != NULL && strcmp(of, load) == 0 &&
           json_is_object(json_object_get(e->members, "second"));
}

/* Buckets as they stand in the journal: number and count by turns. */
static void latency_read(const json_t *o, struct histogram *ret)
{
    const json_t *list = json_object_get(o, "latency");
    memset(ret, 0, sizeof(*ret));
    for (size_t i = 0; i + 1 < json_array_size(list); i += 2) {
        json_int_t bucket = json_integer_value(json_array_get(list, i));
        json_int_t n = json_integer_value(json_array_get(list, i + 1));
        if (bucket < 0 || bucket >= HISTOGRAM_BUCKETS || n <= 0 || n > UINT32_MAX)
            continue;
        ret->buckets[bucket] += (uint32_t)n;
        ret->n += (uint64_t)n;
    }
    ret->most = number(o, "most_ns");
}

/* Of the trial's faults; FROM and TO unknown when there was none. */
static struct span disturbed(const struct analysis_trial *t)
{
    struct span s = {HISTORY_UNKNOWN, HISTORY_UNKNOWN};
    for (size_t i = 0; i < t->n_waves; i++) {
        const struct analysis_wave *w = &t->waves[i];
        if (w->injected.lo == HISTORY_UNKNOWN)
            continue;
        if (s.lo == HISTORY_UNKNOWN || w->injected.lo < s.lo)
            s.lo = w->injected.lo;
        int64_t end = w->undone.hi == HISTORY_UNKNOWN ? INT64_MAX : w->undone.hi;
        s.hi = s.hi == HISTORY_UNKNOWN || end > s.hi ? end : s.hi;
    }
    return s;
}

static enum load_phase phase_of(const struct span *s, int64_t from_ns, int64_t to_ns)
{
    int64_t middle = from_ns + (to_ns - from_ns) / 2;
    if (s->lo == HISTORY_UNKNOWN || middle < s->lo)
        return LOAD_BEFORE;
    return middle < s->hi ? LOAD_DURING : LOAD_AFTER;
}

static void counts_add(struct analysis_load_counts *c, const json_t *o)
{
    int64_t late = number(o, "late_ns");
    c->length_ns += number(o, "to_ns") - number(o, "from_ns");
    c->ok += number(o, "ok");
    c->failed += number(o, "failed");
    c->attempts += number(o, "attempts");
    c->not_sent += number(o, "not_sent");
    c->cpu_ns += number(o, "cpu_ns");
    c->late_ns = late > c->late_ns ? late : c->late_ns;
    for (size_t i = 0; i < ANALYSIS_LOAD_FAILURES; i++)
        c->failures[i] += number(json_object_get(o, "failures"), load_failure_words[i]);
}

static void counts_latency(struct analysis_load_counts *c, const struct histogram *h)
{
    c->p50_ns = histogram_percentile(h, 50);
    c->p99_ns = histogram_percentile(h, 99);
    c->most_ns = h->n != 0 ? h->most : -1;
}

static void second_take(const json_t *o, const struct span *faults, struct analysis_load *l,
                        struct histogram *sums)
{
    struct histogram latency;
    struct analysis_load_second *s = &l->seconds[l->n_seconds++];
    latency_read(o, &latency);
    s->from_ns = number(o, "from_ns");
    s->to_ns = number(o, "to_ns");
    s->in_flight = number(o, "in_flight");
    counts_add(&s->counts, o);
    counts_latency(&s->counts, &latency);
    enum load_phase phase = phase_of(faults, s->from_ns, s->to_ns);
    counts_add(&l->phases[phase], o);
    histogram_join(&sums[phase], &latency);
}

double analysis_load_rate(const struct analysis_load_counts *c)
{
    return c->length_ns > 0 ? (double)c->ok / ((double)c->length_ns / 1e9) : NAN;
}

double analysis_load_effort(const struct analysis_load_counts *c)
{
    return c->ok > 0 ? (double)c->attempts / (double)c->ok : NAN;
}

double analysis_load_cpu(const struct analysis_load_counts *c)
{
    return c->length_ns > 0 ? (double)c->cpu_ns / (double)c->length_ns : NAN;
}

const char *load_phase_word(enum load_phase p)
{
    static const char *const words[] = {"before", "during", "after"};
    return words[p];
}

static void load_fill(struct analysis_maker *m, const struct analysis_trial *t,
                      const struct scenario_load *of, struct analysis_load *l)
{
    const struct history_event *events = &m->h->events[t->of->first_event];
    struct span faults = disturbed(t);
    char model[400];
    size_t n = 0;
    *l = (struct analysis_load){.name = of->name, .kind = of->kind->name, .from = of->from};
    l->model = analysis_text(m, "%s", load_shape_text(&of->shape, model, sizeof(model)));
    for (size_t i = 0; i < t->of->n_events; i++)
        n += is_second(&events[i], of->name);
    struct histogram *sums = analysis_array(m, LOAD_PHASES, sizeof(*sums));
    l->seconds = analysis_array(m, n, sizeof(*l->seconds));
    if (sums == NULL || l->seconds == NULL)
        return;
    for (size_t i = 0; i < t->of->n_events; i++)
        if (is_second(&events[i], of->name))
            second_take(json_object_get(events[i].members, "second"), &faults, l, sums);
    for (size_t p = 0; p < LOAD_PHASES; p++)
        counts_latency(&l->phases[p], &sums[p]);
}

void analysis_loads(struct analysis_maker *m, struct analysis_trial *t)
{
    if (m->s->n_loads == 0)
        return;
    t->loads = analysis_array(m, m->s->n_loads, sizeof(*t->loads));
    for (size_t i = 0; t->loads != NULL && i < m->s->n_loads; i++)
        load_fill(m, t, &m->s->loads[i], &t->loads[t->n_loads++]);
}
