/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/measured.h"
#include "reports/otlp.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void measured_fates(const struct analysis_ledger *l, struct measured_fate ret[MEASURED_FATES])
{
    memset(ret, 0, MEASURED_FATES * sizeof(*ret));
    for (size_t i = 0; i < l->n_writes; i++) {
        const struct analysis_write *w = &l->writes[i];
        struct measured_fate *f = &ret[w->fate];
        int64_t done = w->done_ns == HISTORY_UNKNOWN ? w->sent_ns : w->done_ns;
        if (f->n == 0 || w->sent_ns < f->when.lo)
            f->when.lo = w->sent_ns;
        if (f->n == 0 || done > f->when.hi)
            f->when.hi = done;
        f->n++;
    }
}

bool measured_is_amiss(const struct analysis_ledger *l)
{
    return l->lost_upper != 0 || l->phantoms != 0 || l->duplicates != 0;
}

void measured_put_prober(struct buf *out, const struct analysis_health *h)
{
    buf_printf(out, "the prober at %s: %u sent, %u late, %u gaps", h->vantage, h->sent, h->late,
               h->gaps);
    if (h->late_max_ns >= 0)
        buf_printf(out, ", at most %.1f ms after it was due", (double)h->late_max_ns / 1e6);
    if (h->suspect)
        buf_printf(out, "; suspect: %s", h->why);
}

static void put_ledger(struct buf *out, const struct analysis *a, size_t k)
{
    uint64_t acknowledged = 0, lower = 0, upper = 0, phantoms = 0, duplicates = 0;
    size_t n = 0, known = 0;
    for (size_t i = 0; i < a->n_trials; i++) {
        if (k >= a->trials[i].n_ledgers)
            continue;
        const struct analysis_ledger *l = &a->trials[i].ledgers[k];
        n++;
        known += l->known;
        acknowledged += l->acknowledged;
        lower += l->lost_lower;
        upper += l->lost_upper;
        phantoms += l->phantoms;
        duplicates += l->duplicates;
    }
    buf_printf(out, "; ledger %s: %" PRIu64 " acknowledged, ", a->trials[0].ledgers[k].name,
               acknowledged);
    if (upper != lower)
        buf_printf(out, "%" PRIu64 " to ", lower);
    buf_printf(out, "%" PRIu64 " lost, %" PRIu64 " phantoms, %" PRIu64 " duplicates", upper,
               phantoms, duplicates);
    if (known != n)
        buf_printf(out, "; in %zu of %zu trials what became of them is not known", n - known, n);
}

static void put_prober(struct buf *out, const struct analysis *a, size_t k)
{
    size_t n = 0, well = 0;
    for (size_t i = 0; i < a->n_trials; i++) {
        n += k < a->trials[i].n_health;
        well += k < a->trials[i].n_health && !a->trials[i].health[k].suspect;
    }
    buf_printf(out, "; the prober at %s was well in %zu of %zu trials",
               a->trials[0].health[k].vantage, well, n);
}

void measured_put_sums(struct buf *out, const struct analysis *a)
{
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_ledgers; k++)
        put_ledger(out, a, k);
    for (size_t k = 0; a->n_trials != 0 && k < a->trials[0].n_health; k++)
        put_prober(out, a, k);
}

void measured_ledger(json_t *list, const struct analysis_ledger *l)
{
    const struct {
        const char *key;
        int64_t n;
    } counts[] = {
        {"blackstart.written", l->written},       {"blackstart.acknowledged", l->acknowledged},
        {"blackstart.at_risk", l->at_risk},       {"blackstart.lost_lower", l->lost_lower},
        {"blackstart.lost_upper", l->lost_upper}, {"blackstart.phantoms", l->phantoms},
        {"blackstart.duplicates", l->duplicates}};
    otlp_text(list, "blackstart.ledger", l->name);
    otlp_text(list, "blackstart.ledger.kind", l->kind);
    otlp_text(list, "blackstart.vantage", l->from);
    otlp_bool(list, "blackstart.known", l->known);
    otlp_text(list, "blackstart.sentence", l->sentence);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        otlp_int(list, counts[i].key, counts[i].n);
}

void measured_prober(json_t *list, const struct analysis_health *h)
{
    otlp_text(list, "blackstart.vantage", h->vantage);
    otlp_int(list, "blackstart.sent", h->sent);
    otlp_int(list, "blackstart.late", h->late);
    otlp_int(list, "blackstart.gaps", h->gaps);
    otlp_real(list, "blackstart.late_p99_s",
              h->late_p99_ns < 0 ? NAN : (double)h->late_p99_ns / 1e9);
    otlp_real(list, "blackstart.late_max_s",
              h->late_max_ns < 0 ? NAN : (double)h->late_max_ns / 1e9);
    otlp_real(list, "blackstart.cpu_share", h->cpu_share);
    otlp_real(list, "blackstart.steal_share", h->steal_share);
    otlp_bool(list, "blackstart.suspect", h->suspect);
}
