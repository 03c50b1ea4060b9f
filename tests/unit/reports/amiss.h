/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The example's second trial, with a ledger whose writes met every fate and a prober that was not
 * well; its third has a ledger of which nothing is known. */
#ifndef BLACKSTART_TESTS_REPORTS_AMISS_H
#define BLACKSTART_TESTS_REPORTS_AMISS_H

#include "example.h"

#include <math.h>

enum { AMISS_TRIAL = 1, AMISS_UNKNOWN_TRIAL = 2, AMISS_WRITES = 5 };
#define AMISS_WHY      "13 of 100 answers of the prober's own null server were late"
#define AMISS_SENTENCE "2 of 812 acknowledged writes are gone"
#define AMISS_NOTHING  "nothing is known of 7 acknowledged writes: n1 was not read"

struct amiss {
    struct analysis_write writes[AMISS_WRITES];
    struct analysis_view views[1];
    struct analysis_ledger ledger, unknown;
    struct analysis_ledger well; /* of the other trials */
};

/* Everything of *m is borrowed by the example's analysis. */
static inline void amiss_put(struct amiss *m, struct example *t)
{
    struct analysis_trial *trials = t->analysis->trials;
    const int64_t at = trials[AMISS_TRIAL].start_ns;
    *m = (struct amiss){
        .writes = {{.id = 40, .fate = FATE_LOST, .sent_ns = at + 4 * NS_PER_SEC, .why = ""},
                   {.id = 41, .fate = FATE_DIVIDED, .sent_ns = at + 5 * NS_PER_SEC, .why = ""},
                   {.id = 42, .fate = FATE_LOST, .sent_ns = at + 6 * NS_PER_SEC, .why = ""},
                   {.id = 43, .fate = FATE_PHANTOM, .sent_ns = at + 7 * NS_PER_SEC, .why = "E 9"},
                   {.id = 44, .fate = FATE_DUPLICATE, .sent_ns = at + 8 * NS_PER_SEC, .why = ""}},
        .views = {{.vantage = "client", .name = "n1", .read = true, .why = ""}},
        .ledger = {.written = 820,
                   .acknowledged = 812,
                   .lost_lower = 2,
                   .lost_upper = 3,
                   .phantoms = 1,
                   .duplicates = 1,
                   .at_risk = 30,
                   .known = true,
                   .rounds = 2,
                   .sentence = AMISS_SENTENCE,
                   .oldest_lost_ns = at + 4 * NS_PER_SEC,
                   .newest_lost_ns = at + 6 * NS_PER_SEC,
                   .n_views = 1,
                   .n_writes = AMISS_WRITES},
        .unknown = {.written = 8, .acknowledged = 7, .sentence = AMISS_NOTHING},
        .well = {.written = 100,
                 .acknowledged = 99,
                 .known = true,
                 .agree = true,
                 .rounds = 2,
                 .sentence = "none of 9 acknowledged writes at risk is gone"}};
    struct analysis_ledger *all[] = {&m->ledger, &m->unknown, &m->well};
    for (size_t i = 0; i < AMISS_WRITES; i++)
        m->writes[i].done_ns = m->writes[i].sent_ns + 20 * NS_PER_MS;
    for (size_t i = 0; i < 3; i++) {
        all[i]->name = "orders";
        all[i]->kind = "redis";
        all[i]->from = "client";
        all[i]->every_ns = 10 * NS_PER_MS;
        all[i]->why = all[i]->known ? "" : "n1 was not read";
        if (all[i] != &m->ledger)
            all[i]->oldest_lost_ns = all[i]->newest_lost_ns = -1;
    }
    m->ledger.writes = m->writes;
    m->ledger.views = m->views;
    for (size_t i = 0; i < t->analysis->n_trials; i++) {
        trials[i].ledgers = i == AMISS_TRIAL           ? &m->ledger
                            : i == AMISS_UNKNOWN_TRIAL ? &m->unknown
                                                       : &m->well;
        trials[i].n_ledgers = 1;
    }
    trials[AMISS_TRIAL].health[0].suspect = true;
    trials[AMISS_TRIAL].health[0].why = AMISS_WHY;
}

#endif
