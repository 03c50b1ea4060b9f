/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The share of the services, by their probes' weight, that was impacted; or the hosts that were, of
 * those that have a probe of their own, over the hosts that had a fault. */
#include "analysis/analysis_target.h"

#include <math.h>
#include <string.h>

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

/* The host that a probe asks, when it asks no other; NULL. */
static const char *own_host(const struct history *h, const struct analysis_probe *p)
{
    for (size_t i = 0; !p->signal && i < h->n_probes; i++)
        if (strcmp(h->probes[i].name, p->name) == 0)
            return h->probes[i].n_hosts == 1 ? h->probes[i].hosts[0] : NULL;
    return NULL;
}

struct hosts {
    size_t faulted, own, hit, unknown; /* own: has a probe of its own */
};

static bool is_faulted(const struct analysis_trial *t, const char *host)
{
    for (size_t i = 0; i < t->n_injections; i++)
        if (t->injections[i].of->applied && strcmp(t->injections[i].of->host, host) == 0)
            return true;
    return false;
}

static void host_count(const struct history *h, const struct analysis_trial *t, const char *host,
                       struct hosts *sum)
{
    bool own = false, hit = false, known = true;
    for (size_t i = 0; i < t->n_probes; i++) {
        const struct analysis_probe *p = &t->probes[i];
        const char *of = own_host(h, p);
        if (of == NULL || strcmp(of, host) != 0)
            continue;
        own = true;
        hit = hit || p->impacted;
        known = known && p->enough;
    }
    sum->faulted += is_faulted(t, host);
    sum->own += own;
    sum->hit += hit;
    sum->unknown += own && !hit && !known;
}

static void hosts_judge(struct analysis_maker *m, const struct analysis_trial *t,
                        struct analysis_target *ret)
{
    struct hosts n = {0, 0, 0, 0};
    for (size_t i = 0; i < m->h->n_hosts; i++)
        host_count(m->h, t, m->h->hosts[i].name, &n);
    ret->lower = 0;
    ret->upper = INFINITY;
    ret->verdict = VERDICT_INCONCLUSIVE;
    if (n.own == 0 || n.faulted == 0) {
        ret->why = n.own == 0 ? "no host has a probe of its own, which asks no other"
                              : "no host of the run had a fault";
        return;
    }
    ret->lower = (double)n.hit / (double)n.faulted;
    ret->upper = (double)(n.hit + n.unknown) / (double)n.faulted;
    ret->verdict = verdict_at_most(ret->lower, ret->upper, ret->limit);
    ret->why = analysis_text(
        m,
        "%zu%s of the %zu hosts with a probe of their own impacted, %zu with a "
        "fault: %s %.1f%%",
        n.hit, n.unknown != 0 ? " or more" : "", n.own, n.faulted,
        ret->verdict == VERDICT_PASS ? "within" : "against at most", ret->limit * 100);
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
    if (c->of->blast_of == BLAST_HOSTS)
        hosts_judge(m, c->t, ret);
    else
        blast_judge(m, c->t, ret);
    if (!target_is_cut(c->t, 0))
        return;
    ret->upper = c->of->blast_of == BLAST_HOSTS ? INFINITY : 1;
    target_cut_short(m, c->t, "what would have come is not known", ret);
}

static void show(struct analysis_maker *m, const struct target_case *c, struct analysis_target *ret)
{
    if (c->of->blast_of == BLAST_SERVICES)
        blast_judge(m, c->t, ret);
    else
        ret->upper = INFINITY; /* no host has a fault */
}

static const char *detail(struct analysis_maker *m, const struct scenario_target *of)
{
    (void)m;
    return of->blast_of == BLAST_HOSTS ? "of hosts" : "";
}

static double limit(const struct scenario_target *of)
{
    return of->limit.ppm / 1e6;
}

static const char *nothing(const struct scenario_target *of)
{
    return of->blast_of == BLAST_HOSTS ? "without a fault no host has one" : NULL;
}

const struct target_judging target_blast_radius = {.whole = true,
                                                   .most = 1,
                                                   .limit = limit,
                                                   .detail = detail,
                                                   .judge = judge,
                                                   .show = show,
                                                   .nothing = nothing};
