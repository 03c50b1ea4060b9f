/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/overview.h"

#include "analysis/analysis_parts.h"

#include <math.h>
#include <string.h>

const char *overview_word(enum overview_what w)
{
    static const char *const words[OVERVIEW_N] = {
        [OVERVIEW_RECOVERY] = "recovery",  [OVERVIEW_OUTAGE] = "outage",
        [OVERVIEW_LOST] = "lost writes",   [OVERVIEW_AVAILABILITY] = "availability",
        [OVERVIEW_BLAST] = "blast radius",
    };
    return words[w];
}

static bool counts(const struct analysis_trial *t)
{
    return !t->fault_free && !t->stopped && t->verdict != VERDICT_INVALID && t->n_waves != 0 &&
           t->waves[0].injected.hi != HISTORY_UNKNOWN;
}

static void widen(struct overview_figure *f, double lower, double upper, uint32_t n)
{
    f->lower = f->n == 0 ? lower : fmin(f->lower, lower);
    f->upper = f->n == 0 ? upper : fmax(f->upper, upper);
    f->n += n;
}

static bool is_like(const struct analysis_target *a, const struct analysis_target *b)
{
    return strcmp(a->measure, b->measure) == 0 && strcmp(a->of, b->of) == 0 &&
           strcmp(a->vantage, b->vantage) == 0 && strcmp(a->from, b->from) == 0 &&
           strcmp(a->detail, b->detail) == 0;
}

/* What is looked for in the trials of one run. */
struct search {
    const struct analysis *a;
    const struct overview *like;
    const char *service;
};

static const struct analysis_probe *probe_of(const struct analysis_trial *t, const char *label)
{
    for (size_t i = 0; i < t->n_probes; i++)
        if (strcmp(t->probes[i].label, label) == 0)
            return &t->probes[i];
    return NULL;
}

/* Several vantages of it: the one of the target. */
static const struct analysis_probe *probe_of_target(const struct analysis_trial *t,
                                                    const struct analysis_target *g)
{
    for (size_t i = 0; i < t->n_probes; i++)
        if (!t->probes[i].signal && strcmp(t->probes[i].name, g->of) == 0 &&
            (g->vantage[0] == '\0' || strcmp(t->probes[i].from, g->vantage) == 0))
            return &t->probes[i];
    return NULL;
}

/* The label of the service that the run is judged by. */
static const char *service_of(const struct analysis *a, const char *measure)
{
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_targets; k++) {
            const struct analysis_target *g = &a->trials[i].targets[k];
            const struct analysis_probe *p = probe_of_target(&a->trials[i], g);
            bool stated = strcmp(g->measure, "impact") != 0;
            if (p != NULL && stated && (measure == NULL || strcmp(g->measure, measure) == 0))
                return p->label;
        }
    return measure != NULL ? service_of(a, NULL) : "";
}

/* The first target of this measure, of the service alone or of any; or the one that is like another
 * run's. */
static const struct analysis_target *target_find(const struct search *s,
                                                 const struct analysis_trial *t,
                                                 const char *measure, bool of_service,
                                                 const struct analysis_target *like)
{
    for (size_t i = 0; i < t->n_targets; i++) {
        const struct analysis_target *g = &t->targets[i];
        const struct analysis_probe *p = probe_of_target(t, g);
        bool wanted = strcmp(g->measure, measure) == 0 &&
                      (!of_service || (p != NULL && strcmp(p->label, s->service) == 0));
        if (like != NULL ? is_like(g, like) : wanted)
            return g;
    }
    return NULL;
}

/* True when there is such a target, whatever it says. */
static bool of_target(const struct search *s, const char *measure, bool of_service,
                      enum overview_what what, struct overview *ret)
{
    struct overview_figure *f = &ret->figures[what];
    const struct analysis_target *like = s->like != NULL ? s->like->figures[what].of : NULL;
    if (s->like != NULL && s->like->figures[what].of_service)
        return false;
    for (size_t i = 0; i < s->a->n_trials; i++) {
        const struct analysis_trial *t = &s->a->trials[i];
        const struct analysis_target *g = target_find(s, t, measure, of_service, like);
        if (g == NULL)
            continue;
        f->of = g;
        f->unit = g->unit;
        if (!counts(t) || g->verdict == VERDICT_NOT_JUDGED || g->verdict == VERDICT_INVALID)
            continue;
        widen(f, g->lower, g->upper, 1);
        ret->by_hand += what == OVERVIEW_RECOVERY && !g->automatic;
    }
    return f->of != NULL || like != NULL;
}

static double seconds(int64_t ns)
{
    return ns == SPAN_OPEN ? (double)INFINITY : (double)(ns > 0 ? ns : 0) / (double)NS_PER_SEC;
}

/* From the first fault to the end of the last outage that was not planned. Without an outage: 0, up
 * to what could have been missed. */
