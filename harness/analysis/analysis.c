/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/analysis_parts.h"
#include "analysis/stats.h"
#include "base/cleanup.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 256 << 20 };

const char *analysis_text(struct analysis_maker *m, const char *fmt, ...)
{
    char text[1024];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    char *copy = n >= 0 ? arena_strdup(&m->a->arena, text) : NULL;
    if (copy == NULL)
        m->no_memory = true;
    return copy != NULL ? copy : "";
}

void *analysis_array(struct analysis_maker *m, size_t n, size_t size)
{
    void *p = arena_array(&m->a->arena, n + 1, size);
    if (p == NULL)
        m->no_memory = true;
    return p;
}

const char *analysis_time(int64_t ns, char out[32])
{
    if (ns < 0 || ns == SPAN_OPEN)
        (void)snprintf(out, 32, "?");
    else if (ns < NS_PER_MS)
        (void)snprintf(out, 32, "%.0f us", (double)ns / (double)NS_PER_US);
    else if (ns < NS_PER_SEC)
        (void)snprintf(out, 32, "%.1f ms", (double)ns / (double)NS_PER_MS);
    else
        (void)snprintf(out, 32, "%.3f s", (double)ns / (double)NS_PER_SEC);
    return out;
}

static void hosts_fill(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    a->hosts = analysis_array(m, m->h->n_hosts, sizeof(*a->hosts));
    for (size_t i = 0; a->hosts != NULL && i < m->h->n_hosts; i++) {
        const struct history_host *h = &m->h->hosts[i];
        a->hosts[a->n_hosts++] = (struct analysis_host){.name = h->name,
                                                        .clean = h->known && h->clean,
                                                        .known = h->known,
                                                        .differences = h->differences,
                                                        .left = h->left,
                                                        .listed = h->listed};
        a->dirty = a->dirty || (h->known && !h->clean);
    }
}

static void injections_fill(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    size_t n = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        n += a->trials[i].n_injections;
    a->injections = analysis_array(m, n, sizeof(*a->injections));
    for (size_t i = 0; a->injections != NULL && i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_injections; k++)
            a->injections[a->n_injections++] = a->trials[i].injections[k];
}

/* The trials that count for targets: dry ones, and one that was stopped, only when there are no
 * others. */
static bool is_judged(const struct analysis *a, size_t trial)
{
    const struct analysis_trial *t = &a->trials[trial];
    bool only_dry = true;
    for (size_t i = 0; only_dry && i < a->n_trials; i++)
        only_dry = a->trials[i].fault_free;
    return only_dry || (!t->fault_free && !(t->stopped && a->n_ended != 0));
}

static void ended_fill(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    a->stopped = history_stopped(m->h);
    for (size_t i = 0; i < a->n_trials; i++)
        a->n_ended += !a->trials[i].fault_free && !a->trials[i].stopped;
}

static bool is_same(const struct analysis_target *a, const struct analysis_target *b)
{
    return strcmp(a->measure, b->measure) == 0 && strcmp(a->of, b->of) == 0 &&
           strcmp(a->from, b->from) == 0;
}

/* The scenario's own stand in its order; an `impact` is found by its name, since a trial that never
 * injected lists that of every probe. */
static void target_merge(struct analysis_maker *m, size_t k, const struct analysis_target *g)
{
    struct analysis *a = m->a;
    size_t at = k < m->s->n_targets ? k : m->s->n_targets;
    while (k >= m->s->n_targets && at < a->n_targets && !is_same(&a->targets[at], g))
        at++;
    if (at >= a->n_targets && a->n_targets < m->s->n_targets + m->s->n_probes)
        a->targets[a->n_targets++] = *g;
    else if (at < a->n_targets &&
             (g->verdict > a->targets[at].verdict ||
              (g->verdict == a->targets[at].verdict && g->upper > a->targets[at].upper)))
        a->targets[at] = *g;
}

static void targets_fill(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    a->targets = analysis_array(m, m->s->n_targets + m->s->n_probes, sizeof(*a->targets));
    for (size_t i = 0; a->targets != NULL && i < a->n_trials; i++)
        for (size_t k = 0; is_judged(a, i) && k < a->trials[i].n_targets; k++)
            target_merge(m, k, &a->trials[i].targets[k]);
}

/* One fault-free trial that shows impact, or the outage's symptoms, says that all others may have
 * shown the same. */
static void series_check(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    const struct analysis_trial *bad = NULL;
    for (size_t i = 0; i < a->n_trials && bad == NULL; i++)
        if (a->trials[i].fault_free && a->trials[i].verdict == VERDICT_INVALID)
            bad = &a->trials[i];
    if (bad == NULL || m->h->no_fault)
        return;
    enum verdict v;
    const char *symptoms = analysis_symptoms_dry(m, bad, &v);
    a->series.invalid = true;
    a->verdict = VERDICT_INVALID;
    a->why = "the fault-free trial showed impact: the series is invalid";
    if (symptoms != NULL)
        a->why =
            analysis_text(m, "the fault-free trial is invalid, and so the series: %s", symptoms);
    for (size_t k = 0; k < a->n_targets; k++) {
        a->targets[k].verdict = VERDICT_INVALID;
        a->targets[k].why = a->why;
    }
}

