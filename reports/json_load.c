/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/json_parts.h"

static json_t *known(int64_t ns)
{
    return ns >= 0 ? seconds(ns) : json_null();
}

static json_t *failures_json(const struct analysis_load_counts *c)
{
    json_t *o = json_object();
    for (size_t i = 0; i < ANALYSIS_LOAD_FAILURES; i++)
        if (c->failures[i] != 0)
            (void)json_object_set_new(o, load_failure_words[i],
                                      json_integer((json_int_t)c->failures[i]));
    return o;
}

static json_t *phase_json(enum load_phase p, const struct analysis_load_counts *c)
{
    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
                     "phase", load_phase_word(p), "length_s", seconds(c->length_ns), "ok",
                     (json_int_t)c->ok, "failed", (json_int_t)c->failed, "attempts",
                     (json_int_t)c->attempts, "not_sent", (json_int_t)c->not_sent, "per_second",
                     figure(analysis_load_rate(c)), "attempts_per_success",
                     figure(analysis_load_effort(c)), "p50_s", known(c->p50_ns), "p99_s",
                     known(c->p99_ns), "most_s", known(c->most_ns), "late_s", seconds(c->late_ns),
                     "cpu_share", figure(analysis_load_cpu(c)), "failures", failures_json(c));
}

static json_t *second_json(const struct analysis_load_second *s)
{
    return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "from_s", seconds(s->from_ns),
                     "to_s", seconds(s->to_ns), "ok", (json_int_t)s->counts.ok, "failed",
                     (json_int_t)s->counts.failed, "attempts", (json_int_t)s->counts.attempts,
                     "not_sent", (json_int_t)s->counts.not_sent, "in_flight",
                     (json_int_t)s->in_flight, "p50_s", known(s->counts.p50_ns), "p99_s",
                     known(s->counts.p99_ns));
}

json_t *json_traffic(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_loads; i++) {
        const struct analysis_load *l = &t->loads[i];
        json_t *phases = json_array(), *course = json_array();
        for (size_t p = 0; p < LOAD_PHASES; p++)
            if (l->phases[p].length_ns > 0)
                (void)json_array_append_new(phases, phase_json((enum load_phase)p, &l->phases[p]));
        for (size_t k = 0; k < l->n_seconds; k++)
            (void)json_array_append_new(course, second_json(&l->seconds[k]));
        (void)json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                                                    text(l->name), "kind", text(l->kind), "from",
                                                    text(l->from), "model", text(l->model),
                                                    "phases", phases, "course", course));
    }
    return list;
}