static void recovery_seen(const struct analysis_trial *t, const struct analysis_probe *p,
                          struct overview_figure *f, struct overview *ret)
{
    const struct analysis_outage *last = NULL;
    struct span from = t->waves[0].injected;
    for (size_t i = 0; i < p->n_outages; i++)
        if (p->outages[i].wave >= 0 && !p->outages[i].planned)
            last = &p->outages[i];
    bool cut = analysis_cut_at(t->of) != SPAN_OPEN;
    f->unit = UNIT_SECONDS;
    f->of_service = true;
    if (last == NULL) {
        bool known = p->enough && p->missed_ns >= 0 && !cut;
        widen(f, 0, known ? seconds(p->missed_ns) : (double)INFINITY, 1);
        return;
    }
    bool open = cut || !last->recovered || last->recovery.hi == SPAN_OPEN;
    widen(f, seconds(last->recovery.lo - from.hi),
          open ? (double)INFINITY : seconds(last->recovery.hi - from.lo), 1);
    ret->by_hand += !last->automatic;
}

static void outage_seen(const struct analysis_probe *p, struct overview_figure *f)
{
    f->unit = UNIT_SECONDS;
    f->of_service = true;
    widen(f, seconds(p->lost.lo), seconds(p->lost.hi), 1);
}

static void lost(const struct analysis_trial *t, struct overview_figure *f)
{
    double lower = 0, upper = 0;
    for (size_t i = 0; i < t->n_ledgers; i++) {
        lower += t->ledgers[i].known ? (double)t->ledgers[i].lost_lower : 0;
        upper += t->ledgers[i].known ? (double)t->ledgers[i].lost_upper : (double)INFINITY;
    }
    f->unit = UNIT_COUNT;
    if (t->n_ledgers != 0)
        widen(f, lower, upper, 1);
}

static void available(const struct analysis_trial *t, const struct analysis_probe *of,
                      struct overview_figure *f)
{
    double lower = 1, upper = 1;
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        if (of == NULL ? p->signal : p != of)
            continue;
        lower = fmin(lower, p->availability_lo);
        upper = fmin(upper, p->availability_hi);
    }
    f->unit = UNIT_SHARE;
    f->of_service = of != NULL;
    widen(f, lower, upper, 1);
}

static void blast(const struct analysis_trial *t, struct overview_figure *f)
{
    struct analysis_share share = analysis_blast(t);
    f->unit = UNIT_SHARE;
    widen(f, share.lower, share.upper, 1);
}

/* A plan decides by a run's end. */
static enum verdict verdict_of(const struct analysis *a)
{
    enum verdict v = VERDICT_NOT_JUDGED;
    if (!a->stopped || analysis_says_nothing(a) || a->series.invalid ||
        a->series.decision != DECISION_NO_PLAN)
        return a->verdict;
    for (size_t i = 0; i < a->n_trials; i++)
        if (!a->trials[i].stopped)
            v = verdict_worse(v, a->trials[i].verdict);
    return v;
}

void overview_make(const struct analysis *a, const struct overview *like, struct overview *ret)
{
    struct overview_figure *f = ret->figures;
    *ret =
        (struct overview){.service = like != NULL ? like->service : service_of(a, "recovery_time"),
                          .stopped = a->stopped,
                          .verdict = verdict_of(a)};
    const struct search s = {a, like, ret->service};
    bool recovers = of_target(&s, "recovery_time", false, OVERVIEW_RECOVERY, ret);
    bool is_stated = of_target(&s, "availability", true, OVERVIEW_AVAILABILITY, ret);
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        const struct analysis_probe *p = probe_of(t, s.service);
        bool whole = !t->fault_free && !t->stopped;
        ret->trials += whole;
        if (whole && t->end_ns - t->start_ns > ret->longest_ns)
            ret->longest_ns = t->end_ns - t->start_ns;
        ret->verdicts[t->verdict] += whole;
        if (!counts(t))
            continue;
        if (!recovers && p != NULL)
            recovery_seen(t, p, &f[OVERVIEW_RECOVERY], ret);
        if (p != NULL)
            outage_seen(p, &f[OVERVIEW_OUTAGE]);
        if (!is_stated && (p != NULL || s.service[0] == '\0'))
            available(t, p, &f[OVERVIEW_AVAILABILITY]);
        lost(t, &f[OVERVIEW_LOST]);
        blast(t, &f[OVERVIEW_BLAST]);
    }
}

/* A run that was stopped before any trial had ended. */
static bool says_nothing(const struct overview *o)
{
    return o->stopped != 0 && o->trials == 0;
}

void overview_join(struct overview *o, const struct overview *with)
{
    if (says_nothing(o))
        o->verdict = with->verdict;
    else if (!says_nothing(with))
        o->verdict = verdict_worse(o->verdict, with->verdict);
    for (int i = 0; i < OVERVIEW_N; i++) {
        struct overview_figure *f = &o->figures[i];
        const struct overview_figure *g = &with->figures[i];
        f->unit = f->n != 0 ? f->unit : g->unit;
        if (g->n != 0)
            widen(f, g->lower, g->upper, g->n);
    }
    o->trials += with->trials;
    o->longest_ns = with->longest_ns > o->longest_ns ? with->longest_ns : o->longest_ns;
    o->stopped += with->stopped;
    o->by_hand += with->by_hand;
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        o->verdicts[v] += with->verdicts[v];
}

bool overview_as_expected(enum verdict v, enum variant_expect e)
{
    return v == (e == EXPECT_PASS ? VERDICT_PASS : VERDICT_FAIL);
}

int overview_exit(enum verdict v, bool dirty, enum variant_expect e)
{
    bool decided = v == VERDICT_PASS || v == VERDICT_FAIL;
    return decided && !dirty ? !overview_as_expected(v, e) : verdict_exit(v, dirty);
}
