/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A journal, and behind the first byte 0xff, which no UTF-8 text has, a head of 16 bytes and
 * records of samples; what can be read is analysed, and every report is made of it. */
#include "analysis/analysis.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16 };

/* What is JSON by its name must be JSON; what all must hold, tests/unit/reports/ asks. */
static void render(const struct report *report)
{
    for (size_t i = 0; i < report_n_renderers; i++) {
        const struct report_renderer *r = &report_renderers[i];
        CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
        struct err err;
        if (report_render(report, r, &out, &err) < 0 || !utf8_valid(buf_text(&out), out.len))
            abort();
        size_t len = strlen(r->file);
        if (len > 5 && strcmp(r->file + len - 5, ".json") == 0) {
            json_t *o = json_loads(buf_text(&out), JSON_REJECT_DUPLICATES, NULL);
            if (o == NULL)
                abort();
            json_decref(o);
        }
    }
}

static void analyse(const struct history *h)
{
    struct scenario_probe probes[] = {
        {.name = "write", .every = {10}, .endpoints = ENDPOINTS_ANY, .weight = 1},
        {.name = "read",
         .every = {NS_PER_MS},
         .endpoints = ENDPOINTS_ROLE,
         .role = "leader",
         .impact = IMPACT_EXPECTED,
         .weight = 2},
        {.name = "alert", .every = {10}, .signal = true},
    };
    const struct scenario_target targets[] = {
        {.kind = TARGET_RECOVERY, .probe = "write", .from = FROM_HEAL, .within = {5}},
        {.kind = TARGET_AVAILABILITY, .probe = "read", .over = {500}, .limit = {500000}},
        {.kind = TARGET_BLAST, .limit = {500000}},
        {.kind = TARGET_BLAST, .limit = {500000}, .blast_of = BLAST_HOSTS},
        {.kind = TARGET_LATENCY, .probe = "write", .percentile = {900000}, .within = {5}},
        {.kind = TARGET_LATENCY, .probe = "read", .percentile = {500000}, .during = DURING_FAULT},
        {.kind = TARGET_OUTAGE, .within = {5}, .over = {500}},
        {.kind = TARGET_BUDGET, .probe = "write", .slo = {999000}, .period = {NS_PER_SEC}},
        {.kind = TARGET_DETECTION, .probe = "alert", .from = FROM_IMPACT, .within = {5}},
    };
    struct scenario s = {.probes = probes,
                         .n_probes = sizeof(probes) / sizeof(probes[0]),
                         .targets = targets,
                         .n_targets = sizeof(targets) / sizeof(targets[0]),
                         .steady_for = {20},
                         .stable_for = {20}};
    for (int rule = ENDPOINTS_ONE; rule <= ENDPOINTS_EACH; rule++) {
        struct analysis *a = NULL;
        struct err err;
        probes[0].endpoints = (enum endpoints_rule)rule;
        if (analysis_make(&s, h, &a, &err) < 0)
            continue;
        if (rule == ENDPOINTS_ANY)
            render(&(struct report){.scenario = &s, .history = h, .analysis = a, .dir = "d"});
        analysis_free(a);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *mark = size != 0 ? memchr(data, 0xff, size) : NULL;
    size_t text_len = mark != NULL ? (size_t)(mark - data) : size;
    struct sample *samples = NULL;
    size_t n = 0, behind = mark != NULL ? size - text_len - 1 : 0;
    struct err err;
    if (behind >= HEAD + sizeof(*samples)) {
        n = (behind - HEAD) / sizeof(*samples);
        samples = calloc(n, sizeof(*samples));
        if (samples == NULL)
            return 0;
        memcpy(samples, mark + 1 + HEAD, n * sizeof(*samples));
    }
    struct history *h = NULL;
    if (history_parse((const char *)data, text_len, samples, n, &h, &err) == 0) {
        analyse(h);
        history_free(h);
    }
    free(samples);
    return 0;
}
