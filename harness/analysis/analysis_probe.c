/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One probe in one trial: its samples as slots, its outages, what it was like before the fault. */
#include "analysis/analysis_parts.h"
#include "analysis/stats.h"
#include "base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct history_probe *analysis_history_probe(const struct history *h,
                                                   const struct scenario_probe *p)
{
    const struct history_probe *named = NULL;
    for (size_t i = 0; i < h->n_probes; i++) {
        const struct history_probe *one = &h->probes[i];
        if (strcmp(one->name, p->name) != 0)
            continue;
        if (p->from == NULL || one->from == NULL || strcmp(one->from, p->from) == 0)
            return one;
        named = named == NULL ? one : named;
    }
    return named;
}

const struct history_vantage *analysis_history_vantage(const struct history_trial *t,
                                                       const char *host)
{
    for (size_t i = 0; i < t->n_vantages; i++)
        if (strcmp(t->vantages[i].host, host) == 0)
            return &t->vantages[i];
    return NULL;
}

const char *analysis_from(const struct scenario_probe *p)
{
    return p->from != NULL ? p->from : "client";
}

static const char *rule_text(struct analysis_maker *m, const struct scenario_probe *p,
                             const struct history_probe *hosts)
{
    CLEANUP_BUF struct buf b = BUF_INIT(2048);
    for (size_t i = 0; hosts != NULL && i < hosts->n_hosts; i++)
        buf_printf(&b, "%s%s", i != 0 ? ", " : "", hosts->hosts[i]);
    if (p->endpoints == ENDPOINTS_ROLE)
        return analysis_text(m, "good when the %s is", p->role != NULL ? p->role : "role's host");
    if (p->endpoints == ENDPOINTS_ANY)
        return analysis_text(m, "good when any of %s is", buf_text(&b));
    if (p->endpoints == ENDPOINTS_EACH)
        return analysis_text(m, "good when each of %s is", buf_text(&b));
    return analysis_text(m, "%s", buf_text(&b));
}

static struct slot_role *roles_make(struct analysis_maker *m, const struct history_trial *t,
                                    const char *role, const struct history_probe *hosts,
                                    size_t *ret_n)
{
    *ret_n = 0;
    struct slot_role *list = analysis_array(m, t->n_roles, sizeof(*list));
    for (size_t i = 0; list != NULL && role != NULL && i < t->n_roles; i++) {
        const struct history_role *r = &t->roles[i];
        if (!r->ok || r->host == NULL || strcmp(r->role, role) != 0)
            continue;
        uint32_t endpoint = SLOT_NO_ENDPOINT;
        for (size_t k = 0; hosts != NULL && k < hosts->n_hosts; k++)
            if (strcmp(hosts->hosts[k], r->host) == 0)
                endpoint = (uint32_t)k;
        list[(*ret_n)++] = (struct slot_role){.from = r->t, .endpoint = endpoint};
    }
    return list;
}

/* Without a list of its endpoints, a probe has as many as its samples name. */
static int endpoints_seen(struct analysis_maker *m, const struct history_trial *t, size_t index,
                          size_t *ret)
{
    CLEANUP_HISTORY_READER struct history_reader *r = NULL;
    if (history_reader_open(m->h, t, index, &r, &m->why) != 0)
        return -1;
    *ret = 1;
    for (;;) {
        const struct sample *s;
        size_t n;
        if (history_reader_next(r, &s, &n, &m->why) != 0)
            return -1;
        if (n == 0)
            return 0;
        *ret = s[n - 1].endpoint >= *ret ? s[n - 1].endpoint + (size_t)1 : *ret;
    }
}

static int slots_room(struct analysis_maker *m, struct probe_slots *p, size_t *room)
{
    if (p->n < *room)
        return 0;
    *room = 2 * *room + 64;
    struct slot *more = realloc(p->slots, *room * sizeof(*more));
    if (more == NULL)
        return make_error(&m->why, ERR_SYSTEM, ENOMEM, "%zu slots", *room);
    p->slots = more;
    return 0;
}

static void attempts_add(struct probe_attempts *a, const struct sample *s, size_t n, int64_t every)
{
    for (size_t i = 0; i < n; i++) {
        a->gaps += s[i].result == SAMPLE_GAP;
        if (s[i].result == SAMPLE_GAP)
            continue;
        int64_t late = s[i].sent_ns - s[i].due_ns;
        histogram_add(&a->lateness, late);
        a->late += late > every / 4;
        a->first_ns = a->lateness.n == 1 ? s[i].sent_ns : a->first_ns;
        a->last_ns = s[i].sent_ns;
    }
}

