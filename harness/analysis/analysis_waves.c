/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injections to groups to waves: groups whose times overlap are one wave, since no recovery can be
 * laid at the door of one of them. An instant fault ends as it is applied. All groups of a step
 * that unfolds, over its hosts or in time, count as one, which begins with the first of them.
 */
#include "analysis/analysis_parts.h"
#include "base/buf.h"

#include <string.h>

enum { NAMES_MAX = 4096 };

static const struct fault *fault_in(const struct scenario_step *steps, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const struct scenario_step *s = &steps[i];
        if (s->kind == STEP_FAULT && s->fault != NULL && strcmp(s->fault->name, name) == 0)
            return s->fault;
        for (size_t b = 0; b < s->n_branches; b++) {
            const struct fault *f = fault_in(s->branches[b].steps, s->branches[b].n, name);
            if (f != NULL)
                return f;
        }
    }
    return NULL;
}

static bool is_instant(const struct analysis_maker *m, const struct history_injection *i)
{
    const struct fault *f = fault_in(m->s->steps, m->s->n_steps, i->fault);
    return f != NULL && f->lifetime == LIFETIME_INSTANT;
}

/* A group while waves are made. */
struct group {
    int64_t id, step;
    bool unfolded;
    int64_t phase; /* the last */
    struct span injected, undone;
    int64_t over; /* when the next group no longer overlaps with it */
    int64_t wave;
};

static int64_t least(int64_t a, int64_t b)
{
    return a == HISTORY_UNKNOWN || (b != HISTORY_UNKNOWN && b < a) ? b : a;
}

/* Unknown is later than everything: one that was never undone leaves the whole so. */
static int64_t latest(int64_t a, int64_t b)
{
    return a == HISTORY_UNKNOWN || b == HISTORY_UNKNOWN ? HISTORY_UNKNOWN : a > b ? a : b;
}

static bool is_unfolded(const struct history_injection *i)
{
    return i->wave > 0 || i->phase > 0;
}

static bool is_in(const struct group *g, const struct history_injection *i)
{
    return g->unfolded ? is_unfolded(i) && i->step == g->step : i->group == g->id;
}

static void group_add(const struct analysis_maker *m, struct group *g,
                      const struct history_injection *i)
{
    bool first = i->wave <= 1 && i->phase <= 1;
    g->injected.lo = first ? least(g->injected.lo, i->asked_ns) : g->injected.lo;
    g->injected.hi = first ? latest(g->injected.hi, i->active_ns) : g->injected.hi;
    if (i->phase > g->phase) {
        g->phase = i->phase;
        g->undone = (struct span){i->revert_asked_ns, i->undone_ns};
    } else if (i->phase == g->phase) {
        g->undone.lo = least(g->undone.lo, i->revert_asked_ns);
        g->undone.hi = latest(g->undone.hi, i->undone_ns);
    }
    g->over = latest(g->over, is_instant(m, i) ? i->active_ns : i->undone_ns);
}

/* A host refused its group: nothing of it was applied anywhere. */
static bool is_refused(const struct history_trial *t, const struct history_injection *in)
{
    for (size_t i = 0; i < t->n_injections; i++)
        if (t->injections[i].group == in->group && t->injections[i].refused)
            return true;
    return false;
}

static size_t groups_make(const struct analysis_maker *m, const struct history_trial *t,
                          struct group *groups)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct history_injection *in = &t->injections[i];
        size_t k = 0;
        if (is_refused(t, in))
            continue;
        while (k < n && !is_in(&groups[k], in))
            k++;
        if (k == n) {
            groups[n++] = (struct group){.id = in->group,
                                         .step = in->step,
                                         .unfolded = is_unfolded(in),
                                         .phase = in->phase,
                                         .injected = {in->asked_ns, in->active_ns},
                                         .undone = {in->revert_asked_ns, in->undone_ns},
                                         .over = is_instant(m, in) ? in->active_ns : in->undone_ns};
        }
        group_add(m, &groups[k], in);
    }
    /* In order of the command; those that never had one go last. */
    for (size_t i = 1; i < n; i++) {
        struct group g = groups[i];
        size_t k = i;
        for (; k > 0 && g.injected.lo != HISTORY_UNKNOWN &&
               (groups[k - 1].injected.lo == HISTORY_UNKNOWN ||
                groups[k - 1].injected.lo > g.injected.lo);
             k--)
            groups[k] = groups[k - 1];
        groups[k] = g;
    }
    return n;
}

/* Of the group, and of this fault and host the first. */
static bool is_first(const struct history_trial *t, const struct group *g, size_t i, bool host)
{
    const struct history_injection *in = &t->injections[i];
    bool first = is_in(g, in);
    for (size_t k = 0; k < i && first; k++)
        first = !is_in(g, &t->injections[k]) || strcmp(t->injections[k].fault, in->fault) != 0 ||
                (host && strcmp(t->injections[k].host, in->host) != 0);
    return first;
}

