/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exact words of each verdict that an operator must not have to guess at. */
#include "golden.h"

struct words {
    const char *name;
    struct story story;
    enum verdict verdict;
    const char *why, *target_why; /* whole; of the run, and of its first target */
};

#define GOOD_4S GOOD_2S GOOD_2S

static const struct words table[] = {
    {"prober stall at an edge",
     {.write = BEFORE "--xxxxxxxxxxxxx" GOOD_4S GOOD_2S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     "recovery_time of write: the prober itself stalled at an edge of the outage",
     "the prober itself stalled at an edge of the outage"},
    {"prober stall at an edge, of a probe without a target",
     {.write = BEFORE "--xxxxxxxxxxxxx" GOOD_4S GOOD_2S, .blast_permille = 1000},
     VERDICT_INCONCLUSIVE,
     "the prober at client itself stalled at an edge of an outage of write",
     "100.0% of the probes' weight was impacted, against at most 100.0%"},
    {"prober stall in the window",
     {.write = BEFORE BAD_1S5 GOOD_4S "----" GOOD_2S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     "recovery_time of write: 4 of 80 slots are missing: the prober itself stalled",
     "4 of 80 slots are missing: the prober itself stalled"},
    {"prober stall in the window, of a probe without a target",
     {.write = BEFORE BAD_1S5 GOOD_4S "----" GOOD_2S, .blast_permille = 1000},
     VERDICT_INCONCLUSIVE,
     "the prober at client itself stalled: 4 of 80 slots of write are missing, more than 1 %",
     "100.0% of the probes' weight was impacted, against at most 100.0%"},
    {"missing data",
     {.write = BEFORE GOOD_4S "----" GOOD_2S, .availability_permille = 900, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     "availability of write: 4 of 64 slots of the window are missing",
     "4 of 64 slots of the window are missing"},
    {"no impact, for want of data",
     {.write = BEFORE GOOD_4S "----" GOOD_2S, .recovery_limit_ms = 3000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     "recovery_time of write: no impact seen, but 4 of 65 slots are missing",
     "no impact seen, but 4 of 65 slots are missing"},
    {"aborted run",
     {.write = BEFORE BAD_1S5 GOOD_4S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1,
      .more = "{'t':4000000000,'ev':'abort','why':'deadline','what':'the run took too long'}\n"},
     VERDICT_INCONCLUSIVE,
     "aborted (deadline): the run took too long",
     "aborted (deadline): the run took too long; not recovered for good until then"},
    {"interrupted run",
     {.write = BEFORE BAD_1S5 GOOD_4S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1,
      .more = "{'t':4000000000,'ev':'abort','why':'interrupt'}\n"},
     VERDICT_INCONCLUSIVE,
     "stopped by the person",
     "stopped by the person"},
    {"a run that died",
     {.write = BEFORE BAD_1S5 GOOD_4S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1,
      .dies = true},
     VERDICT_INCONCLUSIVE,
     "the journal ends before the run does",
     NULL},
    {"never recovered",
     {.write = BEFORE BAD_1S5 BAD_1S5 BAD_1S5, .recovery_limit_ms = 3000, .blast_permille = -1},
     VERDICT_FAIL,
     "recovery_time of write: lower bound 4.490 s is beyond 3.000 s; it never recovered",
     "lower bound 4.490 s is beyond 3.000 s; it never recovered"},
    {"never recovered while it was looked at",
     {.write = BEFORE BAD_1S5, .recovery_limit_ms = 3000, .blast_permille = -1},
     VERDICT_INCONCLUSIVE,
     "recovery_time of write: not recovered for good when the observation ended; lower bound "
     "1.490 s",
     "not recovered for good when the observation ended; lower bound 1.490 s"},
    {"never impacted",
     {.write = QUIET, .recovery_limit_ms = 3000, .blast_permille = -1},
     VERDICT_PASS,
     "every target was met",
     "no impact seen; an outage shorter than 102.0 ms could have been missed"},
    {"never impacted, though it was expected",
     {.write = QUIET, .recovery_limit_ms = 3000, .blast_permille = -1, .impact = IMPACT_EXPECTED},
     VERDICT_INVALID,
     "recovery_time of write: no impact seen, though the scenario expects one: nothing to recover "
     "from",
     "no impact seen, though the scenario expects one: nothing to recover from"},
    {"bad baseline",
     {.write = QUIET,
      .recovery_limit_ms = 3000,
      .blast_permille = -1,
      .steady = "'held':false,'why':'write was not good for 2s within 30s'",
      .faults = ""},
     VERDICT_INVALID,
     "the baseline was already bad: write was not good for 2s within 30s; nothing was injected",
     "the baseline was already bad: write was not good for 2s within 30s; nothing was injected"},
    {"bad baseline after the steady state",
     {.write = "............................xxx" BAD_1S5 GOOD_4S,
      .recovery_limit_ms = 3000,
      .blast_permille = -1},
     VERDICT_INVALID,
     "the baseline was bad: write failed 2 times before the fault",
     "the baseline was bad: write failed 2 times before the fault"},
    {"no effect",
     {.write = OUTAGE,
      .recovery_limit_ms = 3000,
      .blast_permille = -1,
      .faults = STORY_PREPARE("i1", "network.partition", "n1", "0")
          STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "counter", "false")
              STORY_REVERTED("i1", "6000000000", "6020000000")},
     VERDICT_INVALID,
     "the fault is not proven: network.partition on n1 matched nothing: what was seen",
     "the fault is not proven: network.partition on n1 matched nothing: what was seen"},
};

static void test_words(void)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct words *w = &table[i];
        struct story_told t;
        story_tell(&w->story, &t);
        const struct analysis *a = t.analysis;
        const char *target = a != NULL && a->n_targets != 0 ? a->targets[0].why : "";
        bool same = a != NULL && a->verdict == w->verdict && strcmp(a->why, w->why) == 0 &&
                    (w->target_why == NULL || strcmp(target, w->target_why) == 0);
        CU_ASSERT_TRUE(same);
        if (!same && a != NULL)
            printf("\n  %s: %s\n  run:    %s\n  target: %s\n", w->name, verdict_word(a->verdict),
                   a->why, target);
        story_free(&t);
    }
}

static const struct check_test tests[] = {
    {"the exact words", test_words},
};

CHECK_MAIN("verdict's words", tests)