/* Moves *s to the sample of one endpoint; *n is 0 when it has none in this slot. */
static void endpoint_pick(const struct sample **s, size_t *n, int64_t only)
{
    for (; only >= 0 && *n != 0 && (*s)->endpoint != only; ++*s, --*n)
        ;
    if (only >= 0 && *n != 0)
        *n = 1;
}

/* Times of a clock that is not the coordinator's, as far as they can be known on it. */
static struct slot slot_shift(struct slot s, const struct history_vantage *v)
{
    if (v != NULL) {
        s.due += v->clock_lo;
        s.lower += v->clock_lo;
        s.upper += v->clock_hi;
        s.done += v->clock_hi;
    }
    return s;
}

/* What a slot of a rate says was so at some instant of its window. */
static struct slot slot_blur(struct slot s, int64_t blur)
{
    s.lower -= blur;
    return s;
}

/* A slot is made as soon as its samples are there: they are never held together. */
int analysis_slots_read(struct analysis_maker *m, const struct history_trial *t, size_t index,
                        const struct slot_rule *rule, int64_t only, struct probe_slots *ret)
{
    const struct history_vantage *v =
        analysis_history_vantage(t, analysis_from(&m->s->probes[index]));
    const int64_t blur = probe_rate_blur(&m->s->probes[index].expect.rate, rule->every);
    CLEANUP_HISTORY_READER struct history_reader *r = NULL;
    if (history_reader_open(m->h, t, index, &r, &m->why) != 0)
        return -1;
    for (size_t room = 0;;) {
        const struct sample *s;
        size_t n;
        if (slots_room(m, ret, &room) != 0 || history_reader_next(r, &s, &n, &m->why) != 0)
            return -1;
        if (n == 0)
            return 0;
        const struct slot *before = ret->n != 0 ? &ret->slots[ret->n - 1] : NULL;
        attempts_add(&ret->attempts, s, n, rule->every);
        endpoint_pick(&s, &n, only);
        if (n != 0)
            ret->slots[ret->n++] =
                slot_blur(slot_shift(analysis_slot(rule, s, n, before), v), blur);
    }
}

static void slots_fill(struct analysis_maker *m, const struct history_trial *t, size_t index,
                       struct probe_slots *ret)
{
    const struct scenario_probe *p = &m->s->probes[index];
    const struct history_probe *hosts = analysis_history_probe(m->h, p);
    struct slot_rule rule = {.rule = p->endpoints,
                             .every = p->every.ns,
                             .n_endpoints = hosts != NULL ? hosts->n_hosts : 0};
    rule.roles = roles_make(m, t, p->role, hosts, &rule.n_roles);
    if ((hosts == NULL && endpoints_seen(m, t, index, &rule.n_endpoints) != 0) ||
        analysis_slots_read(m, t, index, &rule, -1, ret) != 0)
        m->failed = true;
}

/* Where the schedule of this trial ended. */
static int64_t until(const struct history *h, const struct history_trial *t, const char *from)
{
    const struct history_vantage *v = analysis_history_vantage(t, from);
    if (v != NULL && v->until_ns >= 0)
        return v->until_ns;
    if (t->until_ns != HISTORY_UNKNOWN)
        return t->until_ns;
    if (t->sent >= 0 || t->n_samples == 0) /* it stopped in order, and says no more */
        return t->n_samples != 0 ? INT64_MIN : t->start_ns;
    /* The prober was lost: everything up to the trial's end is missing. */
    if (t->abort_ns != HISTORY_UNKNOWN)
        return t->abort_ns;
    return t->end_ns != HISTORY_UNKNOWN ? t->end_ns : h->end_ns;
}

