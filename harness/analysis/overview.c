/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/overview.h"

#include "analysis/analysis_parts.h"

#include <math.h>
#include <string.h>

const char *overview_word(enum overview_what w)
{
    static const char *const words[OVERVIEW_N] = {
        [OVERVIEW_RECOVERY] = "recovery",
        [OVERVIEW_LOST] = "lost writes",
        [OVERVIEW_AVAILABILITY] = "availability",
        [OVERVIEW_BLAST] = "blast radius",
    };
    return words[w];
}

static bool counts(const struct analysis_trial *t)
{
    return !t->fault_free && t->verdict != VERDICT_INVALID && t->n_waves != 0 &&
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

/* The first target of this measure, or the one that is like another run's. */
static size_t target_find(const struct analysis_trial *t, const char *measure,
                          const struct analysis_target *like)
{
    for (size_t i = 0; i < t->n_targets; i++)
        if (like != NULL ? is_like(&t->targets[i], like)
                         : strcmp(t->targets[i].measure, measure) == 0)
            return i;
    return SIZE_MAX;
}

static void of_target(const struct analysis *a, const char *measure, const struct overview *like,
                      enum overview_what what, struct overview *ret)
{
    struct overview_figure *f = &ret->figures[what];
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        size_t k = target_find(t, measure, like != NULL ? like->figures[what].of : NULL);
        if (k == SIZE_MAX)
            continue;
        const struct analysis_target *g = &t->targets[k];
        f->of = g;
        f->unit = g->unit;
        if (!counts(t) || g->verdict == VERDICT_NOT_JUDGED || g->verdict == VERDICT_INVALID)
            continue;
        widen(f, g->lower, g->upper, 1);
        ret->by_hand += what == OVERVIEW_RECOVERY && !g->automatic;
    }
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

static void least_available(const struct analysis_trial *t, struct overview_figure *f)
{
    double lower = 1, upper = 1;
    for (size_t i = 0; i < t->n_probes; i++)
        if (!t->probes[i].signal) {
            lower = fmin(lower, t->probes[i].availability_lo);
            upper = fmin(upper, t->probes[i].availability_hi);
        }
    f->unit = UNIT_SHARE;
    widen(f, lower, upper, 1);
}

static void blast(const struct analysis_trial *t, struct overview_figure *f)
{
    struct analysis_share share = analysis_blast(t);
    f->unit = UNIT_SHARE;
    widen(f, share.lower, share.upper, 1);
}

void overview_make(const struct analysis *a, const struct overview *like, struct overview *ret)
{
    *ret = (struct overview){.trials = 0};
    of_target(a, "recovery_time", like, OVERVIEW_RECOVERY, ret);
    of_target(a, "availability", like, OVERVIEW_AVAILABILITY, ret);
    bool stated = ret->figures[OVERVIEW_AVAILABILITY].of != NULL ||
                  (like != NULL && like->figures[OVERVIEW_AVAILABILITY].of != NULL);
    for (size_t i = 0; i < a->n_trials; i++) {
        const struct analysis_trial *t = &a->trials[i];
        ret->trials += !t->fault_free;
        ret->verdicts[t->verdict] += !t->fault_free;
        if (!counts(t))
            continue;
        lost(t, &ret->figures[OVERVIEW_LOST]);
        if (!stated)
            least_available(t, &ret->figures[OVERVIEW_AVAILABILITY]);
        blast(t, &ret->figures[OVERVIEW_BLAST]);
    }
}

void overview_join(struct overview *o, const struct overview *with)
{
    for (int i = 0; i < OVERVIEW_N; i++) {
        struct overview_figure *f = &o->figures[i];
        const struct overview_figure *g = &with->figures[i];
        f->unit = f->n != 0 ? f->unit : g->unit;
        if (g->n != 0)
            widen(f, g->lower, g->upper, g->n);
    }
    o->trials += with->trials;
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
