/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The probers themselves: whether what they measured is the system's doing or their own. */
#include "analysis/analysis_parts.h"
#include "base/cleanup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Gaps and late answers of the null server beyond this share mean that nothing can be said. */
enum { SHARE_PERCENT = 1, STEAL_PERCENT = 5 };

/* Of all attempts that this vantage made: how long after they were due they went out. */
static void lateness_fill(struct analysis_maker *m, const struct analysis_trial *t,
                          const struct probe_slots *slots, struct analysis_health *h)
{
    CLEANUP_FREE struct histogram *late = calloc(1, sizeof(*late));
    int64_t first = INT64_MAX, last = INT64_MIN;
    if (late == NULL) {
        m->no_memory = true;
        return;
    }
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct probe_attempts *a = &slots[i].attempts;
        if (strcmp(t->probes[i].from, h->vantage) != 0)
            continue;
        histogram_join(late, &a->lateness);
        h->late += a->late;
        h->gaps += a->gaps;
        if (a->lateness.n == 0)
            continue;
        first = a->first_ns < first ? a->first_ns : first;
        last = a->last_ns > last ? a->last_ns : last;
    }
    h->sent = (uint32_t)late->n;
    h->late_p50_ns = histogram_percentile(late, 50);
    h->late_p99_ns = histogram_percentile(late, 99);
    h->late_max_ns = h->sent != 0 ? late->most : -1;
    if (last > first)
        h->per_second = (double)(h->sent - 1) * 1e9 / (double)(last - first);
}

/* The growth of a count; NAN when it is not known. */
static double growth(int64_t begin, int64_t end)
{
    return begin >= 0 && end >= begin ? (double)(end - begin) : NAN;
}

static double load(int64_t milli)
{
    return milli >= 0 ? (double)milli / 1000 : NAN;
}

static void told_fill(const struct history_trial *t, const struct history_vantage *v,
                      struct analysis_health *h)
{
    double length = v->until_ns > t->start_ns ? (double)(v->until_ns - t->start_ns) : NAN;
    double ticks = growth(v->begin.ticks, v->end.ticks);
    h->cpu_share = v->cpu_ns >= 0 ? (double)v->cpu_ns / length : NAN;
    h->steal_share = ticks > 0 ? growth(v->begin.steal, v->end.steal) / ticks : NAN;
    h->pressure_share = growth(v->begin.pressure_us, v->end.pressure_us) * 1000 / length;
    h->load_begin = load(v->begin.load_milli);
    h->load_end = load(v->end.load_milli);
    h->null_n = v->null_n;
    h->null_late = v->null_late;
    h->null_p50_ns = v->null_p50_ns;
    h->null_p99_ns = v->null_p99_ns;
    h->null_max_ns = v->null_max_ns;
}

/* Requests under way at a reading may be on either side of it, so that a few more of ours than the
 * service counted are nothing. Many more mean that it counts something else. */
static const char *served_share(struct analysis_served *s, const struct history_served *from)
{
    static const int64_t slack = 5, slack_percent = 1;
    if (from->known < 1 || from->asked <= from->known || from->grown < 0 || from->own < 0)
        return "it never told its count twice in a row";
    s->own = from->own;
    s->grown = from->grown;
    s->known = (double)from->known / (double)(from->asked - 1);
    if (s->own > s->grown + slack + s->grown * slack_percent / 100)
        return "it counted fewer than it answered: it counts something else";
    s->share = s->own < s->grown ? (double)s->own / (double)s->grown : 1;
    return "";
}

static void served_fill(struct analysis_maker *m, const struct history_vantage *v,
                        struct analysis_health *h)
{
    h->served = analysis_array(m, v->n_served, sizeof(*h->served));
    for (size_t i = 0; h->served != NULL && i < v->n_served; i++) {
        const struct history_served *from = &v->served[i];
        if (from->probe < 0 || (size_t)from->probe >= m->s->n_probes)
            continue;
        const struct scenario_probe *p = &m->s->probes[from->probe];
        const struct history_probe *hosts = analysis_history_probe(m->h, p);
        if (p->served == NULL || hosts == NULL || from->endpoint < 0 ||
            (size_t)from->endpoint >= hosts->n_hosts)
            continue;
        struct analysis_served *s = &h->served[h->n_served++];
        *s = (struct analysis_served){.probe = p->name,
                                      .host = hosts->hosts[from->endpoint],
                                      .own = -1,
                                      .grown = -1,
                                      .share = NAN,
                                      .at_most = (double)p->served->at_most.ppm / 1e6};
        s->why = served_share(s, from);
    }
}