static void window_find(struct analysis_maker *m, const struct analysis_trial *t, size_t index,
                        struct probe_slots *p)
{
    /* The steady state was judged by slots of which the first may have been due an interval after
     * its beginning. */
    int64_t every = m->s->probes[index].every.ns;
    int64_t steady = t->of->steady_known && t->of->steady_held
                         ? t->of->steady_ns - m->s->steady_for.ns + every
                         : t->of->start_ns;
    bool injected = t->n_waves != 0 && t->waves[0].injected.lo != HISTORY_UNKNOWN;
    p->from = injected ? t->waves[0].injected.lo
                       : (t->of->steady_known ? t->of->steady_ns : t->of->start_ns);
    p->until = until(m->h, t->of, analysis_from(&m->s->probes[index]));
    /* A signal is silent in the steady state. */
    enum slot_state odd = m->s->probes[index].signal ? SLOT_GOOD : SLOT_BAD;
    while (p->first < p->n && p->slots[p->first].due < steady)
        p->first++;
    for (size_t i = p->first; i < p->n && p->slots[i].due < p->from; i++)
        p->bad_before += p->slots[i].state == odd && p->slots[i].done < p->from;
}

struct slot_range analysis_range(const struct analysis_maker *m, size_t index,
                                 const struct probe_slots *p)
{
    const int64_t every = m->s->probes[index].every.ns;
    return (struct slot_range){.slots = p->slots + p->first,
                               .n = p->n - p->first,
                               .every = every,
                               .blur = probe_rate_blur(&m->s->probes[index].expect.rate, every),
                               .stable_for = m->s->stable_for.ns};
}

static void baseline(struct analysis_maker *m, const struct probe_slots *p,
                     struct analysis_probe *ret)
{
    ret->baseline_p50_ns = ret->baseline_p99_ns = -1;
    int64_t *took = calloc(p->n + 1, sizeof(*took));
    if (took == NULL) {
        m->no_memory = true;
        return;
    }
    size_t n = 0;
    for (size_t i = p->first; i < p->n && p->slots[i].due < p->from; i++)
        if (p->slots[i].state == SLOT_GOOD)
            took[n++] = p->slots[i].done - p->slots[i].lower;
    if (n != 0) {
        ret->baseline_p50_ns = stats_percentile(took, n, 50);
        ret->baseline_p99_ns = stats_percentile(took, n, 99);
    }
    ret->baseline_n = (uint32_t)n;
    free(took);
}

/* The longest time in the window that no answer vouches for. */
static int64_t longest_missed(const struct slot_range *r, int64_t from)
{
    int64_t most = -1, last = INT64_MIN;
    for (size_t i = 0; i < r->n; i++) {
        const struct slot *s = &r->slots[i];
        if (s->state == SLOT_GOOD && s->lower >= from && last != INT64_MIN) {
            int64_t began = last > from ? last : from;
            most = s->done - began > most ? s->done - began : most;
        }
        if (s->state != SLOT_GAP)
            last = s->state == SLOT_GOOD ? s->lower : s->upper;
    }
    return most;
}

static bool began_after(const struct analysis_outage *o, const struct analysis_trial *t,
                        size_t wave)
{
    const struct span *in = &t->waves[wave].injected;
    if (in->lo == HISTORY_UNKNOWN || in->lo > o->recovery.hi)
        return false;
    /* A request under way when the first command was sent may have failed by it. */
    return o->onset.hi >= in->lo || wave == 0;
}

static bool is_automatic(const struct history_trial *t, const struct analysis_outage *o)
{
    if (t->by_hand_ns != HISTORY_UNKNOWN && t->by_hand_ns < o->recovery.hi)
        return false;
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct history_injection *in = &t->injections[i];
        if (in->restored_by == RESTORED_BY_BLACKSTART && in->revert_asked_ns != HISTORY_UNKNOWN &&
            in->revert_asked_ns < o->recovery.hi)
            return false;
    }
    return true;
}

/* Not the faults': it began when all that had been injected was gone, in announced work, and was
 * over with it. */
static bool is_planned(const struct analysis_maker *m, const struct analysis_trial *t,
                       const struct analysis_outage *o)
{
    for (size_t w = 0; w < t->n_waves; w++) {
        const struct analysis_wave *one = &t->waves[w];
        bool later = one->injected.lo != HISTORY_UNKNOWN && one->injected.lo > o->recovery.hi;
        if (!later && (one->over_ns == HISTORY_UNKNOWN || one->over_ns > o->onset.lo))
            return false;
    }
    return analysis_in_planned(m, t, o);
}

static int64_t not_before(int64_t t, int64_t command)
{
    return t > command ? t : command;
}

