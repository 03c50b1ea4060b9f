/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a ledger's writes: each against what every view showed in the last full round. */
#include "analysis/analysis_parts.h"

#include <string.h>

enum { GAPS_PERCENT = 1 };

const char *write_fate_word(enum write_fate f)
{
    static const char *const words[] = {"lost", "divided", "phantom", "duplicate"};
    return words[f];
}

/* One view of one vantage. */
struct view {
    const struct history_ledger *of;    /* its vantage's */
    const struct ledgerlog_trial *file; /* of this trial in its file; NULL: it has none */
    uint32_t view;
    const struct ledgerlog_read *read; /* of the last full round; NULL: none */
    size_t at;                         /* place in its ranges */
};

struct judging {
    struct analysis_maker *m;
    const struct analysis_trial *t;
    const struct ledgerlog_trial *of; /* of who writes */
    struct view *views;               /* of all vantages, who writes first */
    size_t n_views, n_vantages;
    struct analysis_ledger *l;
    struct {
        int64_t oldest_sent, oldest_done, newest_sent, newest_done;
    } lost, any;      /* absent from every view; from any */
    uint32_t outside; /* of those absent from any: acknowledged outside the risk window */
};

/* A full read of the view in that round, or NULL. */
static const struct ledgerlog_read *read_of(const struct view *v, uint32_t round)
{
    for (size_t i = v->file != NULL ? v->file->n_reads : 0; i-- > 0;) {
        const struct ledgerlog_read *r = &v->file->reads[i];
        if (r->round == round && r->view == v->view && r->ok)
            return r;
    }
    return NULL;
}

/* Takes the reads of one round; false: a view has no full one. */
static bool round_take(const struct judging *j, uint32_t round)
{
    bool full = j->n_views != 0;
    for (size_t v = 0; v < j->n_views; v++) {
        j->views[v].read = read_of(&j->views[v], round);
        full = full && j->views[v].read != NULL;
    }
    return full;
}

static bool same(const struct ledgerlog_read *a, const struct ledgerlog_read *b)
{
    if (a->n_ranges != b->n_ranges)
        return false;
    for (size_t i = 0; i < a->n_ranges && a->ranges != b->ranges; i++)
        if (a->ranges[i].from != b->ranges[i].from || a->ranges[i].to != b->ranges[i].to ||
            a->ranges[i].times != b->ranges[i].times)
            return false;
    return true;
}

/* "n1", or where there are several vantages "n1 from client". */
static const char *view_text(const struct judging *j, const struct view *v)
{
    const char *name = v->of->log->views[v->view];
    return j->n_vantages > 1 ? analysis_text(j->m, "%s from %s", name, v->of->from) : name;
}

/* Why the last read of a view that has none in the last round failed. */
static const char *unread_why(const struct view *v)
{
    if (v->file == NULL)
        return "it has no file";
    for (size_t i = v->file->n_reads; i-- > 0;)
        if (v->file->reads[i].view == v->view && !v->file->reads[i].ok)
            return v->file->reads[i].why;
    return "it was not read";
}

static const char *unread(const struct judging *j)
{
    if (j->l->rounds == 0)
        return "it was never read back";
    for (size_t v = 0; v < j->n_views; v++)
        if (j->views[v].file == NULL)
            return analysis_text(j->m, "%s has no file", j->views[v].of->from);
    for (size_t v = 0; v < j->n_views; v++)
        if (j->views[v].read == NULL)
            return analysis_text(j->m, "%s could not be read: %s", view_text(j, &j->views[v]),
                                 unread_why(&j->views[v]));
    return "two full reads in a row were never the same";
}

static uint32_t rounds_of(const struct judging *j)
{
    uint32_t n = 0;
    for (size_t v = 0; v < j->n_views; v++) {
        const struct ledgerlog_trial *t = j->views[v].file;
        if (t != NULL && t->n_reads != 0 && t->reads[t->n_reads - 1].round >= n)
            n = t->reads[t->n_reads - 1].round + 1;
    }
    return n;
}