/* Why the run did not come to its end, or NULL. */
static const char *cut_short(const struct history *h)
{
    if (h->abort_what != NULL || h->abort_why != NULL)
        return h->abort_what != NULL ? h->abort_what : h->abort_why;
    if (h->error != NULL)
        return h->error;
    if (!h->ended)
        return "the journal ends before the run does";
    if (h->n_trials == 0)
        return "the run ended before its first trial";
    return h->aborted ? "the run was aborted" : NULL;
}

/* The first of the worst. */
static void worst_take(struct analysis_maker *m, bool judged)
{
    struct analysis *a = m->a;
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        if (is_judged(a, i) != judged || t->verdict <= a->verdict)
            continue;
        a->verdict = t->verdict;
        a->why = a->n_trials > 1 && t->verdict != VERDICT_PASS
                     ? analysis_text(m, "trial %u: %s", t->trial, t->why)
                     : t->why;
    }
}

static bool is_cut_off(const struct history *h)
{
    return !h->ended && h->abort_why == NULL && h->abort_what == NULL;
}

static void verdict_fill(struct analysis_maker *m)
{
    struct analysis *a = m->a;
    a->verdict = VERDICT_NOT_JUDGED;
    a->why = "";
    /* A series' fault-free trial gives the reason only where it is worse than all others. */
    worst_take(m, true);
    worst_take(m, false);
    series_check(m);
    analysis_summaries(m);
    analysis_series(m);
    const char *why = cut_short(m->h);
    /* What of ours broke, or a journal that was cut off, is the reason of what was not seen. */
    bool broke = a->verdict == VERDICT_INCONCLUSIVE && (m->h->error != NULL || is_cut_off(m->h));
    if ((a->verdict < VERDICT_INCONCLUSIVE || broke) && why != NULL) {
        a->verdict = VERDICT_INCONCLUSIVE;
        a->why = why;
    }
    a->exit_status = verdict_exit(a->verdict, a->dirty);
}

/* What stands for a person, and from when a trial without any fault counts. */
static void asked_notes(struct analysis *a)
{
    bool model = false, spared = false;
    for (size_t i = 0; i < a->n_trials; i++) {
        spared = spared || analysis_spared(&a->trials[i]);
        for (size_t k = 0; k < a->trials[i].n_admissions; k++)
            model = model || a->trials[i].admissions[k].approver[0] != '\0';
    }
    if (model)
        a->notes[a->n_notes++] = "approvals are models of a person: the scenario states the answer "
                                 "and how long it takes; nobody was asked";
    if (spared)
        a->notes[a->n_notes++] = "where every step was refused nothing was injected, and what is "
                                 "measured from the fault is measured from the refusal";
}

static void notes_fill(struct analysis_maker *m)
{
    enum { NOTES_MAX = 10 };
    struct analysis *a = m->a;
    const struct history *h = m->h;
    a->notes = analysis_array(m, NOTES_MAX, sizeof(*a->notes));
    if (a->notes == NULL)
        return;
    char stable[32];
    a->notes[a->n_notes++] =
        analysis_text(m, "recovered: only good slots for %s; the time is the start of that streak",
                      analysis_time(m->s->stable_for.ns, stable));
    a->notes[a->n_notes++] =
        "bounds are send times of bad slots and completions of good ones; slots "
        "are jittered by 10 % so that they do not alias";
    uint64_t late = 0, all = 0;
    for (size_t i = 0; i < a->n_trials; i++)
        for (size_t k = 0; k < a->trials[i].n_probes; k++) {
            late += a->trials[i].probes[k].late;
            all += a->trials[i].probes[k].scheduled;
        }
    if (late != 0)
        a->notes[a->n_notes++] = analysis_text(
            m, "%llu of %llu slots were sent more than a quarter of their interval late",
            (unsigned long long)late, (unsigned long long)all);
    asked_notes(a);
    if (h->torn)
        a->notes[a->n_notes++] = "the journal's last line was torn and is dropped";
    if (h->files_unfinished != 0)
        a->notes[a->n_notes++] =
            "the run died while it wrote samples: that file has no hash to check";
}

int analysis_make(const struct scenario *s, const struct history *h, struct analysis **ret,
                  struct err *err)
{
    CLEANUP_ANALYSIS struct analysis *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return make_error(err, ERR_SYSTEM, ENOMEM, "analysis");
    a->arena = ARENA_INIT(ARENA_MAX);
    struct analysis_maker m = {.s = s, .h = h, .a = a};
    a->trials = analysis_array(&m, h->n_trials, sizeof(*a->trials));
    for (size_t i = 0; a->trials != NULL && !m.failed && i < h->n_trials; i++, a->n_trials++)
        analysis_trial(&m, &h->trials[i], &a->trials[i]);
    if (m.failed) {
        *err = m.why;
        return -1;
    }
    ended_fill(&m);
    hosts_fill(&m);
    injections_fill(&m);
    targets_fill(&m);
    analysis_symptoms_sum(&m);
    verdict_fill(&m);
    analysis_sentences(&m);
    notes_fill(&m);
    if (m.no_memory)
        return make_error(err, ERR_LIMIT, 0, "the analysis would need too much memory");
    *ret = steal_ptr(&a);
    return 0;
}

void analysis_free(struct analysis *a)
{
    if (a == NULL)
        return;
    arena_free(&a->arena);
    free(a);
}

void analysis_free_at(struct analysis **a)
{
    analysis_free(*a);
}
