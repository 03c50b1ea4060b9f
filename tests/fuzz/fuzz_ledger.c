/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's file, and what the analysis makes of it under a sound journal. */
#include "analysis/analysis.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char journal[] =
    "{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"wall\":\"w\",\"version\":\"0\","
    "\"kernel\":\"k\",\"machine\":\"m\",\"scenario\":\"s\",\"file\":\"f\","
    "\"text\":\"version: 1\\n\",\"sha256\":\"0\",\"vars\":{},\"seed\":1,\"trials\":1,"
    "\"no_fault\":false}\n"
    "{\"t\":3,\"ev\":\"trial.start\",\"trial\":0,\"fault_free\":false}\n"
    "{\"t\":4,\"ev\":\"steady\",\"held\":true}\n"
    "{\"t\":9,\"ev\":\"prepare\",\"injection\":\"i1\",\"fault\":\"process.kill\",\"host\":\"n1\"}\n"
    "{\"t\":10,\"ev\":\"applied\",\"injection\":\"i1\",\"ok\":true,\"asked_ns\":9,"
    "\"active_ns\":10}\n"
    "{\"t\":11,\"ev\":\"evidence\",\"injection\":\"i1\",\"class\":\"event\",\"proven\":true}\n";

static const struct scenario_ledger of = {.name = "orders", .from = "client", .risk = {5}};
static const struct scenario_target targets[] = {
    {.kind = TARGET_DATA_LOSS, .ledger = "orders"},
    {.kind = TARGET_DATA_LOSS_TIME, .ledger = "orders", .within = {5}},
};
static const struct scenario scenario = {.ledgers = &of,
                                         .n_ledgers = 1,
                                         .targets = targets,
                                         .n_targets = 2,
                                         .steady_for = {20},
                                         .stable_for = {20}};

/* Every write has one place in the counts, and what is lost for certain is lost. */
static void check(const struct analysis_ledger *l)
{
    if (l->written != l->acknowledged + l->refused + l->unknown || l->lost_lower > l->lost_upper ||
        l->lost_upper > l->acknowledged || l->phantoms > l->refused ||
        l->unknown_present > l->unknown || l->at_risk > l->acknowledged ||
        l->loss_ns.lo > l->loss_ns.hi)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledgerlog *log = NULL;
    struct history *h = NULL;
    struct analysis *a = NULL;
    struct err err;
    if (ledgerlog_parse((const char *)data, size, &log, &err) != 0)
        return 0;
    if (history_parse(journal, sizeof(journal) - 1, NULL, 0, &h, &err) != 0)
        abort();
    struct history_ledger ledger = {
        .name = "orders", .kind = "redis", .from = "client", .log = log};
    h->ledgers = &ledger; /* frees the log */
    h->n_ledgers = 1;
    if (analysis_make(&scenario, h, &a, &err) == 0)
        for (size_t i = 0; i < a->trials[0].n_ledgers; i++)
            check(&a->trials[0].ledgers[i]);
    analysis_free(a);
    history_free(h);
    return 0;
}