/* The newest round in which every view was read, and whether that before it was the same. */
static void rounds_choose(struct judging *j)
{
    struct analysis_ledger *l = j->l;
    l->rounds = rounds_of(j);
    if (l->rounds == 0) {
        l->why = unread(j);
        return;
    }
    /* What came behind the last full one was cut off. */
    uint32_t last = l->rounds - 1;
    bool full = round_take(j, last);
    if (!full && last > 0)
        full = round_take(j, --last);
    l->known = full && last > 0;
    l->agree = full;
    for (size_t v = 0; full && v < j->n_views; v++) {
        const struct ledgerlog_read *before = last > 0 ? read_of(&j->views[v], last - 1) : NULL;
        l->known = l->known && before != NULL && same(before, j->views[v].read);
        l->agree = l->agree && same(j->views[0].read, j->views[v].read);
    }
    l->why = l->known ? "" : unread(j);
}

/* How often a view has the id; ids are asked for in order. */
static uint32_t times_in(struct view *v, uint64_t id)
{
    const struct ledgerlog_read *r = v->read;
    while (v->at < r->n_ranges && r->ranges[v->at].to < id)
        v->at++;
    const struct ledgerlog_range *range = &r->ranges[v->at];
    return v->at < r->n_ranges && range->from <= id ? range->times : 0;
}

static void views_begin(struct judging *j)
{
    for (size_t v = 0; v < j->n_views; v++)
        j->views[v].at = 0;
}

/* Where a write was found. */
struct found {
    uint32_t in, of, most; /* views that have it; views read; the most often in any */
};

static struct found find(struct judging *j, const struct ledgerlog_write *w, bool count)
{
    struct found f = {0, 0, 0};
    for (size_t v = 0; v < j->n_views; v++) {
        struct analysis_view *view = &j->l->views[v];
        if (j->views[v].read == NULL)
            continue;
        uint32_t times = times_in(&j->views[v], w->id);
        f.of++;
        f.in += times != 0;
        f.most = times > f.most ? times : f.most;
        if (!count)
            continue;
        view->present += times != 0;
        view->absent += times == 0 && w->result == LEDGER_OK;
        view->phantoms += times != 0 && w->result == LEDGER_FAIL;
        view->duplicates += times > 1;
    }
    return f;
}

/* false: all is well with it. */
static bool fate_of(const struct ledgerlog_write *w, const struct found *f, enum write_fate *ret)
{
    if (w->result == LEDGER_OK && f->of != 0 && f->in < f->of)
        *ret = f->in == 0 ? FATE_LOST : FATE_DIVIDED;
    else if (w->result == LEDGER_FAIL && f->in != 0)
        *ret = FATE_PHANTOM;
    else if (f->most > 1)
        *ret = FATE_DUPLICATE;
    else
        return false;
    return true;
}

static void lost_take(struct judging *j, const struct ledgerlog_write *w, bool everywhere)
{
    for (int i = everywhere ? 0 : 1; i < 2; i++) {
        int64_t *to[] = {i == 0 ? &j->lost.oldest_sent : &j->any.oldest_sent,
                         i == 0 ? &j->lost.oldest_done : &j->any.oldest_done,
                         i == 0 ? &j->lost.newest_sent : &j->any.newest_sent,
                         i == 0 ? &j->lost.newest_done : &j->any.newest_done};
        if (*to[1] < 0 || w->done_ns < *to[1]) {
            *to[0] = w->sent_ns;
            *to[1] = w->done_ns;
        }
        if (w->done_ns > *to[3]) {
            *to[2] = w->sent_ns;
            *to[3] = w->done_ns;
        }
    }
}

