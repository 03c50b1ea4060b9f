/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe x vantage x endpoint: what each saw of each by itself, and where they disagree. */
#include "analysis/analysis_parts.h"
#include "base/buf.h"
#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One vantage's view of a probe, or of one endpoint of it. */
struct view {
    const char *from;
    bool impacted, enough;
    struct span bad;
};

static void span_add(struct span *sum, struct span more)
{
    if (__builtin_add_overflow(sum->lo, more.lo, &sum->lo))
        sum->lo = SPAN_OPEN;
    if (more.hi == SPAN_OPEN || sum->hi == SPAN_OPEN ||
        __builtin_add_overflow(sum->hi, more.hi, &sum->hi))
        sum->hi = SPAN_OPEN;
}

static void cell_count(const struct slot_range *r, const struct probe_slots *of,
                       struct analysis_cell *cell)
{
    struct slot_count c = analysis_slots_count(r, of->from, SPAN_OPEN, of->until);
    cell->scheduled = c.scheduled;
    cell->good = c.good;
    cell->bad = c.bad;
    cell->gaps = c.gaps;
    cell->good_lo = c.scheduled != 0 ? (double)c.good / c.scheduled : NAN;
    cell->good_hi = c.scheduled != 0 ? (double)(c.good + c.gaps) / c.scheduled : NAN;
    struct analysis_outage o;
    for (size_t at = 0; analysis_outage_next(r, &at, r->n != 0 ? r->slots[0].due : 0, &o);) {
        if (o.recovery.hi <= of->from)
            continue;
        if (cell->outages++ == 0)
            cell->first_result = o.first_result;
        span_add(&cell->bad_ns, o.bad_ns);
    }
}

/* Requests a second to each endpoint: all of a slot go out together. */
static double rate(const struct probe_slots *of)
{
    const struct slot *s = of->slots;
    if (of->n < 2 || s[of->n - 1].due <= s[0].due)
        return 0;
    return (double)(of->n - 1) * 1e9 / (double)(s[of->n - 1].due - s[0].due);
}

/* The endpoint's own samples, as if it were the probe's only one. */
static void cell_fill(struct analysis_maker *m, const struct analysis_trial *t, size_t endpoint,
                      const struct probe_slots *of, struct analysis_cell *cell)
{
    const struct scenario_probe *p = &m->s->probes[cell->probe];
    const struct slot_rule rule = {.rule = ENDPOINTS_ANY, .n_endpoints = 1, .every = p->every.ns};
    CLEANUP_FREE struct probe_slots *own = calloc(1, sizeof(*own));
    if (own == NULL) {
        m->no_memory = true;
        return;
    }
    if (analysis_slots_read(m, t->of, cell->probe, &rule, (int64_t)endpoint, own) != 0)
        m->failed = true;
    int64_t steady = of->first < of->n ? of->slots[of->first].due : SPAN_OPEN;
    while (own->first < own->n && own->slots[own->first].due < steady)
        own->first++;
    own->from = of->from;
    own->until = of->until;
    if (!m->failed) {
        const struct slot_range r = analysis_range(m, cell->probe, own);
        cell_count(&r, own, cell);
    }
    cell->per_second = rate(own);
    free(own->slots);
}

/* A probe of one endpoint has been read already. */
static void cell_copy(const struct analysis_maker *m, const struct probe_slots *of,
                      struct analysis_cell *cell)
{
    const struct slot_range r = analysis_range(m, cell->probe, of);
    cell_count(&r, of, cell);
    cell->per_second = rate(of);
}

