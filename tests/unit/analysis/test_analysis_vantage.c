/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One probe looked at from two hosts: each is judged by itself, cells of the matrix count what one
 * vantage saw of one endpoint, and what they disagree about is said. And the probers' own health.
 */
#include "check.h"
#include "story.h"

#include <math.h>
#include <stdio.h>

/* 3.1 s good, then what the row says, in slots of 100 ms; rows: vantage client on n1 and n2,
 * vantage n1 on n1 and n2. */
#define BEFORE  "..............................."
#define GOOD_1S ".........."

/* What the first probe's service is asked, if it is. */
static const struct scenario_served *asks;

struct told {
    struct scenario scenario;
    struct scenario_probe probes[2];
    struct scenario_target targets[3];
    struct history *history;
    struct analysis *analysis;
};

static const char healthy[] =
    "{'t':9000000000,'ev':'prober','vantage':'client','late':0,'gaps':0,'sent':120,"
    "'cpu_ns':90000000,'until_ns':6100000000,'clock':{'lo_ns':0,'hi_ns':0},"
    "'null':{'n':200,'late':2,'p50_ns':100000,'p99_ns':900000,'max_ns':1000000},"
    "'begin':{'steal':10,'ticks':1000,'pressure_us':5,'load_milli':250},"
    "'end':{'steal':20,'ticks':2000,'pressure_us':610005,'load_milli':500}}\n"
    "{'t':9000000000,'ev':'prober','vantage':'n1','late':0,'gaps':0,'sent':120,'cpu_ns':1,"
    "'until_ns':6100000000}\n";

static void scenario_make(struct told *t, enum endpoints_rule rule, enum impact impact)
{
    static const char *const vantages[] = {"client", "n1"};
    static const char *const labels[] = {"write at client", "write at n1"};
    for (size_t i = 0; i < 2; i++) {
        t->probes[i] = (struct scenario_probe){.name = "write",
                                               .label = labels[i],
                                               .from = vantages[i],
                                               .vantages = vantages,
                                               .vantage = i,
                                               .n_vantages = 2,
                                               .endpoints = rule,
                                               .impact = impact,
                                               .every = {STORY_MS(100)},
                                               .timeout = {STORY_MS(1000)},
                                               .served = i == 0 ? asks : NULL,
                                               .weight = 3};
        t->targets[i] = (struct scenario_target){.kind = TARGET_RECOVERY,
                                                 .probe = "write",
                                                 .vantage = vantages[i],
                                                 .within = {STORY_MS(1000)}};
    }
    t->targets[2] = (struct scenario_target){.kind = TARGET_BLAST, .limit = {1000000}};
    t->scenario = (struct scenario){.probes = t->probes,
                                    .n_probes = 2,
                                    .targets = t->targets,
                                    .n_targets = 3,
                                    .steady_for = {STORY_MS(2000)},
                                    .stable_for = {STORY_MS(1000)}};
}

static size_t samples_make(const char *const rows[4], struct sample *ret)
{
    size_t n = 0;
    for (uint16_t p = 0; p < 2; p++)
        for (uint32_t k = 0; k < strlen(rows[0]); k++)
            for (uint16_t e = 0; e < 2; e++) {
                char c = rows[2 * p + e][k];
                int64_t due = STORY_MS(100) * k;
                enum sample_result result = c == '.'   ? SAMPLE_GOOD
                                            : c == 'x' ? SAMPLE_REFUSED
                                                       : SAMPLE_GAP;
                ret[n++] = (struct sample){.due_ns = due,
                                           .sent_ns = due + STORY_MS(1),
                                           .done_ns = due + STORY_MS(3),
                                           .slot = k,
                                           .probe = p,
                                           .endpoint = e,
                                           .result = (uint16_t)result};
            }
    return n;
}

