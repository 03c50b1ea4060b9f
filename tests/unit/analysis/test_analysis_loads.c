/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is told of a load in a trial is of that trial alone, and of its phases as they lay in it. */
#include "check.h"
#include "load/load.h"
#include "story.h"

#define SECOND(from, to, ok, more)                                                                 \
    "{'t':" to ",'ev':'load','load':'buyers','second':{'from_ns':" from ",'to_ns':" to             \
    ",'begun':" ok ",'ok':" ok ",'failed':1,'attempts':12,'not_sent':2,'in_flight':3,'busy':3,"    \
    "'late_ns':1000000,'cpu_ns':5000000,'failures':{'timeout':1}" more "}}\n"

/* One before the fault, of 3.01 s to 6.02 s, two while it was on, one behind it; one of another. */
static const char seconds[] = SECOND("1000000000", "2000000000", "10",
                                     ",'latency':[5,10],'most_ns':7")
    SECOND("4000000000", "5000000000", "4", "") SECOND("5000000000", "6000000000", "6", "")
        SECOND("8000000000", "9000000000", "11", "") "{'t':9000000000,'ev':'load','load':'sellers',"
                                                     "'second':{'from_ns':1,'to_ns':2,'ok':99}}\n";

static void expect_phase(const struct analysis_load *l, enum load_phase phase, int64_t ok, int s)
{
    const struct analysis_load_counts *c = &l->phases[phase];
    CU_ASSERT_EQUAL(c->ok, ok);
    CU_ASSERT_EQUAL(c->length_ns, STORY_MS(1000) * s);
    CU_ASSERT_EQUAL(c->failed, s);
    CU_ASSERT_EQUAL(c->attempts, 12 * s);
    CU_ASSERT_EQUAL(c->not_sent, 2 * s);
    CU_ASSERT_EQUAL(c->cpu_ns, STORY_MS(5) * s);
    CU_ASSERT_EQUAL(c->late_ns, STORY_MS(1));
}

static void test_each_trial(void)
{
    static const struct load_kind http = {.name = "http"};
    static const struct scenario_load load = {
        .name = "buyers", .kind = &http, .from = "client", .shape = {.users = 3}};
    const struct story s = {.write = "........................................................"
                                     "........................................................",
                            .blast_permille = -1,
                            .recovery_limit_ms = 5000,
                            .more = seconds,
                            .trials = 3,
                            .loads = &load,
                            .n_loads = 1};
    struct story_told t;
    story_tell(&s, &t);
    size_t n = t.analysis != NULL ? t.analysis->n_trials : 0;
    CU_ASSERT_EQUAL(n, 3);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT_EQUAL_FATAL(t.analysis->trials[i].n_loads, 1);
        const struct analysis_load *l = &t.analysis->trials[i].loads[0];
        CU_ASSERT_EQUAL(l->n_seconds, 4);
        expect_phase(l, LOAD_BEFORE, 10, 1);
        expect_phase(l, LOAD_DURING, 10, 2);
        expect_phase(l, LOAD_AFTER, 11, 1);
        CU_ASSERT_EQUAL(l->phases[LOAD_BEFORE].most_ns, 7);
        CU_ASSERT_EQUAL(l->phases[LOAD_AFTER].most_ns, -1);
    }
    story_free(&t);
}

static const struct check_test tests[] = {{"each trial by itself", test_each_trial}};

CHECK_MAIN("analysis/loads", tests)