static void cells_fill(struct analysis_maker *m, struct analysis_trial *t,
                       const struct probe_slots *slots)
{
    struct analysis_matrix *x = &t->matrix;
    size_t n = 0;
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct history_probe *hosts = analysis_history_probe(m->h, &m->s->probes[i]);
        n += hosts != NULL ? hosts->n_hosts : 0;
    }
    x->cells = analysis_array(m, n, sizeof(*x->cells));
    for (size_t i = 0; x->cells != NULL && !m->failed && i < t->n_probes; i++) {
        const struct history_probe *hosts = analysis_history_probe(m->h, &m->s->probes[i]);
        for (size_t k = 0; hosts != NULL && k < hosts->n_hosts; k++) {
            struct analysis_cell *cell = &x->cells[x->n_cells++];
            *cell = (struct analysis_cell){.probe = i, .host = hosts->hosts[k]};
            if (hosts->n_hosts == 1 && m->s->probes[i].endpoints != ENDPOINTS_ROLE)
                cell_copy(m, &slots[i], cell);
            else
                cell_fill(m, t, k, &slots[i], cell);
        }
    }
}

static size_t name_add(const char **list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return n;
    list[n] = name;
    return n + 1;
}

static void endpoints_fill(struct analysis_maker *m, struct analysis_matrix *x)
{
    x->endpoints = analysis_array(m, x->n_cells, sizeof(*x->endpoints));
    for (size_t i = 0; x->endpoints != NULL && i < x->n_cells; i++)
        x->n_endpoints = name_add(x->endpoints, x->n_endpoints, x->cells[i].host);
}

static const char *stands_text(struct analysis_maker *m, const struct history_trial *of,
                               const char *host, size_t *ret_hit)
{
    CLEANUP_BUF struct buf b = BUF_INIT(2048);
    const char **faults = analysis_array(m, of->n_injections, sizeof(*faults));
    size_t n = 0;
    for (size_t i = 0; faults != NULL && i < of->n_injections; i++) {
        const struct history_injection *in = &of->injections[i];
        if (strcmp(in->host, host) != 0 || in->asked_ns == HISTORY_UNKNOWN)
            continue;
        ++*ret_hit;
        n = name_add(faults, n, in->fault);
    }
    for (size_t i = 0; i < n; i++)
        buf_printf(&b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " and ", faults[i]);
    return n != 0 ? analysis_text(m, "on %s, which %s hit", host, buf_text(&b))
                  : analysis_text(m, "on %s, where nothing was injected", host);
}

static void vantages_fill(struct analysis_maker *m, struct analysis_trial *t)
{
    struct analysis_matrix *x = &t->matrix;
    const char **names = analysis_array(m, t->n_probes, sizeof(*names));
    size_t n = 0;
    for (size_t i = 0; names != NULL && i < t->n_probes; i++)
        n = name_add(names, n, t->probes[i].from);
    x->vantages = analysis_array(m, n, sizeof(*x->vantages));
    for (size_t i = 0; x->vantages != NULL && i < n; i++) {
        struct analysis_vantage *v = &x->vantages[x->n_vantages++];
        const struct history_vantage *h = analysis_history_vantage(t->of, names[i]);
        *v = (struct analysis_vantage){.host = names[i]};
        v->stands = stands_text(m, t->of, names[i], &v->n_hit);
        v->clock_lo = h != NULL ? h->clock_lo : 0;
        v->clock_hi = h != NULL ? h->clock_hi : 0;
    }
}

static bool differ(const struct view *a, const struct view *b)
{
    if (a->impacted != b->impacted)
        return true;
    return a->impacted && (a->bad.hi < b->bad.lo || b->bad.hi < a->bad.lo);
}

static void put_length(struct buf *out, const struct view *v)
{
    char lo[32], hi[32];
    (void)analysis_time(v->bad.lo, lo);
    if (v->bad.hi == SPAN_OPEN)
        buf_printf(out, "for %s or longer, to the end", lo);
    else
        buf_printf(out, "for %s to %s", lo, analysis_time(v->bad.hi, hi));
}

/* "client and n2 did not", of those that saw none and can say so, or of those that cannot. */
static void put_others(struct buf *out, const struct view *views, size_t n, bool enough)
{
    size_t count = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        count += !views[i].impacted && views[i].enough == enough;
    for (size_t i = 0; i < n; i++) {
        if (views[i].impacted || views[i].enough != enough)
            continue;
        buf_printf(out, "%s%s", at == 0 || at + 1 < count ? ", " : " and ", views[i].from);
        at++;
    }
    if (count != 0)
        buf_puts(out, enough ? " did not" : " cannot say: too much is missing there");
}

