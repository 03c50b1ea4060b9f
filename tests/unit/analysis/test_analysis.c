/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole runs in virtual time: the journal's text in, bounds and verdicts with their reasons out. */
#include "golden.h"

static const struct golden recovery[] = {
    {"from the fault",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "every target was met",
     "recovery_time 1.490..1.602 pass",
     "upper bound 1.602 s is within 5.000 s"},
    {"from the first impact",
     {OUTAGE, .recovery_limit_ms = 5000, .from = FROM_IMPACT, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 1.400..1.602 pass",
     ""},
    {"missed",
     {OUTAGE, .recovery_limit_ms = 200, .blast_permille = -1},
     VERDICT_FAIL,
     1,
     "recovery_time of write: lower bound 1.490 s is beyond 200.0 ms",
     "recovery_time 1.490..1.602 fail",
     NULL},
    {"the limit between the bounds",
     {OUTAGE, .recovery_limit_ms = 1550, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "lies between the bounds",
     "recovery_time 1.490..1.602 inconclusive",
     NULL},
    {"exactly at the limit",
     {OUTAGE, .recovery_limit_ms = 1602, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     NULL,
     NULL},
    {"the heal came after it",
     {OUTAGE, .recovery_limit_ms = 100, .from = FROM_HEAL, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 0.000..0.000 pass",
     "recovered before the fault was removed"},
    {"only after the heal",
     {BEFORE BAD_1S5 BAD_1S5 "xxx" GOOD_2S, .recovery_limit_ms = 1000, .from = FROM_HEAL,
      .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 0.280..0.402 pass",
     NULL},
    {"under the fault it is the fault's length, and says so",
     {BEFORE BAD_1S5 BAD_1S5 "xxx" GOOD_2S, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 3.290..3.402 pass",
     "only once the fault was removed"},
    {"of two outages the last counts, and is named",
     {BEFORE "xxx" GOOD_2S "xx" GOOD_2S, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     NULL,
     "(the last of 2 outages, with 2 bad slots)"},
    {"never recovered: lower bound beyond the limit",
     {BEFORE BAD_1S5 BAD_1S5, .recovery_limit_ms = 1000, .blast_permille = -1},
     VERDICT_FAIL,
     1,
     "it never recovered",
     "recovery_time 2.990..inf fail",
     NULL},
    {"never recovered: the limit not yet reached",
     {BEFORE BAD_1S5, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "",
     "recovery_time 1.490..inf inconclusive",
     "not recovered for good when the observation ended"},
    {"good at the end for less than stable_for is not recovered",
     {BEFORE BAD_1S5 ".........", .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "",
     "recovery_time 1.490..inf inconclusive",
     NULL},
    {"flapping: the last recovery counts",
     {BEFORE "xxx" GOOD_2S "xxx" GOOD_2S, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 2.590..2.702 pass",
     NULL},
    {"clamped at the command: a request under way was hit",
     {"............................xx"
      "x" GOOD_2S,
      .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = STORY_PREPARE("i1", "process.pause", "n1", "0")
          STORY_APPLIED("i1", "2801000000", "2900000000") STORY_EVIDENCE("i1", "state", "true")
              STORY_REVERTED("i1", "6000000000", "6020000000")},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 0.100..0.301 pass",
     NULL},
};

static const struct golden missing_data_is_never_good_news[] = {
    {"a stall at an edge",
     {BEFORE "-" BAD_1S5 GOOD_2S GOOD_2S GOOD_2S GOOD_2S GOOD_2S, .recovery_limit_ms = 5000,
      .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "stalled at an edge",
     "recovery_time 1.590..1.702 inconclusive",
     NULL},
    {"gaps over more than 1 % of the window",
     {BEFORE BAD_1S5 GOOD_2S "--" GOOD_2S, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "of 58 slots are missing",
     NULL,
     NULL},
    {"gaps over less of it",
     {BEFORE BAD_1S5 GOOD_2S "-" GOOD_2S GOOD_2S GOOD_2S GOOD_2S, .recovery_limit_ms = 5000,
      .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 1.490..1.602 pass",
     NULL},
    {"no impact seen for want of data",
     {BEFORE "-----" GOOD_2S, .recovery_limit_ms = 5000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "slots are missing",
     NULL,
     NULL},
    {"the run died under the fault",
     {BEFORE BAD_1S5, .recovery_limit_ms = 5000, .blast_permille = -1, .dies = true,
      .faults = STORY_PREPARE("i1", "process.pause", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "state", "true")},
     VERDICT_INCONCLUSIVE,
     3,
     "the journal ends before the run does",
     "recovery_time 1.490..inf inconclusive",
     NULL},
    {"the run died before the fault was proven",
     {BEFORE BAD_1S5, .recovery_limit_ms = 200, .blast_permille = -1, .dies = true,
      .faults = STORY_PREPARE("i1", "process.pause", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000")},
     VERDICT_INCONCLUSIVE,
     3,
     "the journal ends before the run does",
     "recovery_time 1.490..inf inconclusive",
     NULL},
};

static const struct golden shares[] = {
    /* the window of 5 s has 50 slots, of which 15 are bad, wherever it begins */
    {"availability",
     {OUTAGE, .availability_permille = 700, .over_ms = 5000, .blast_permille = -1},
     VERDICT_PASS,
     0,
     "",
     "availability 0.700..0.700 pass",
     "lower bound 70.000% of 50 slots"},
    {"availability missed",
     {OUTAGE, .availability_permille = 701, .over_ms = 5000, .blast_permille = -1},
     VERDICT_FAIL,
     1,
     "availability of write: upper bound 70.000%",
     NULL,
     NULL},
    {"a window that was not observed to its end",
     {OUTAGE, .availability_permille = 500, .over_ms = 9000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     3,
     "of the window are missing",
     NULL,
     NULL},
    {"blast radius",
     {OUTAGE, .blast_permille = 1000},
     VERDICT_PASS,
     0,
     "",
     "blast_radius 1.000..1.000 pass",
     NULL},
    {"blast radius passed", {OUTAGE, .blast_permille = 900}, VERDICT_FAIL, 1, "100.0%", NULL, NULL},
    {"no blast",
     {QUIET, .blast_permille = 100},
     VERDICT_PASS,
     0,
     "",
     "blast_radius 0.000..0.000 pass",
     NULL},
};

#define KILL(id, host, group, asked, active)                                                       \
    STORY_PREPARE(id, "process.kill", host, group)                                                 \
    STORY_APPLIED(id, asked, active) STORY_EVIDENCE(id, "event", "true")

static void test_waves(void)
{
    static const char pause2[] = STORY_PREPARE("i1", "process.pause", "n1", "0")
        STORY_PREPARE("i2", "network.loss", "n2", "1")
            STORY_APPLIED("i1", "3000000000", "3010000000")
                STORY_APPLIED("i2", "5000000000", "5010000000")
                    STORY_EVIDENCE("i1", "state", "true") STORY_EVIDENCE("i2", "counter", "true")
                        STORY_REVERTED("i1", "6000000000", "6020000000")
                            STORY_REVERTED("i2", "7000000000", "7020000000");
    struct story s = {
        .write = OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .faults = pause2};
    struct story_told t;
    story_tell(&s, &t);
    /* overlapping: one wave, both named */
    CU_ASSERT_EQUAL(t.analysis->trials[0].n_waves, 1);
    CU_ASSERT_STRING_EQUAL(t.analysis->trials[0].waves[0].faults,
                           "process.pause on n1 + network.loss on n2");
    CU_ASSERT_STRING_EQUAL(t.analysis->trials[0].probes[0].outages[0].faults,
                           "process.pause on n1 + network.loss on n2");
    story_free(&t);
    /* instant ones end as they are applied: two waves, each outage with its own */
    s.faults = KILL("k1", "n1", "0", "3000000000", "3010000000")
        KILL("k2", "n2", "1", "6000000000", "6010000000");
    s.write = BEFORE "xxx.............................xxxxx" GOOD_2S;
    story_tell(&s, &t);
    const struct analysis_trial *trial = &t.analysis->trials[0];
    CU_ASSERT_EQUAL(trial->n_waves, 2);
    CU_ASSERT_EQUAL(trial->probes[0].n_outages, 2);
    CU_ASSERT_EQUAL(trial->probes[0].outages[0].wave, 0);
    CU_ASSERT_EQUAL(trial->probes[0].outages[1].wave, 1);
    CU_ASSERT_STRING_EQUAL(trial->probes[0].outages[1].faults, "process.kill on n2");
    /* the worse of the two is the trial's */
    CU_ASSERT_DOUBLE_EQUAL(trial->targets[0].lower, 6.7 - 6.01, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(trial->targets[0].upper, 6.802 - 6.0, 1e-9);
    CU_ASSERT_EQUAL(trial->targets[0].verdict, VERDICT_PASS);
    CU_ASSERT_EQUAL(trial->probes[0].baseline_p99_ns, STORY_MS(2));
    story_free(&t);
}

static void test_trials_together(void)
{
    struct story s = {
        .write = OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .trials = 10};
    struct story_told t;
    story_tell(&s, &t);
    CU_ASSERT_EQUAL(t.analysis->n_sentences, 1);
    CU_ASSERT_STRING_EQUAL(t.analysis->sentences[0],
                           "recovery_time of write: 10 of 10 trials passed; that proves, with 95 % "
                           "confidence, that at least 74.1 % of runs do; the median lies between "
                           "1.490 s and 1.602 s");
    const struct analysis_summary *all = &t.analysis->summaries[0];
    CU_ASSERT_EQUAL(all->n, 10);
    CU_ASSERT_EQUAL(all->passes, 10);
    CU_ASSERT_TRUE(all->quantiles[0].known);
    CU_ASSERT_EQUAL(all->quantiles[0].bound, all->median_upper);
    CU_ASSERT_FALSE(all->quantiles[1].known);
    CU_ASSERT_EQUAL(all->quantiles[1].needs, 29);
    CU_ASSERT_EQUAL(all->trend, 0);
    CU_ASSERT_EQUAL(t.analysis->n_injections, 10);
    CU_ASSERT_EQUAL(t.analysis->n_targets, 1);
    story_free(&t);
}

GOLDENS(recovery)
GOLDENS(missing_data_is_never_good_news)
GOLDENS(shares)

/* A rate over 400 ms, with answers every 100 ms: what a slot says was so within 700 ms of it. */
static void test_a_rate_blurs(void)
{
    static const char write[] = "........................................rrrrrrrrrr"
                                "..................................................";
    static const char silent[] = "........................................xxxxxxxxxx"
                                 "..................................................";
    struct story_told sharp, blurred;
    const struct story one = {.write = silent, .blast_permille = -1};
    const struct story two = {.write = write, .blast_permille = -1, .rate_ms = 400};
    story_tell(&one, &sharp);
    story_tell(&two, &blurred);
    CU_ASSERT_EQUAL_FATAL(sharp.analysis->trials[0].probes[0].n_outages, 1);
    CU_ASSERT_EQUAL_FATAL(blurred.analysis->trials[0].probes[0].n_outages, 1);
    const struct analysis_outage *a = &sharp.analysis->trials[0].probes[0].outages[0],
                                 *b = &blurred.analysis->trials[0].probes[0].outages[0];
    CU_ASSERT_EQUAL(a->onset.lo, STORY_MS(3900));
    CU_ASSERT_EQUAL(b->onset.lo, a->onset.lo - STORY_MS(700));
    CU_ASSERT_EQUAL(b->onset.hi, a->onset.hi + STORY_MS(2)); /* read by the answer's end */
    CU_ASSERT_EQUAL(a->recovery.lo, STORY_MS(4900));
    CU_ASSERT_EQUAL(b->recovery.lo, a->recovery.lo - STORY_MS(700));
    CU_ASSERT_EQUAL(b->recovery.hi, a->recovery.hi);
    story_free(&sharp);
    story_free(&blurred);
}

static const struct check_test tests[] = {
    {"recovery", test_recovery},
    {"missing data is never good news", test_missing_data_is_never_good_news},
    {"shares", test_shares},
    {"waves", test_waves},
    {"trials together", test_trials_together},
    {"a rate blurs", test_a_rate_blurs},
};

CHECK_MAIN("analysis", tests)
