/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of several groups: phases in time and waves over hosts, in virtual time. */
#include "golden.h"
#include "reports/report.h"

#define ON(id, host, group, which, class, proven, asked, active, revert, gone, by)                 \
    "{'t':" asked ",'ev':'prepare','injection':'" id "','fault':'network.loss','host':'" host      \
    "','group':" group ",'step':1," which ",'args':{},'for_ns':0}\n" STORY_APPLIED(                \
        id, asked, active) "{'t':" active ",'ev':'evidence','injection':'" id                      \
                           "','items':{'n':1},'class':'" class "','proven':" proven                \
                                                               ",'what':'what was seen'}\n"        \
                                                               "{'t':" gone                        \
                                                               ",'ev':'reverted','injection':'" id \
                                                               "','ok':true,'asked_ns':" revert    \
                                                               ",'done_ns':" gone                  \
                                                               ",'ended_by':'" by "'}\n"
#define PHASE_1(proven)                                                                            \
    ON("i1", "n1", "0", "'phase':1", "counter", proven, "3000000000", "3010000000", "4000000000",  \
       "4020000000", "command")
#define PHASE_2(proven, by)                                                                        \
    ON("i2", "n1", "1", "'phase':2", "counter", proven, "5000000000", "5010000000", "6000000000",  \
       "6020000000", by)
#define WAVE_1(proven)                                                                             \
    ON("i1", "n1", "0", "'wave':1", "counter", proven, "3000000000", "3010000000", "7000000000",   \
       "7020000000", "command")
#define WAVE_2(proven)                                                                             \
    ON("i2", "n2", "1", "'wave':2", "counter", proven, "5000000000", "5010000000", "7000000000",   \
       "7020000000", "command")

static const struct golden verdicts[] = {
    {"the first phase is the fault, the last one's end the heal",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = PHASE_1("true") PHASE_2("true", "command")},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 1.490..1.602 pass",
     NULL},
    {"recovered before the last phase ended",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .from = FROM_HEAL,
      .faults = PHASE_1("true") PHASE_2("true", "command")},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 0.000..0.000 pass",
     "before the fault was removed"},
    {"an idle phase does not count against the others",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = PHASE_1("false") PHASE_2("true", "command")},
     VERDICT_PASS,
     0,
     "",
     NULL,
     NULL},
    {"no phase had an effect",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = PHASE_1("false") PHASE_2("false", "command")},
     VERDICT_INVALID,
     3,
     "in none of 2 phases; in the last of them network.loss on n1 matched nothing",
     NULL,
     NULL},
    {"a phase that its lease ended",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = PHASE_1("true") PHASE_2("true", "lease")},
     VERDICT_INVALID,
     3,
     "ended before it was told to",
     NULL,
     NULL},
    {"the first wave is the fault",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = WAVE_1("true") WAVE_2("true")},
     VERDICT_PASS,
     0,
     "",
     "recovery_time 1.490..1.602 pass",
     NULL},
    {"each wave must be proven",
     {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1,
      .faults = WAVE_1("true") WAVE_2("false")},
     VERDICT_INVALID,
     3,
     "network.loss on n2 matched nothing",
     NULL,
     NULL},
};
GOLDENS(verdicts)

static void render(const struct story_told *t, struct buf *out)
{
    struct err err;
    struct report report = {
        .scenario = &t->scenario, .history = t->history, .analysis = t->analysis, .dir = "d"};
    CU_ASSERT_EQUAL(report_render_text(&report, out, &err), 0);
}

static void expect(const struct buf *out, const char *text)
{
    if (strstr(buf_text(out), text) == NULL)
        printf("\n--- not there: %s\n%s", text, buf_text(out));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(out), text));
}

static void test_phases_are_drawn(void)
{
    struct story_told t;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    story_tell(&(struct story){OUTAGE, .blast_permille = -1,
                               .faults = PHASE_1("true") PHASE_2("false", "command")},
               &t);
    const struct analysis_trial *trial = &t.analysis->trials[0];
    CU_ASSERT_EQUAL_FATAL(trial->n_waves, 1);
    CU_ASSERT_STRING_EQUAL(trial->waves[0].faults, "network.loss on n1, 2 times");
    CU_ASSERT_EQUAL(trial->waves[0].phases, 2);
    CU_ASSERT_EQUAL(trial->waves[0].phases_proven, 1);
    render(&t, &out);
    /* 3.02 s on 72 columns: on, in part, a second of nothing, on without proof. */
    expect(&out, "i1 to i2: network.loss on n1: 2 times on and off, proven in 1 of 2\n"
                 "      |########################+......................"
                 "?????????????????????????|\n"
                 "      on 3.010 s .. 4.020 s, 5.010 s .. 6.020 s (NOT PROVEN: network.loss on n1 "
                 "matched nothing: what was seen)\n");
    story_free(&t);
}

#define ROLLOUT(t, state, wave, reached, spared, what)                                             \
    "{'t':" t ",'ev':'rollout','step':1,'fault':'network.loss','state':'" state "','wave':" wave   \
    ",'waves':3,'reached':" reached ",'spared':" spared what "}\n"

static void test_a_rollout_is_told(void)
{
    struct story_told t;
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    story_tell(&(struct story){OUTAGE, .blast_permille = -1,
                               .faults = WAVE_1("true") WAVE_2("true")
                                   ROLLOUT("3000000000", "wave", "1", "['n1']", "['n2','n3']", "")
                                       ROLLOUT("6000000000", "stopped", "2", "['n1','n2']",
                                               "['n3']", ",'what':'write was bad'")},
               &t);
    const struct analysis_trial *trial = &t.analysis->trials[0];
    CU_ASSERT_EQUAL_FATAL(trial->n_rollouts, 1);
    const struct analysis_rollout *r = &trial->rollouts[0];
    CU_ASSERT_STRING_EQUAL(r->state, "stopped");
    CU_ASSERT_EQUAL(r->wave, 2);
    CU_ASSERT_DOUBLE_EQUAL(r->reach, 2 / 3.0, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(r->blast_lower, 1, 1e-9); /* the only probe there is was hit */
    render(&t, &out);
    expect(&out, "\nwaves\n"
                 "  trial 0, step 1: network.loss stopped after wave 2 of 3: write was bad\n"
                 "      reached: n1, n2\n"
                 "      spared:  n3\n"
                 "      blast radius: 66.7 % of the hosts, 100.0 % of the probes' weight\n");
    story_free(&t);
}

static const struct check_test tests[] = {
    {"verdicts", test_verdicts},
    {"phases are drawn", test_phases_are_drawn},
    {"a rollout is told", test_a_rollout_is_told},
};
CHECK_MAIN("analysis/unfold", tests)
