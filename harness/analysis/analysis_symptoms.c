/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reproduced outage showed: each symptom is a target that must be met, or missed, by its
 * whole interval. Where nothing was injected it is judged as if the faults had been there when they
 * were planned, by the same code.
 */
#include "analysis/analysis_target.h"
#include "base/buf.h"

#include <string.h>

enum { NAMES_MAX = 900 };

const char *symptom_word(enum symptom_state s)
{
    static const char *const words[] = {
        [SYMPTOM_NOT_JUDGED] = "not judged",
        [SYMPTOM_SHOWN] = "shown",
        [SYMPTOM_NOT_DECIDED] = "not decided",
        [SYMPTOM_NOT_SHOWN] = "not shown",
    };
    return words[s];
}

/* An impact that was expected and never came has nothing that could be shown. */
static enum symptom_state state_of(enum verdict v, bool missed)
{
    switch (v) {
    case VERDICT_PASS:
        return missed ? SYMPTOM_NOT_SHOWN : SYMPTOM_SHOWN;
    case VERDICT_FAIL:
        return missed ? SYMPTOM_SHOWN : SYMPTOM_NOT_SHOWN;
    case VERDICT_INVALID:
        return SYMPTOM_NOT_SHOWN;
    case VERDICT_INCONCLUSIVE:
        return SYMPTOM_NOT_DECIDED;
    case VERDICT_NOT_JUDGED:
        break;
    }
    return SYMPTOM_NOT_JUDGED;
}

/* Of several vantages the worst decides: a target is met at all of them, or missed. */
static void symptom_judge(struct analysis_maker *m, const struct analysis_trial *t,
                          const struct probe_slots *slots, const struct scenario_symptom *of,
                          struct analysis_symptom *ret)
{
    *ret = (struct analysis_symptom){
        .shows = of->shows, .missed = of->missed, .trial = t->trial, .why = ""};
    for (size_t i = 0; i < of->n_targets; i++) {
        struct analysis_target one;
        target_judge(m, t, slots, &of->targets[i], &one);
        if (i == 0 || one.verdict > ret->target.verdict)
            ret->target = one;
    }
    const struct target_judging *how = target_judging_of(of->targets[0].kind);
    const char *nothing =
        t->fault_free && how->nothing != NULL ? how->nothing(&of->targets[0]) : NULL;
    if (nothing != NULL) {
        ret->target.verdict = VERDICT_INVALID;
        ret->target.why = nothing;
    }
    ret->state = state_of(ret->target.verdict, of->missed);
    ret->why = ret->target.why;
}

void analysis_symptoms(struct analysis_maker *m, struct analysis_trial *t,
                       const struct probe_slots *slots)
{
    struct analysis_wave planned;
    struct analysis_trial as_planned = *t;
    t->symptoms = analysis_array(m, m->s->n_symptoms, sizeof(*t->symptoms));
    if (t->n_waves == 0 && (t->fault_free || !analysis_injects(m->s))) {
        planned = analysis_planned(m, t);
        as_planned.waves = &planned;
        as_planned.n_waves = 1;
    }
    for (size_t i = 0; t->symptoms != NULL && i < m->s->n_symptoms; i++)
        symptom_judge(m, &as_planned, slots, &m->s->symptoms[i], &t->symptoms[t->n_symptoms++]);
}

static size_t count(const struct analysis_trial *t, enum symptom_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_symptoms; i++)
        n += t->symptoms[i].state == state;
    return n;
}

static bool is_odd(const struct analysis_symptom *s)
{
    return s->missed && s->state == SYMPTOM_SHOWN;
}

/* Their names, in quotes; and, of a single one, why. */
static const char *names(struct analysis_maker *m, const struct analysis_trial *t,
                         enum symptom_state state, bool only_missed)
{
    CLEANUP_BUF struct buf b = BUF_INIT(NAMES_MAX);
    for (size_t i = 0; i < t->n_symptoms; i++) {
        const struct analysis_symptom *s = &t->symptoms[i];
        if (s->state == state && (s->missed || !only_missed))
            buf_printf(&b, "%s\"%s\"", b.len != 0 ? ", " : "", s->shows);
    }
    if (!buf_ok(&b))
        return analysis_text(m, "%s ...", buf_text(&b));
    return analysis_text(m, "%s", buf_text(&b));
}

/* ": availability of home: lower bound ..." where one alone is in that state; else nothing. */
static const char *reason(struct analysis_maker *m, const struct analysis_trial *t,
                          enum symptom_state state)
{
    const struct analysis_symptom *one = NULL;
    for (size_t i = 0; i < t->n_symptoms && count(t, state) == 1; i++)
        if (t->symptoms[i].state == state)
            one = &t->symptoms[i];
    if (one == NULL || one->why[0] == '\0')
        return "";
    const struct analysis_target *g = &one->target;
    return analysis_text(m, ": %s%s%s: %s", g->measure, g->of[0] != '\0' ? " of " : "", g->of,
                         one->why);
}

static const char *not_shown(struct analysis_maker *m, const struct analysis_trial *t)
{
    return analysis_text(m, "the reproduction did not show %s%s",
                         names(m, t, SYMPTOM_NOT_SHOWN, false), reason(m, t, SYMPTOM_NOT_SHOWN));
}

