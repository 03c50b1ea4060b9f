/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/json_parts.h"

static json_t *vantage_json(const struct analysis_vantage *v)
{
    return json_pack("{s:o, s:o, s:i, s:o, s:o}", "host", text(v->host), "stands", text(v->stands),
                     "injections", (int)v->n_hit, "clock_lower_s", seconds(v->clock_lo),
                     "clock_upper_s", seconds(v->clock_hi));
}

static json_t *cell_json(const struct analysis_trial *t, const struct analysis_cell *c)
{
    const struct analysis_probe *p = &t->probes[c->probe];
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:i, s:o, s:o, s:i, s:o, s:o, s:o, s:o}",
                     "probe", text(p->name), "vantage", text(p->from), "endpoint", text(c->host),
                     "scheduled", (int)c->scheduled, "good", (int)c->good, "bad", (int)c->bad,
                     "gaps", (int)c->gaps, "good_lower", figure(c->good_lo), "good_upper",
                     figure(c->good_hi), "outages", (int)c->outages, "bad_lower_s",
                     seconds(c->bad_ns.lo), "bad_upper_s", seconds(c->bad_ns.hi), "seen_as",
                     c->outages != 0 ? text(sample_result_word(c->first_result)) : json_null(),
                     "requests_per_s", figure(c->per_second));
}

json_t *json_matrix(const struct analysis_trial *t)
{
    const struct analysis_matrix *x = &t->matrix;
    json_t *vantages = json_array(), *cells = json_array(), *words = json_array();
    for (size_t i = 0; i < x->n_vantages; i++)
        (void)json_array_append_new(vantages, vantage_json(&x->vantages[i]));
    for (size_t i = 0; i < x->n_cells; i++)
        (void)json_array_append_new(cells, cell_json(t, &x->cells[i]));
    for (size_t i = 0; i < x->n_disagreements; i++)
        (void)json_array_append_new(words, text(x->disagreements[i]));
    return json_pack("{s:o, s:o, s:o}", "vantages", vantages, "cells", cells, "disagreements",
                     words);
}

static json_t *known_seconds(int64_t ns)
{
    return ns < 0 ? json_null() : seconds(ns);
}

static json_t *count(int64_t n)
{
    return n < 0 ? json_null() : json_integer((json_int_t)n);
}

static json_t *served_json(const struct analysis_health *h)
{
    json_t *list = json_array();
    for (size_t i = 0; i < h->n_served; i++) {
        const struct analysis_served *s = &h->served[i];
        (void)json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "probe", text(s->probe),
                      "endpoint", text(s->host), "own", count(s->own), "grown", count(s->grown),
                      "share", figure(s->share), "known", figure(s->known), "at_most",
                      figure(s->at_most), "why", s->why[0] != '\0' ? text(s->why) : json_null()));
    }
    return list;
}

static json_t *one_json(const struct analysis_health *h)
{
    json_t *o = json_pack(
        "{s:o, s:i, s:i, s:i, s:o, s:o, s:o}", "vantage", text(h->vantage), "sent", (int)h->sent,
        "late", (int)h->late, "gaps", (int)h->gaps, "late_p50_s", known_seconds(h->late_p50_ns),
        "late_p99_s", known_seconds(h->late_p99_ns), "late_max_s", known_seconds(h->late_max_ns));
    (void)json_object_set_new(o, "cpu_share", figure(h->cpu_share));
    (void)json_object_set_new(o, "requests_per_s", figure(h->per_second));
    (void)json_object_set_new(o, "steal_share", figure(h->steal_share));
    (void)json_object_set_new(o, "pressure_share", figure(h->pressure_share));
    (void)json_object_set_new(o, "load_begin", figure(h->load_begin));
    (void)json_object_set_new(o, "load_end", figure(h->load_end));
    (void)json_object_set_new(o, "null_answers", count(h->null_n));
    (void)json_object_set_new(o, "null_late", count(h->null_late));
    (void)json_object_set_new(o, "null_p50_s", known_seconds(h->null_p50_ns));
    (void)json_object_set_new(o, "null_p99_s", known_seconds(h->null_p99_ns));
    (void)json_object_set_new(o, "null_max_s", known_seconds(h->null_max_ns));
    (void)json_object_set_new(o, "served", served_json(h));
    (void)json_object_set_new(o, "suspect", json_boolean(h->suspect));
    (void)json_object_set_new(o, "why", h->suspect ? text(h->why) : json_null());
    return o;
}

json_t *json_health(const struct analysis_trial *t)
{
    json_t *list = json_array();
    for (size_t i = 0; i < t->n_health; i++)
        (void)json_array_append_new(list, one_json(&t->health[i]));
    return list;
}
