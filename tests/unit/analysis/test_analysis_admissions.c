/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps that were refused, approved or carried out by a person's hand, in virtual time. */
#include "golden.h"

#define ASKED(t, state, more)                                                                      \
    "{'t':" t                                                                                      \
    ",'ev':'admission','step':1,'fault':'process.pause','approver':'senior','state':'" state       \
    "'" more "}\n"
#define GOOD "................................................................................"
#define LATE "...............................xxxxx............................................"

#define REFUSED                                                                                    \
    ASKED("2600000000", "asked", ",'by':'approval'")                                               \
    ASKED("3000000000", "refused", ",'by':'approval'")

static const struct golden verdicts[] = {
    {"refused: valid, and judged from that moment on",
     {GOOD, .recovery_limit_ms = 1000, .availability_permille = 1000, .over_ms = 4000,
      .blast_permille = 0, .impact = IMPACT_EXPECTED, .faults = REFUSED},
     VERDICT_PASS,
     0,
     "nothing was injected: process.pause of step 1 was refused by senior (waited 400.0 ms",
     "recovery_time 0.000..0.102 pass",
     NULL},
    {"what fails by itself after a refusal is seen",
     {LATE, .recovery_limit_ms = 300, .blast_permille = -1, .faults = REFUSED},
     VERDICT_FAIL,
     1,
     "",
     NULL,
     NULL},
    {"without a refusal a trial without a fault is invalid",
     {GOOD, .recovery_limit_ms = 1000, .blast_permille = -1,
      .faults = ASKED("2600000000", "asked", ",'by':'approval'")},
     VERDICT_INVALID,
     3,
     "no fault was injected",
     NULL,
     NULL},
};

GOLDENS(verdicts)

static const struct analysis_admission *told(const struct story *s, struct story_told *t)
{
    story_tell(s, t);
    CU_ASSERT_EQUAL_FATAL(t->analysis->trials[0].n_admissions, 1);
    return &t->analysis->trials[0].admissions[0];
}

static void test_executed(void)
{
    struct story_told t;
    const struct story s = {.write = LATE,
                            .recovery_limit_ms = 5000,
                            .blast_permille = -1,
                            .faults = ASKED("2600000000", "asked", ",'by':'approval'")
                                ASKED("2900000000", "approved", ",'by':'approval'")
                                    STORY_PAUSE ASKED("3010000000", "executed", "")};
    const struct analysis_admission *a = told(&s, &t);
    CU_ASSERT_STRING_EQUAL(
        a->sentence, "executed after approval by senior (waited 300.0 ms; a model of a person)");
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_PASS);
    CU_ASSERT_FALSE(t.analysis->trials[0].waves[0].refused);
    story_free(&t);
}

/* What was only prepared, on a host that agreed, is no injection. */
static void test_refused_by_a_host(void)
{
    struct story_told t;
    const struct story s = {
        .write = GOOD,
        .recovery_limit_ms = 1000,
        .blast_permille = -1,
        .faults = STORY_PREPARE("i1", "process.pause", "n1", "0") STORY_PREPARE(
            "i2", "process.pause", "n2",
            "0") "{'t':2900000000,'ev':'prepared','injection':'i1','ok':true}\n"
                 "{'t':2950000000,'ev':'prepared','injection':'i2','ok':false,'refused':true}\n"
                 "{'t':3000000000,'ev':'admission','step':1,'fault':'process.pause','as':'agent',"
                 "'state':'refused','by':'host','host':'n2','what':'may not unlink'}\n"
                 "{'t':3000000000,'ev':'revert','injection':'i1'}\n"
                 "{'t':3002000000,'ev':'reverted','injection':'i1','ok':true}\n"};
    const struct analysis_admission *a = told(&s, &t);
    CU_ASSERT_STRING_EQUAL(a->sentence, "refused by the host n2 as agent: may not unlink");
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_PASS);
    CU_ASSERT_EQUAL(t.analysis->n_injections, 0);
    CU_ASSERT_TRUE(t.analysis->trials[0].waves[0].refused);
    CU_ASSERT_EQUAL(t.analysis->trials[0].waves[0].injected.lo, STORY_MS(3000));
    story_free(&t);
}

#define TASK(t, state)                                                                             \
    "{'t':" t ",'ev':'runbook','step':2,'task':1,'name':'put it back','on':'n1','state':'" state   \
    "'}\n"

static void test_runbook(void)
{
    struct story_told t;
    const struct story s = {.write = LATE,
                            .recovery_limit_ms = 5000,
                            .blast_permille = -1,
                            .faults = STORY_PAUSE TASK("3100000000", "begin")
                                TASK("3300000000", "typed','recovery':true,'x':'")
                                    TASK("3350000000", "end")};
    story_tell(&s, &t);
    const struct analysis_trial *trial = &t.analysis->trials[0];
    CU_ASSERT_EQUAL_FATAL(trial->n_tasks, 1);
    CU_ASSERT_EQUAL(trial->tasks[0].begin_ns, STORY_MS(3100));
    CU_ASSERT_EQUAL(trial->tasks[0].typed_ns, STORY_MS(3300));
    CU_ASSERT_EQUAL(trial->tasks[0].end_ns, STORY_MS(3350));
    CU_ASSERT_FALSE(t.analysis->targets[0].automatic);
    story_free(&t);
}

static const struct check_test tests[] = {
    {"verdicts", test_verdicts},
    {"executed after approval", test_executed},
    {"refused by a host", test_refused_by_a_host},
    {"runbook", test_runbook},
};

CHECK_MAIN("analysis/admissions", tests)