/* Adds "fault on n1, n2", once per fault. */
static void names_add(struct buf *b, const struct history_trial *t, const struct group *g)
{
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct history_injection *in = &t->injections[i];
        if (!is_first(t, g, i, false))
            continue;
        buf_printf(b, "%s%s on %s", b->len != 0 ? " + " : "", in->fault, in->host);
        for (size_t k = i + 1; k < t->n_injections; k++)
            if (is_first(t, g, k, true) && strcmp(t->injections[k].fault, in->fault) == 0)
                buf_printf(b, ", %s", t->injections[k].host);
        if (g->phase > 0)
            buf_printf(b, ", %lld times", (long long)g->phase);
    }
}

/* By anything but the command: then nobody knows for how much of the trial it stood. */
static bool ended_early(const struct history_injection *i)
{
    static const char *const words[] = {"lease", "guardian", "replay"};
    for (size_t k = 0; i->ended_by != NULL && k < sizeof(words) / sizeof(words[0]); k++)
        if (strcmp(i->ended_by, words[k]) == 0)
            return true;
    return i->lapsed;
}

/* What a reading is worth, by class. A state must stand to the end and is meant to vanish with the
 * revert; what was counted or has happened stays true, whenever it was read. */
static const struct evidence_rule {
    bool to_the_end; /* the last reading decides, else any that proves */
    bool while_on;   /* only those asked for before the revert was */
} evidence_rules[] = {
    [EVIDENCE_COUNTER] = {false, false},
    [EVIDENCE_STATE] = {true, true},
    [EVIDENCE_EVENT] = {false, false},
};

static bool was_on(const struct history_injection *i, const struct history_evidence *e)
{
    if (i->revert_asked_ns == HISTORY_UNKNOWN)
        return true;
    return e->asked_ns != HISTORY_UNKNOWN ? e->asked_ns <= i->revert_asked_ns
                                          : e->t < i->revert_asked_ns;
}

/* The reading that decides, or NULL when none counts: the newest, for what need not stand to the
 * end the newest that proves. */
static const struct history_evidence *evidence_of(const struct history_injection *i)
{
    const struct evidence_rule *rule = &evidence_rules[i->evidence_class];
    const struct history_evidence *ret = NULL;
    for (const struct history_evidence *e = i->evidence; e != NULL; e = e->next)
        if ((!rule->while_on || was_on(i, e)) &&
            (rule->to_the_end || ret == NULL || e->proven || !ret->proven))
            ret = e;
    return ret;
}

/* ": text", or nothing. */
static const char *colon(struct analysis_maker *m, const char *text)
{
    return text != NULL && text[0] != '\0' ? analysis_text(m, ": %s", text) : "";
}

static const char *unproven(struct analysis_maker *m, const struct history_injection *i,
                            const struct history_evidence *e)
{
    if (i->asked_ns == HISTORY_UNKNOWN || !i->applied)
        return analysis_text(m, "%s on %s was not applied%s", i->fault, i->host,
                             colon(m, i->error));
    if (ended_early(i))
        return analysis_text(m, "%s on %s ended before it was told to%s%s", i->fault, i->host,
                             i->ended_by != NULL ? ", by " : "",
                             i->ended_by != NULL ? i->ended_by : "");
    if (e == NULL)
        return analysis_text(m, "%s on %s gave no evidence", i->fault, i->host);
    if (e->proven)
        return NULL;
    return analysis_text(m, "%s on %s %s%s", i->fault, i->host,
                         i->evidence_class == EVIDENCE_COUNTER ? "matched nothing"
                                                               : "had no proven effect",
                         colon(m, e->what));
}

static bool is_counter_only(const struct analysis_injection *i)
{
    return i->of->applied && !i->of->lapsed && i->evidence != NULL &&
           i->of->evidence_class == EVIDENCE_COUNTER && !i->evidence->proven;
}

/*
 * One group cuts or harms as a whole: of its counters at least one must have grown (the other end
 * of a link may have had nothing to drop); everything else must be proven on each host.
 */
static const char *group_unproven(const struct analysis_trial *t, int64_t group)
{
    const char *nothing = NULL;
    bool counted = false;
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct analysis_injection *in = &t->injections[i];
        if (in->of->group != group)
            continue;
        if (in->proven)
            counted = counted || in->of->evidence_class == EVIDENCE_COUNTER;
        else if (!is_counter_only(in))
            return in->why;
        else
            nothing = in->why;
    }
    return counted ? NULL : nothing;
}

/* Was anything else wrong with it than that it had no effect? */
static bool is_broken(const struct analysis_trial *t, int64_t group)
{
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct history_injection *in = t->injections[i].of;
        if (in->group == group && (!in->applied || ended_early(in)))
            return true;
    }
    return false;
}

/* Each wave must be proven. Of phases one must: while it is off and on, there may be nothing in
 * some of them that it could have had an effect on. */