/* The faults that stood, or had just been taken away, when the outage began. */
static void outage_place(const struct analysis_maker *m, const struct analysis_trial *t,
                         struct analysis_outage *o)
{
    for (size_t w = 0; w < t->n_waves; w++)
        if (began_after(o, t, w))
            o->wave = (int64_t)w;
    if (o->wave < 0)
        return;
    const struct analysis_wave *wave = &t->waves[o->wave];
    o->faults = wave->faults;
    o->onset.lo = not_before(o->onset.lo, wave->injected.lo);
    o->onset.hi = not_before(o->onset.hi, wave->injected.lo);
    o->recovery.lo = not_before(o->recovery.lo, wave->injected.lo);
    o->under_fault =
        o->recovered && (wave->undone.lo == HISTORY_UNKNOWN || o->recovery.hi <= wave->undone.lo);
    o->automatic = is_automatic(t->of, o);
    o->planned = is_planned(m, t, o);
}

static void outages_fill(struct analysis_maker *m, const struct analysis_trial *t,
                         const struct slot_range *r, int64_t before, struct analysis_probe *ret)
{
    struct analysis_outage o;
    size_t n = 0;
    for (size_t at = 0; analysis_outage_next(r, &at, before, &o);)
        n++;
    ret->outages = analysis_array(m, n, sizeof(*ret->outages));
    if (ret->outages == NULL)
        return;
    for (size_t at = 0; analysis_outage_next(r, &at, before, &o);) {
        outage_place(m, t, &o);
        ret->impacted = ret->impacted || o.wave >= 0 || t->n_waves == 0;
        ret->outages[ret->n_outages++] = o;
    }
}

static void timeline_fill(struct analysis_maker *m, const struct slot_range *r, int64_t until_ns,
                          struct analysis_probe *ret)
{
    struct timeline_shape shape = {.every = r->every,
                                   .until = until_ns,
                                   .bins = timeline_bins(m->h->n_trials * m->s->n_probes)};
    struct timeline_bin *bins = analysis_array(m, shape.bins, sizeof(*bins));
    if (bins != NULL && !timeline_make(r->slots, r->n, &shape, bins, &ret->timeline))
        m->no_memory = true;
}

void analysis_probe(struct analysis_maker *m, struct analysis_trial *t, size_t index,
                    struct probe_slots *p)
{
    const struct scenario_probe *of = &m->s->probes[index];
    struct analysis_probe *ret = &t->probes[index];
    *p = (struct probe_slots){.slots = NULL};
    *ret = (struct analysis_probe){.name = of->name,
                                   .from = analysis_from(of),
                                   .label = scenario_probe_label(of),
                                   .vantage = of->vantage,
                                   .n_vantages = of->n_vantages > 1 ? of->n_vantages : 1,
                                   .rule = rule_text(m, of, analysis_history_probe(m->h, of)),
                                   .impact = of->impact,
                                   .weight = of->signal ? 0 : of->weight,
                                   .signal = of->signal,
                                   .every_ns = of->every.ns};
    slots_fill(m, t->of, index, p);
    if (m->failed)
        return;
    window_find(m, t, index, p);
    struct slot_range r = analysis_range(m, index, p);
    ret->end_ns = r.n != 0 ? r.slots[r.n - 1].due : HISTORY_UNKNOWN;
    if (ret->signal)
        ret->detected = analysis_signal(&r, p->from);
    else
        outages_fill(m, t, &r, p->n != 0 ? p->slots[0].due : 0, ret);
    ret->lost = analysis_lost(&r, p->from, SPAN_OPEN, p->until);
    if (ret->n_outages != 0 && !ret->outages[ret->n_outages - 1].recovered)
        ret->lost.hi = SPAN_OPEN;
    baseline(m, p, ret);
    timeline_fill(m, &r, p->until, ret);
    ret->missed_ns = longest_missed(&r, p->from);
    struct slot_count c = analysis_slots_count(&r, p->from, SPAN_OPEN, p->until);
    ret->scheduled = c.scheduled;
    ret->good = c.good;
    ret->bad = c.bad;
    ret->gaps = c.gaps;
    ret->late = c.late;
    ret->enough = c.scheduled != 0 && (uint64_t)c.gaps * 100 <= c.scheduled;
    ret->availability_lo = c.scheduled != 0 ? (double)c.good / c.scheduled : 0;
    ret->availability_hi = c.scheduled != 0 ? (double)(c.good + c.gaps) / c.scheduled : 1;
}