static void tell(struct told *t, const char *const rows[4], enum endpoints_rule rule,
                 enum impact impact, const char *probers)
{
    static struct sample samples[1024];
    struct err err = {.msg = ""};
    CLEANUP_BUF struct buf b = BUF_INIT(1 << 16);
    *t = (struct told){.history = NULL};
    scenario_make(t, rule, impact);
    buf_puts(&b, "{'t':0,'ev':'run.start','format':1,'run':'r','text':'','file':'f','sha256':'0'}\n"
                 "{'t':0,'ev':'lab.up','hosts':[{'name':'n1'},{'name':'n2'}]}\n"
                 "{'t':0,'ev':'probes','list':[{'name':'write','from':'client','hosts':['n1','n2']}"
                 ",{'name':'write','from':'n1','hosts':['n1','n2']}]}\n"
                 "{'t':0,'ev':'trial.start','trial':0}\n"
                 "{'t':2500000000,'ev':'steady','held':true}\n" STORY_PAUSE);
    buf_puts(&b, probers);
    buf_puts(&b, "{'t':9000000000,'ev':'trial.end','trial':0,'outcome':'done'}\n"
                 "{'t':9000000000,'ev':'run.end','aborted':false}\n");
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] == '\'')
            b.data[i] = '"';
    size_t n = samples_make(rows, samples);
    if (history_parse(b.data, b.len, samples, n, &t->history, &err) != 0 ||
        analysis_make(&t->scenario, t->history, &t->analysis, &err) != 0)
        printf("\n  %s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->analysis);
}

static void told_free(struct told *t)
{
    analysis_free(t->analysis);
    history_free(t->history);
}

#define ALL_GOOD BEFORE GOOD_1S GOOD_1S GOOD_1S
#define BAD_1S4  BEFORE "xxxxxxxxxxxxxx......" GOOD_1S
static const char *const one_sees_it[4] = {ALL_GOOD, ALL_GOOD, BAD_1S4, BAD_1S4};
static const char *const one_endpoint[4] = {ALL_GOOD, ALL_GOOD, ALL_GOOD, BAD_1S4};

static void test_each_is_judged_by_itself(void)
{
    struct told t;
    tell(&t, one_sees_it, ENDPOINTS_ANY, IMPACT_EXPECTED, healthy);
    const struct analysis *a = t.analysis;
    CU_ASSERT_EQUAL(a->verdict, VERDICT_FAIL);
    CU_ASSERT_STRING_EQUAL(a->why,
                           "recovery_time of write at n1: lower bound 1.391 s is beyond 1.000 s");
    CU_ASSERT_STRING_EQUAL(a->targets[0].of, "write at client");
    CU_ASSERT_STRING_EQUAL(a->targets[0].vantage, "client");
    CU_ASSERT_EQUAL(a->targets[0].verdict, VERDICT_PASS);
    CU_ASSERT_STRING_EQUAL(a->targets[1].of, "write at n1");
    CU_ASSERT_EQUAL(a->targets[1].verdict, VERDICT_FAIL);
    CU_ASSERT_FALSE(a->trials[0].probes[0].impacted);
    CU_ASSERT_TRUE(a->trials[0].probes[1].impacted);
    /* Impact was expected, and felt: at one of the two. The service counts once. */
    CU_ASSERT_EQUAL(a->targets[2].lower, 1);
    CU_ASSERT_EQUAL(a->targets[2].upper, 1);
    told_free(&t);
}

static void test_expected_and_nowhere_felt(void)
{
    static const char *const rows[4] = {ALL_GOOD, ALL_GOOD, ALL_GOOD, ALL_GOOD};
    struct told t;
    tell(&t, rows, ENDPOINTS_ANY, IMPACT_EXPECTED, healthy);
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_INVALID);
    CU_ASSERT_EQUAL(t.analysis->trials[0].matrix.n_disagreements, 0);
    told_free(&t);
}