static const char *not_known(struct analysis_maker *m, const struct analysis_trial *t)
{
    enum symptom_state state =
        count(t, SYMPTOM_NOT_DECIDED) != 0 ? SYMPTOM_NOT_DECIDED : SYMPTOM_NOT_JUDGED;
    const char *text = analysis_text(m, "it is not known whether the reproduction showed %s",
                                     names(m, t, state, false));
    if (analysis_cut_at(t->of) != SPAN_OPEN)
        return analysis_text(m, "%s; %s", analysis_cut_why(m, t->of), text);
    return analysis_text(m, "%s%s", text, reason(m, t, state));
}

bool analysis_symptoms_shown(const struct analysis_trial *t)
{
    return count(t, SYMPTOM_SHOWN) == t->n_symptoms;
}

const char *analysis_symptoms_lack(struct analysis_maker *m, const struct analysis_trial *t,
                                   enum verdict *ret_verdict)
{
    if (t->fault_free || analysis_symptoms_shown(t))
        return NULL;
    bool missing = count(t, SYMPTOM_NOT_SHOWN) != 0;
    *ret_verdict = missing ? VERDICT_INVALID : VERDICT_INCONCLUSIVE;
    return missing ? not_shown(m, t) : not_known(m, t);
}

const char *analysis_symptoms_dry(struct analysis_maker *m, const struct analysis_trial *t,
                                  enum verdict *ret_verdict)
{
    bool odd = false;
    for (size_t i = 0; i < t->n_symptoms; i++)
        odd = odd || is_odd(&t->symptoms[i]);
    if (!t->fault_free || t->n_symptoms == 0)
        return NULL;
    const char *missing =
        m->h->no_fault && count(t, SYMPTOM_NOT_SHOWN) != 0 ? not_shown(m, t) : NULL;
    *ret_verdict = VERDICT_INVALID;
    if (odd)
        return analysis_text(m, "%s%sshown without any fault: %s", missing != NULL ? missing : "",
                             missing != NULL ? "; " : "", names(m, t, SYMPTOM_SHOWN, true));
    if (analysis_symptoms_shown(t))
        return analysis_text(m, "every symptom was shown without any fault: %s",
                             names(m, t, SYMPTOM_SHOWN, false));
    if (missing != NULL || !m->h->no_fault)
        return missing;
    *ret_verdict = VERDICT_INCONCLUSIVE;
    return not_known(m, t);
}

void analysis_symptoms_drop(struct analysis_trial *t, const char *why)
{
    for (size_t i = 0; i < t->n_symptoms; i++) {
        t->symptoms[i].state = SYMPTOM_NOT_JUDGED;
        t->symptoms[i].why = why;
    }
}

static void shown_add(struct analysis_shown *s, const struct analysis_trial *t,
                      enum symptom_state state)
{
    if (t->fault_free) {
        s->dry_known = true;
        s->dry = state > s->dry ? state : s->dry;
        return;
    }
    s->n += state != SYMPTOM_NOT_JUDGED;
    s->shown += state == SYMPTOM_SHOWN;
    s->not_shown += state == SYMPTOM_NOT_SHOWN;
    s->undecided += state == SYMPTOM_NOT_DECIDED;
    s->left_out += state == SYMPTOM_NOT_JUDGED;
}

static const char *sentence(struct analysis_maker *m, const struct analysis_shown *s)
{
    const char *open = "", *out = "";
    if (s->n + s->left_out < 2)
        return "";
    if (s->undecided != 0)
        open = analysis_text(m, " (%u not decided)", s->undecided);
    if (s->left_out != 0)
        out = analysis_text(m, "; %u left out", s->left_out);
    return analysis_text(
        m, "symptom \"%s\": shown in %u of %u trials%s%s%s", s->shows, s->shown, s->n, open, out,
        s->dry_known && s->dry == SYMPTOM_SHOWN ? "; and in the fault-free one" : "");
}

void analysis_symptoms_sum(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    bool only_dry = true;
    a->symptoms = analysis_array(m, m->s->n_symptoms, sizeof(*a->symptoms));
    a->shown = analysis_array(m, m->s->n_symptoms, sizeof(*a->shown));
    for (size_t i = 0; i < a->n_trials; i++)
        only_dry = only_dry && a->trials[i].fault_free;
    for (size_t k = 0; a->symptoms != NULL && a->shown != NULL && k < m->s->n_symptoms; k++) {
        bool any = false;
        a->shown[k] = (struct analysis_shown){.shows = m->s->symptoms[k].shows, .sentence = ""};
        for (size_t i = 0; i < a->n_trials; i++) {
            const struct analysis_trial *t = &a->trials[i];
            if (k >= t->n_symptoms)
                continue;
            shown_add(&a->shown[k], t, t->symptoms[k].state);
            if ((only_dry || !t->fault_free) &&
                (!any || t->symptoms[k].state > a->symptoms[k].state)) {
                a->symptoms[k] = t->symptoms[k];
                any = true;
            }
        }
        a->n_symptoms += any;
        a->shown[k].sentence = sentence(m, &a->shown[k]);
    }
}