static const char *unfolded_unproven(struct analysis_maker *m, const struct analysis_trial *t,
                                     const struct group *g, struct analysis_wave *w)
{
    const char *nothing = NULL;
    int64_t seen = INT64_MIN;
    for (size_t i = 0; i < t->n_injections; i++) {
        const struct history_injection *in = t->injections[i].of;
        if (!is_in(g, in) || in->group == seen)
            continue;
        seen = in->group;
        const char *why = group_unproven(t, in->group);
        if (why != NULL && (in->wave > 0 || is_broken(t, in->group)))
            return why;
        w->phases += in->phase > 0;
        w->phases_proven += in->phase > 0 && why == NULL;
        nothing = why != NULL ? why : nothing;
    }
    if (w->phases == 0 || w->phases_proven > 0)
        return NULL;
    return analysis_text(m, "in none of %u phases; in the last of them %s", w->phases, nothing);
}

static void injections_judge(struct analysis_maker *m, struct analysis_trial *t)
{
    t->injections = analysis_array(m, t->of->n_injections, sizeof(*t->injections));
    for (size_t i = 0; t->injections != NULL && i < t->of->n_injections; i++) {
        if (is_refused(t->of, &t->of->injections[i]))
            continue;
        const struct history_evidence *e = evidence_of(&t->of->injections[i]);
        const char *why = unproven(m, &t->of->injections[i], e);
        uint32_t place = 0;
        for (size_t k = 0; k < i; k++)
            place += t->of->injections[k].group == t->of->injections[i].group;
        t->injections[t->n_injections++] =
            (struct analysis_injection){.of = &t->of->injections[i],
                                        .evidence = e,
                                        .trial = t->trial,
                                        .place = place,
                                        .proven = why == NULL,
                                        .why = why != NULL ? why : ""};
    }
}

static void wave_add(struct analysis_maker *m, struct analysis_trial *t, struct analysis_wave *w,
                     const struct group *g)
{
    const char *why = g->unfolded ? unfolded_unproven(m, t, g, w) : group_unproven(t, g->id);
    if (w->n_groups++ == 0) {
        w->injected = g->injected;
        w->undone = g->undone;
        w->over_ns = g->over;
        w->proven = true;
        w->why = "";
    } else {
        w->injected.lo = least(w->injected.lo, g->injected.lo);
        w->injected.hi = latest(w->injected.hi, g->injected.hi);
        w->undone.lo =
            w->undone.lo == HISTORY_UNKNOWN ? HISTORY_UNKNOWN : latest(w->undone.lo, g->undone.lo);
        w->undone.hi = latest(w->undone.hi, g->undone.hi);
        w->over_ns = latest(w->over_ns, g->over);
    }
    if (why != NULL && w->proven) {
        w->proven = false;
        w->why = why;
    }
}

static void waves_fill(struct analysis_maker *m, struct analysis_trial *t, struct group *groups,
                       size_t n)
{
    int64_t over = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        bool overlaps =
            i > 0 && (over == HISTORY_UNKNOWN || groups[i].injected.lo == HISTORY_UNKNOWN ||
                      groups[i].injected.lo < over);
        if (!overlaps) {
            t->n_waves++;
            over = groups[i].over;
        } else {
            over = latest(over, groups[i].over);
        }
        groups[i].wave = (int64_t)t->n_waves - 1;
        wave_add(m, t, &t->waves[t->n_waves - 1], &groups[i]);
    }
    for (size_t w = 0; w < t->n_waves; w++) {
        CLEANUP_BUF struct buf names = BUF_INIT(NAMES_MAX);
        for (size_t i = 0; i < n; i++)
            if (groups[i].wave == (int64_t)w)
                names_add(&names, t->of, &groups[i]);
        t->waves[w].faults =
            analysis_text(m, "%s%s", buf_text(&names), buf_ok(&names) ? "" : "...");
    }
}

/* Nothing was injected, because it was refused: what is measured counts from that moment. */
static void wave_of_refusal(struct analysis_maker *m, struct analysis_trial *t)
{
    for (size_t i = 0; i < t->n_admissions && t->n_waves == 0 && !t->fault_free; i++) {
        const struct analysis_admission *a = &t->admissions[i];
        if (strcmp(a->outcome, "refused") != 0)
            continue;
        t->waves[t->n_waves++] = (struct analysis_wave){
            .faults = analysis_text(m, "nothing was injected: %s of step %lld was %s", a->fault,
                                    (long long)a->step, a->sentence),
            .injected = {a->at_ns, a->at_ns},
            .undone = {a->at_ns, a->at_ns},
            .proven = true,
            .why = "",
            .refused = true};
    }
}

bool analysis_spared(const struct analysis_trial *t)
{
    return t->n_waves == 1 && t->waves[0].refused;
}

void analysis_waves(struct analysis_maker *m, struct analysis_trial *t)
{
    injections_judge(m, t);
    struct group *groups = analysis_array(m, t->of->n_injections, sizeof(*groups));
    t->waves = analysis_array(m, t->of->n_injections + 1, sizeof(*t->waves));
    if (groups == NULL || t->waves == NULL || t->injections == NULL)
        return;
    waves_fill(m, t, groups, groups_make(m, t->of, groups));
    wave_of_refusal(m, t);
}
