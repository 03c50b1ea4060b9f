/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the run measured beside its probes' outages, in words, for formats that have no table of it:
 * the writes of ledgers, and how well the probers themselves kept time. */
#ifndef BLACKSTART_REPORTS_MEASURED_H
#define BLACKSTART_REPORTS_MEASURED_H

#include "analysis/analysis.h"

/* A ledger's writes that share a fate. */
struct measured_fate {
    uint32_t n;       /* 0: there are none */
    struct span when; /* first sent .. last answered */
};
enum { MEASURED_FATES = FATE_DUPLICATE + 1 };
void measured_fates(const struct analysis_ledger *l, struct measured_fate ret[MEASURED_FATES]);

/* Any write is lost, perhaps lost, there though refused, or there twice. */
bool measured_is_amiss(const struct analysis_ledger *l);

/* "the prober at client: 300 sent, 2 late, 0 gaps, at most 3.1 ms after it was due"; with what
 * makes it suspect behind. */
void measured_put_prober(struct buf *out, const struct analysis_health *h);

/* Over all trials, each behind "; ": "ledger orders: 1624 acknowledged, 0 to 3 lost, 0 phantoms, 0
 * duplicates", "the prober at client was well in 3 of 4 trials". */
void measured_put_sums(struct buf *out, const struct analysis *a);

/* As attributes of a span (otlp.h). */
void measured_ledger(json_t *list, const struct analysis_ledger *l);
void measured_prober(json_t *list, const struct analysis_health *h);

#endif
