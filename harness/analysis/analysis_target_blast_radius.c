/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The share of the probes' weight that was impacted. */
#include "analysis/analysis_target.h"

/* A service is hit when it is at any of its vantages, and counts once. */
struct analysis_share analysis_blast(const struct analysis_trial *t)
{
    uint64_t all = 0, hit = 0, unknown = 0;
    for (size_t i = 0, n; i < t->n_probes; i += n) {
        const struct analysis_probe *p = &t->probes[i];
        bool impacted = false, enough = true;
        for (n = 0; i + n < t->n_probes && (n == 0 || p[n].vantage != 0); n++) {
            impacted = impacted || p[n].impacted;
            enough = enough && p[n].enough;
        }
        all += p->weight;
        hit += impacted ? p->weight : 0;
        unknown += !impacted && !enough ? p->weight : 0;
    }
    if (all == 0)
        return (struct analysis_share){0, 1};
    return (struct analysis_share){(double)hit / (double)all,
                                   (double)(hit + unknown) / (double)all};
}

static void blast_judge(struct analysis_maker *m, const struct analysis_trial *t,
                        struct analysis_target *ret)
{
    struct analysis_share share = analysis_blast(t);
    ret->lower = share.lower;
    ret->upper = share.upper;
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    ret->why = analysis_text(m, "%.1f%% of the probes' weight was impacted, against at most %.1f%%",
                             ret->lower * 100, ret->limit * 100);
    if (ret->verdict == VERDICT_INCONCLUSIVE)
        ret->why = analysis_text(m, "between %.1f%% and %.1f%% of the probes' weight was impacted",
                                 ret->lower * 100, ret->upper * 100);
}

static void judge(struct analysis_maker *m, const struct target_case *c,
                  struct analysis_target *ret)
{
    blast_judge(m, c->t, ret);
    if (!target_is_cut(c->t, 0))
        return;
    ret->upper = 1;
    target_cut_short(m, c->t, "what would have come is not known", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    blast_judge(m, c->t, ret);
}

static double limit(const struct scenario_target *of)
{
    return of->limit.ppm / 1e6;
}

const struct target_judging target_blast_radius = {
    .whole = true, .most = 1, .limit = limit, .judge = judge, .show = show};