static void write_count(struct judging *j, const struct ledgerlog_write *w)
{
    struct analysis_ledger *l = j->l;
    struct found f = find(j, w, true);
    enum write_fate fate;
    l->written++;
    l->acknowledged += w->result == LEDGER_OK;
    l->refused += w->result == LEDGER_FAIL;
    l->unknown += w->result == LEDGER_UNKNOWN || w->result == LEDGER_PENDING;
    l->unknown_present += (w->result == LEDGER_UNKNOWN || w->result == LEDGER_PENDING) && f.in != 0;
    bool within = w->done_ns >= l->risk.lo && w->done_ns <= l->risk.hi;
    l->at_risk += w->result == LEDGER_OK && within;
    l->duplicates += f.most > 1;
    l->phantoms += w->result == LEDGER_FAIL && f.in != 0;
    if (!fate_of(w, &f, &fate))
        return;
    l->n_writes++;
    if (fate != FATE_LOST && fate != FATE_DIVIDED)
        return;
    l->at_risk += !within; /* it was, whatever we thought */
    j->outside += !within;
    l->lost_lower += fate == FATE_LOST;
    l->lost_upper++;
    lost_take(j, w, fate == FATE_LOST);
}

/* Ids that are there though nobody wrote them down, in the view that has most of these. */
static void strange_count(struct judging *j)
{
    for (size_t v = 0; v < j->n_views; v++) {
        const struct ledgerlog_read *r = j->views[v].read;
        uint64_t all = 0;
        for (size_t i = 0; r != NULL && i < r->n_ranges; i++)
            all += r->ranges[i].to - r->ranges[i].from + 1;
        uint64_t strange = all - j->l->views[v].present;
        if (strange > j->l->strange)
            j->l->strange = strange < UINT32_MAX ? (uint32_t)strange : UINT32_MAX;
    }
}