static void test_the_matrix(void)
{
    struct told t;
    tell(&t, one_endpoint, ENDPOINTS_ANY, IMPACT_ALLOWED, healthy);
    const struct analysis_matrix *x = &t.analysis->trials[0].matrix;
    CU_ASSERT_EQUAL_FATAL(x->n_cells, 4);
    CU_ASSERT_EQUAL(x->n_endpoints, 2);
    CU_ASSERT_EQUAL_FATAL(x->n_vantages, 2);
    const struct analysis_cell *c = &x->cells[3];
    CU_ASSERT_EQUAL(c->probe, 1);
    CU_ASSERT_STRING_EQUAL(c->host, "n2");
    CU_ASSERT_EQUAL(c->scheduled, 31); /* from 3.0 s to 6.0 s */
    CU_ASSERT_EQUAL(c->bad, 14);
    CU_ASSERT_EQUAL(c->good, 17);
    CU_ASSERT_EQUAL(c->outages, 1);
    CU_ASSERT_EQUAL(c->first_result, SAMPLE_REFUSED);
    CU_ASSERT_EQUAL(c->bad_ns.lo, STORY_MS(1300)); /* 3.101 s, the first bad send, to 4.401 s */
    CU_ASSERT_EQUAL(c->bad_ns.hi, STORY_MS(1502)); /* 3.001 s to 4.503 s */
    CU_ASSERT_DOUBLE_EQUAL(c->good_lo, 17.0 / 31, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(c->per_second, 10, 1e-9);
    CU_ASSERT_EQUAL(x->cells[2].outages, 0);
    CU_ASSERT_EQUAL(x->cells[2].good, 31);
    CU_ASSERT_STRING_EQUAL(x->vantages[0].stands, "on client, where nothing was injected");
    CU_ASSERT_STRING_EQUAL(x->vantages[1].stands, "on n1, which process.pause hit");
    told_free(&t);
}

static void expect_words(const char *const rows[4], enum endpoints_rule rule, size_t n,
                         const char *const *words)
{
    struct told t;
    tell(&t, rows, rule, IMPACT_ALLOWED, healthy);
    const struct analysis_matrix *x = &t.analysis->trials[0].matrix;
    CU_ASSERT_EQUAL(x->n_disagreements, n);
    for (size_t i = 0; i < n && i < x->n_disagreements; i++) {
        CU_ASSERT_STRING_EQUAL(x->disagreements[i], words[i]);
        if (strcmp(x->disagreements[i], words[i]) != 0)
            printf("\n  %s\n", x->disagreements[i]);
    }
    told_free(&t);
}

static void test_disagreement_in_words(void)
{
    static const char *const both[] = {"n1 saw write down for 1.300 s to 1.502 s, client did not",
                                       "n1 saw write of n1 down for 1.300 s to 1.502 s, client did "
                                       "not",
                                       "n1 saw write of n2 down for 1.300 s to 1.502 s, client did "
                                       "not"};
    static const char *const endpoint[] = {
        "n1 saw write of n2 down for 1.300 s to 1.502 s, client did not"};
    static const char *const blind[4] = {BEFORE "----......" GOOD_1S GOOD_1S,
                                         BEFORE "----......" GOOD_1S GOOD_1S, BAD_1S4, BAD_1S4};
    static const char *const cannot[] = {"n1 saw write down for 1.300 s to 1.502 s, client cannot "
                                         "say: too much is missing there",
                                         "n1 saw write of n1 down for 1.300 s to 1.502 s, client "
                                         "cannot say: too much is missing there",
                                         "n1 saw write of n2 down for 1.300 s to 1.502 s, client "
                                         "cannot say: too much is missing there"};
    static const char *const lengths[4] = {BEFORE "xxx......." GOOD_1S GOOD_1S, ALL_GOOD, BAD_1S4,
                                           ALL_GOOD};
    static const char *const differ[] = {
        "client saw write down for 200.0 ms to 402.0 ms, n1 for 1.300 s to 1.502 s",
        "client saw write of n1 down for 200.0 ms to 402.0 ms, n1 for 1.300 s to 1.502 s"};
    expect_words(one_sees_it, ENDPOINTS_ANY, 3, both);
    expect_words(one_endpoint, ENDPOINTS_ANY, 1, endpoint);
    expect_words(blind, ENDPOINTS_ANY, 3, cannot);
    expect_words(lengths, ENDPOINTS_EACH, 2, differ);
}

static void test_health(void)
{
    struct told t;
    tell(&t, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED, healthy);
    const struct analysis_trial *trial = &t.analysis->trials[0];
    CU_ASSERT_EQUAL_FATAL(trial->n_health, 2);
    const struct analysis_health *h = &trial->health[0], *other = &trial->health[1];
    CU_ASSERT_STRING_EQUAL(h->vantage, "client");
    CU_ASSERT_EQUAL(h->sent, 122);
    CU_ASSERT_EQUAL(h->late_max_ns, STORY_MS(1));
    CU_ASSERT_EQUAL(h->late_p50_ns, STORY_MS(1));
    CU_ASSERT_DOUBLE_EQUAL(h->cpu_share, 0.09 / 6.1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(h->steal_share, 0.01, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(h->pressure_share, 0.1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(h->load_end, 0.5, 1e-9);
    CU_ASSERT_EQUAL(h->null_n, 200);
    CU_ASSERT_FALSE(h->suspect); /* 1 % of its answers */
    CU_ASSERT_EQUAL(other->null_n, -1);
    CU_ASSERT_TRUE(isnan(other->steal_share));
    told_free(&t);
    tell(&t, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED,
         "{'t':1,'ev':'prober','vantage':'client','until_ns':6100000000,'null':{'n':200,'late':3,"
         "'p50_ns':1,'p99_ns':2,'max_ns':3}}\n");
    h = &t.analysis->trials[0].health[0];
    CU_ASSERT_TRUE(h->suspect);
    CU_ASSERT_STRING_EQUAL(h->why, "3 of 200 answers of the prober's own null server were late: "
                                   "the machine was slow, whatever the system was");
    told_free(&t);
}

/* A reason does not hide another. */
static void test_suspect_in_each_way(void)
{
    struct told t;
    const struct scenario_served served = {.at_most = {50000}};
    asks = &served;
    tell(&t, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED,
         "{'t':1,'ev':'prober','vantage':'client','until_ns':6100000000,"
         "'begin':{'steal':0,'ticks':0},'end':{'steal':50,'ticks':100},"
         "'null':{'n':200,'late':3,'p50_ns':1,'p99_ns':2,'max_ns':3},"
         "'served':[{'probe':0,'endpoint':1,'asked':2,'known':1,'grown':100,'own':100}]}\n");
    asks = NULL;
    CU_ASSERT_STRING_EQUAL(
        t.analysis->trials[0].health[0].why,
        "3 of 200 answers of the prober's own null server were late: the machine was slow, "
        "whatever the system was; 50.0 % of the machine's time was taken by others (steal); "
        "100.0 % of what write at n2 served were the probe's own requests, more than 5.0 %: it is "
        "a load itself");
    told_free(&t);
}

/* What one count makes of the share, on one endpoint. */
static void expect_served(int asked, int known, int grown, int own, double share, const char *why,
                          const char *suspect)
{
    struct told t;
    char line[512];
    const struct scenario_served served = {.at_most = {50000}};
    (void)snprintf(
        line, sizeof(line),
        "{'t':1,'ev':'prober','vantage':'client','until_ns':6100000000,'served':["
        "{'probe':0,'endpoint':1,'asked':%d,'known':%d,'grown':%d,'own':%d},"
        "{'probe':1,'endpoint':0,'asked':2,'known':1,'grown':2,'own':1},"
        "{'probe':0,'endpoint':2,'asked':2,'known':1,'grown':2,'own':1},"
        "{'probe':9,'endpoint':0,'asked':2,'known':1,'grown':2,'own':1},{'probe':-1},7]}\n",
        asked, known, grown, own);
    asks = &served;
    tell(&t, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED, line);
    asks = NULL;
    const struct analysis_health *h = &t.analysis->trials[0].health[0];
    CU_ASSERT_EQUAL_FATAL(h->n_served, 1); /* of the others no such probe asks, or endpoint is */
    CU_ASSERT_STRING_EQUAL(h->served[0].probe, "write");
    CU_ASSERT_STRING_EQUAL(h->served[0].host, "n2");
    CU_ASSERT_STRING_EQUAL(h->served[0].why, why);
    if (isnan(share))
        CU_ASSERT_TRUE(isnan(h->served[0].share));
    if (!isnan(share))
        CU_ASSERT_DOUBLE_EQUAL(h->served[0].share, share, 1e-9);
    CU_ASSERT_STRING_EQUAL(h->why, suspect);
    CU_ASSERT_EQUAL(h->suspect, suspect[0] != '\0');
    told_free(&t);
}

static void test_served(void)
{
    expect_served(5, 4, 2000, 100, 0.05, "", ""); /* as much as may be */
    expect_served(5, 4, 1960, 100, 100.0 / 1960, "",
                  "5.1 % of what write at n2 served were the probe's own requests, more than "
                  "5.0 %: it is a load itself");
    expect_served(5, 1, 2000, 100, 0.05, "", "");
    /* Nobody else asks; what was under way may stand on either side of a reading. */
    const char *all = "100.0 % of what write at n2 served were the probe's own requests, more than "
                      "5.0 %: it is a load itself";
    const char *other = "it counted fewer than it answered: it counts something else";
    const char *never = "it never told its count twice in a row";
    expect_served(2, 1, 100, 100, 1, "", all);
    expect_served(2, 1, 100, 106, 1, "", all);
    expect_served(2, 1, 100, 107, NAN, other, "");
    expect_served(9, 0, 0, 0, NAN, never, "");
    expect_served(1, 1, 10, 1, NAN, never, "");
    expect_served(2, 1, -7, 1, NAN, never, "");
    expect_served(2, 1, 7, -1, NAN, never, "");
}

/* A vantage whose clock is known to 12 ms: every bound is wider by as much, on the right side. */
static void test_clock_bounds(void)
{
    struct told sure, unsure;
    tell(&sure, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED, healthy);
    tell(&unsure, one_sees_it, ENDPOINTS_ANY, IMPACT_ALLOWED,
         "{'t':1,'ev':'prober','vantage':'n1','until_ns':6100000000,"
         "'clock':{'lo_ns':-5000000,'hi_ns':7000000}}\n");
    const struct analysis_outage *a = &sure.analysis->trials[0].probes[1].outages[0],
                                 *b = &unsure.analysis->trials[0].probes[1].outages[0];
    CU_ASSERT_EQUAL(b->onset.lo, a->onset.lo - STORY_MS(1)); /* not before the command */
    CU_ASSERT_EQUAL(b->onset.hi, a->onset.hi + STORY_MS(7));
    CU_ASSERT_EQUAL(b->recovery.lo, a->recovery.lo - STORY_MS(5));
    CU_ASSERT_EQUAL(b->recovery.hi, a->recovery.hi + STORY_MS(7));
    CU_ASSERT_EQUAL(unsure.analysis->trials[0].matrix.vantages[1].clock_hi, STORY_MS(7));
    told_free(&sure);
    told_free(&unsure);
}

static const struct check_test tests[] = {
    {"each is judged by itself", test_each_is_judged_by_itself},
    {"expected and nowhere felt", test_expected_and_nowhere_felt},
    {"the matrix", test_the_matrix},
    {"disagreement in words", test_disagreement_in_words},
    {"the probers' health", test_health},
    {"suspect in each way", test_suspect_in_each_way},
    {"its share of what a service saw", test_served},
    {"bounds of a clock", test_clock_bounds},
};

CHECK_MAIN("vantages", tests)