/* "n1 saw write down for 7.812 s to 7.962 s, client did not" */
static void disagree(struct analysis_maker *m, struct analysis_matrix *x, const char *what,
                     const struct view *views, size_t n)
{
    bool any = false;
    for (size_t i = 1; i < n; i++)
        any = any || differ(&views[0], &views[i]);
    CLEANUP_BUF struct buf b = BUF_INIT(4096);
    for (size_t i = 0; any && i < n; i++) {
        if (!views[i].impacted)
            continue;
        if (b.len == 0)
            buf_printf(&b, "%s saw %s down ", views[i].from, what);
        else
            buf_printf(&b, ", %s ", views[i].from);
        put_length(&b, &views[i]);
    }
    put_others(&b, views, any ? n : 0, true);
    put_others(&b, views, any ? n : 0, false);
    if (any)
        x->disagreements[x->n_disagreements++] = analysis_text(m, "%s", buf_text(&b));
}

static struct view view_of_probe(const struct analysis_probe *p)
{
    struct view v = {.from = p->from, .impacted = p->impacted, .enough = p->enough};
    for (size_t i = 0; i < p->n_outages; i++)
        if (p->outages[i].wave >= 0)
            span_add(&v.bad, p->outages[i].bad_ns);
    return v;
}

static struct view view_of_cell(const struct analysis_trial *t, const struct analysis_cell *c)
{
    return (struct view){.from = t->probes[c->probe].from,
                         .impacted = c->outages != 0,
                         .enough = c->scheduled != 0 && (uint64_t)c->gaps * 100 <= c->scheduled,
                         .bad = c->bad_ns};
}

static void disagree_endpoint(struct analysis_maker *m, struct analysis_trial *t, size_t probe,
                              const char *host)
{
    struct analysis_matrix *x = &t->matrix;
    struct view views[64];
    size_t n = 0;
    for (size_t i = 0; i < x->n_cells && n < 64; i++) {
        const struct analysis_cell *c = &x->cells[i];
        if (c->probe >= probe && c->probe < probe + t->probes[probe].n_vantages &&
            strcmp(c->host, host) == 0)
            views[n++] = view_of_cell(t, c);
    }
    disagree(m, x, analysis_text(m, "%s of %s", t->probes[probe].name, host), views, n);
}

/* The probe as a whole; and, where it has several endpoints, each of them. */
static void disagree_probe(struct analysis_maker *m, struct analysis_trial *t, size_t probe)
{
    const struct analysis_probe *p = &t->probes[probe];
    const struct history_probe *hosts = analysis_history_probe(m->h, &m->s->probes[probe]);
    struct view views[64];
    size_t n = 0;
    for (; n < p->n_vantages && n < 64 && probe + n < t->n_probes; n++)
        views[n] = view_of_probe(&p[n]);
    disagree(m, &t->matrix, p->name, views, n);
    for (size_t k = 0; hosts != NULL && hosts->n_hosts > 1 && k < hosts->n_hosts; k++)
        disagree_endpoint(m, t, probe, hosts->hosts[k]);
}

void analysis_matrix(struct analysis_maker *m, struct analysis_trial *t,
                     const struct probe_slots *slots)
{
    struct analysis_matrix *x = &t->matrix;
    vantages_fill(m, t);
    cells_fill(m, t, slots);
    endpoints_fill(m, x);
    x->disagreements = analysis_array(m, t->n_probes + x->n_cells, sizeof(*x->disagreements));
    for (size_t i = 0; !m->no_memory && i < t->n_probes; i++)
        if (t->probes[i].n_vantages > 1 && t->probes[i].vantage == 0)
            disagree_probe(m, t, i);
}