static void writes_list(struct judging *j)
{
    struct analysis_ledger *l = j->l;
    size_t n = l->n_writes;
    l->writes = analysis_array(j->m, n, sizeof(*l->writes));
    l->n_writes = 0;
    views_begin(j);
    for (size_t i = 0; l->writes != NULL && i < j->of->n_writes && l->n_writes < n; i++) {
        const struct ledgerlog_write *w = &j->of->writes[i];
        struct found f = find(j, w, false);
        enum write_fate fate;
        if (fate_of(w, &f, &fate))
            l->writes[l->n_writes++] = (struct analysis_write){.id = w->id,
                                                               .fate = fate,
                                                               .sent_ns = w->sent_ns,
                                                               .done_ns = w->done_ns,
                                                               .times = f.most,
                                                               .why = w->why};
    }
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* From shortly before the first fault to shortly after the last recovery. */
static struct span risk_window(const struct analysis_trial *t, int64_t risk)
{
    struct span s = {0, SPAN_OPEN};
    if (t->n_waves == 0 || t->waves[0].injected.lo == HISTORY_UNKNOWN)
        return s;
    s.lo = t->waves[0].injected.lo - risk;
    int64_t end = t->waves[0].injected.hi;
    for (size_t i = 0; i < t->n_waves; i++)
        end = later(later(end, t->waves[i].injected.hi), t->waves[i].undone.hi);
    for (size_t i = 0; i < t->n_probes; i++)
        for (size_t k = 0; k < t->probes[i].n_outages; k++)
            end = later(end, t->probes[i].outages[k].recovery.hi);
    s.hi = end < SPAN_OPEN - risk ? end + risk : SPAN_OPEN;
    return s;
}

static void earlier(struct span *impact, struct span other)
{
    if (other.hi < impact->hi)
        *impact = other;
}

/* The first impact: of any probe, or on a write of this ledger. */
static struct span impact_of(const struct judging *j)
{
    struct span impact = {SPAN_OPEN, SPAN_OPEN};
    const struct analysis_trial *t = j->t;
    int64_t from = t->n_waves != 0 ? t->waves[0].injected.lo : SPAN_OPEN;
    for (size_t i = 0; i < t->n_probes; i++)
        for (size_t k = 0; k < t->probes[i].n_outages; k++)
            if (t->probes[i].outages[k].wave >= 0)
                earlier(&impact, t->probes[i].outages[k].onset);
    for (size_t i = 0; i < j->of->n_writes; i++) {
        const struct ledgerlog_write *w = &j->of->writes[i];
        if (w->result == LEDGER_OK || w->sent_ns < from)
            continue;
        earlier(&impact, (struct span){i > 0 ? w[-1].sent_ns : w->sent_ns, w->sent_ns});
        break;
    }
    return impact;
}

static void loss_time(struct judging *j)
{
    struct analysis_ledger *l = j->l;
    struct span impact = impact_of(j);
    l->oldest_lost_ns = j->any.oldest_done;
    l->newest_lost_ns = j->any.newest_done;
    l->loss_ns = (struct span){0, 0};
    if (l->lost_upper == 0)
        return;
    bool seen = impact.hi != SPAN_OPEN;
    int64_t hi = later(seen ? impact.hi : 0, j->any.newest_done) - j->any.oldest_sent;
    int64_t lo = later(seen ? impact.lo : 0, j->lost.newest_sent) - j->lost.oldest_done;
    l->loss_ns = (struct span){l->lost_lower != 0 && lo > 0 ? lo : 0, hi > 0 ? hi : 0};
}

/* Which views lack how many: at most the first, and how many more. */
static const char *lacking(const struct judging *j)
{
    const struct view *worst = NULL;
    uint32_t most = 0, views = 0;
    for (size_t v = 0; v < j->n_views; v++) {
        uint32_t absent = j->l->views[v].absent;
        views += absent != 0;
        if (absent > most) {
            most = absent;
            worst = &j->views[v];
        }
    }
    if (worst == NULL)
        return "";
    return analysis_text(j->m, " (%u of %zu views lack some; %s lacks %u)", views, j->n_views,
                         view_text(j, worst), most);
}

static const char *sentence(const struct judging *j)
{
    const struct analysis_ledger *l = j->l;
    char from[32], to[32];
    if (!l->known)
        return analysis_text(j->m, "nothing is known of %u acknowledged writes: %s",
                             l->acknowledged, l->why);
    if (l->lost_upper == 0)
        return analysis_text(j->m,
                             "none of %u acknowledged writes at risk is gone (%u acknowledged in "
                             "all)",
                             l->at_risk, l->acknowledged);
    (void)analysis_time(l->oldest_lost_ns, from);
    (void)analysis_time(l->newest_lost_ns, to);
    const char *more = "";
    if (j->outside != 0) /* more than was thought is at risk there */
        more = analysis_text(j->m, "; %u of them outside the window that `risk` sets", j->outside);
    if (l->lost_lower == l->lost_upper)
        return analysis_text(j->m,
                             "%u of %u acknowledged writes are gone, acknowledged from %s to %s%s",
                             l->lost_upper, l->acknowledged, from, to, more);
    return analysis_text(j->m,
                         "the views do not agree: %u of %u acknowledged writes are gone from all "
                         "of them, %u from at least one%s%s",
                         l->lost_lower, l->acknowledged, l->lost_upper, lacking(j), more);
}

static void views_fill(struct judging *j)
{
    struct analysis_ledger *l = j->l;
    l->views = analysis_array(j->m, j->n_views, sizeof(*l->views));
    for (size_t v = 0; l->views != NULL && v < j->n_views; v++) {
        const struct view *of = &j->views[v];
        l->views[l->n_views++] = (struct analysis_view){
            .vantage = of->of->from,
            .name = of->file != NULL ? of->of->log->views[of->view] : "as a client",
            .read = of->read != NULL,
            .why = of->read != NULL ? "" : unread_why(of)};
    }
}

static const struct ledgerlog_trial *file_of(const struct history_ledger *h, uint32_t trial)
{
    for (size_t i = 0; h->log != NULL && i < h->log->n_trials; i++)
        if (h->log->trials[i].trial == trial)
            return &h->log->trials[i];
    return NULL;
}

/* A vantage without a file has a view that was not read. */
static size_t views_of(const struct history_ledger *h, uint32_t trial)
{
    return file_of(h, trial) != NULL ? h->log->n_views : 1;
}

/* Those of all its vantages; false: nothing is written down. */
static bool views_find(struct judging *j, const char *name)
{
    const struct history *h = j->m->h;
    size_t n = 0;
    for (size_t i = 0; i < h->n_ledgers; i++)
        n += strcmp(h->ledgers[i].name, name) == 0 ? views_of(&h->ledgers[i], j->t->trial) : 0;
    j->views = analysis_array(j->m, n, sizeof(*j->views));
    for (size_t i = 0; j->views != NULL && i < h->n_ledgers; i++) {
        const struct history_ledger *of = &h->ledgers[i];
        const struct ledgerlog_trial *file = file_of(of, j->t->trial);
        if (strcmp(of->name, name) != 0)
            continue;
        j->n_vantages++;
        if (!of->reads_only)
            j->of = file;
        j->l->torn = j->l->torn || (file != NULL && of->log->torn &&
                                    file == &of->log->trials[of->log->n_trials - 1]);
        for (size_t v = views_of(of, j->t->trial), k = 0; k < v; k++)
            j->views[j->n_views++] = (struct view){.of = of, .file = file, .view = (uint32_t)k};
    }
    return j->of != NULL;
}

static void ledger_fill(struct judging *j)
{
    struct analysis_ledger *l = j->l;
    rounds_choose(j);
    views_fill(j);
    if (j->m->no_memory)
        return;
    l->gaps = j->of->gaps < UINT32_MAX ? (uint32_t)j->of->gaps : UINT32_MAX;
    views_begin(j);
    for (size_t i = 0; i < j->of->n_writes; i++)
        write_count(j, &j->of->writes[i]);
    strange_count(j);
    writes_list(j);
    loss_time(j);
    l->sentence = sentence(j);
}

static void ledger_judge(struct analysis_maker *m, struct analysis_trial *t,
                         const struct scenario_ledger *of, struct analysis_ledger *ret)
{
    struct judging j = {.m = m, .t = t, .l = ret};
    *ret = (struct analysis_ledger){.name = of->name,
                                    .kind = of->kind != NULL ? of->kind->name : "",
                                    .from = of->from,
                                    .every_ns = of->every.ns,
                                    .risk = risk_window(t, of->risk.ns),
                                    .why = "it has no file",
                                    .sentence = "nothing is known: it has no file",
                                    .oldest_lost_ns = -1,
                                    .newest_lost_ns = -1};
    j.lost.oldest_sent = j.lost.oldest_done = j.lost.newest_sent = j.lost.newest_done = -1;
    j.any.oldest_sent = j.any.oldest_done = j.any.newest_sent = j.any.newest_done = -1;
    if (views_find(&j, of->name))
        ledger_fill(&j);
}

void analysis_ledgers(struct analysis_maker *m, struct analysis_trial *t)
{
    t->ledgers = analysis_array(m, m->s->n_ledgers, sizeof(*t->ledgers));
    for (size_t i = 0; t->ledgers != NULL && i < m->s->n_ledgers && !m->no_memory; i++)
        ledger_judge(m, t, &m->s->ledgers[i], &t->ledgers[t->n_ledgers++]);
}

const struct analysis_ledger *analysis_ledger_find(const struct analysis_trial *t, const char *name)
{
    for (size_t i = 0; name != NULL && i < t->n_ledgers; i++)
        if (strcmp(t->ledgers[i].name, name) == 0)
            return &t->ledgers[i];
    return NULL;
}

const char *analysis_ledger_doubt(struct analysis_maker *m, const struct analysis_trial *t,
                                  const struct analysis_ledger *l)
{
    if (!l->known)
        return l->sentence;
    if (t->of->outcome == NULL)
        return analysis_text(m, "the trial did not come to its end; %s", l->sentence);
    if (l->torn)
        return analysis_text(m, "the ledger's file is torn; %s", l->sentence);
    if ((uint64_t)l->gaps * 100 > (uint64_t)GAPS_PERCENT * ((uint64_t)l->written + l->gaps))
        return analysis_text(m, "%u writes were not sent: the ledger itself stalled; %s", l->gaps,
                             l->sentence);
    if (l->at_risk == 0)
        return "no write was acknowledged while it was at risk: none could be lost";
    return NULL;
}