/* The worst of them. */
static const char *load_why(struct analysis_maker *m, const struct analysis_health *h)
{
    const struct analysis_served *worst = NULL;
    for (size_t i = 0; i < h->n_served; i++) {
        const struct analysis_served *s = &h->served[i];
        if (s->share > s->at_most && (worst == NULL || s->share > worst->share))
            worst = s;
    }
    if (worst == NULL)
        return "";
    return analysis_text(m,
                         "%.1f %% of what %s at %s served were the probe's own requests, more than "
                         "%.1f %%: it is a load itself",
                         worst->share * 100, worst->probe, worst->host, worst->at_most * 100);
}

static const char *null_why(struct analysis_maker *m, const struct analysis_health *h)
{
    if (h->null_n <= 0 || h->null_late <= h->null_n * SHARE_PERCENT / 100)
        return "";
    return analysis_text(m,
                         "%lld of %lld answers of the prober's own null server were late: the "
                         "machine was slow, whatever the system was",
                         (long long)h->null_late, (long long)h->null_n);
}

static const char *steal_why(struct analysis_maker *m, const struct analysis_health *h)
{
    if (!(h->steal_share * 100 >= STEAL_PERCENT))
        return "";
    return analysis_text(m, "%.1f %% of the machine's time was taken by others (steal)",
                         h->steal_share * 100);
}

/* All that holds: a slow machine does not excuse a prober that is a load itself. */
static const char *suspect_why(struct analysis_maker *m, const struct analysis_health *h)
{
    const char *const each[] = {null_why(m, h), steal_why(m, h), load_why(m, h)};
    const char *all = "";
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
        if (each[i][0] != '\0')
            all = all[0] == '\0' ? each[i] : analysis_text(m, "%s; %s", all, each[i]);
    return all;
}

void analysis_health(struct analysis_maker *m, struct analysis_trial *t,
                     const struct probe_slots *slots)
{
    const struct analysis_matrix *x = &t->matrix;
    t->health = analysis_array(m, x->n_vantages, sizeof(*t->health));
    for (size_t i = 0; t->health != NULL && i < x->n_vantages; i++) {
        struct analysis_health *h = &t->health[t->n_health++];
        const struct history_vantage *v = analysis_history_vantage(t->of, x->vantages[i].host);
        *h = (struct analysis_health){.vantage = x->vantages[i].host,
                                      .cpu_share = NAN,
                                      .steal_share = NAN,
                                      .pressure_share = NAN,
                                      .load_begin = NAN,
                                      .load_end = NAN,
                                      .null_n = -1,
                                      .null_late = -1,
                                      .null_p50_ns = -1,
                                      .null_p99_ns = -1,
                                      .null_max_ns = -1};
        lateness_fill(m, t, slots, h);
        if (v != NULL)
            told_fill(t->of, v, h);
        if (v != NULL)
            served_fill(m, v, h);
        h->why = suspect_why(m, h);
        h->suspect = h->why[0] != '\0';
    }
}

const char *analysis_stalled(struct analysis_maker *m, const struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        for (size_t k = 0; k < p->n_outages; k++)
            if (p->outages[k].gap_at_edge && p->outages[k].wave >= 0)
                return analysis_text(
                    m, "the prober at %s itself stalled at an edge of an outage of %s", p->from,
                    p->name);
        if (!p->enough && p->scheduled != 0)
            return analysis_text(m,
                                 "the prober at %s itself stalled: %u of %u slots of %s are "
                                 "missing, more than %d %%",
                                 p->from, p->gaps, p->scheduled, p->name, (int)SHARE_PERCENT);
    }
    return NULL;
}
