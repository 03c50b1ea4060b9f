/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a reproduced outage showed: each state, what it makes of the trial, the run and a series. */
#include "analysis/compare.h"
#include "check.h"
#include "story.h"

#include <math.h>

#define G1S ".........."
#define B1S "xxxxxxxxxx"
/* Down from the fault on for 3 s; not at all; for 1.5 s. */
#define DOWN  G1S G1S G1S B1S B1S B1S G1S G1S G1S G1S
#define QUIET G1S G1S G1S G1S G1S G1S G1S G1S G1S G1S
#define HALF  G1S G1S G1S B1S "xxxxx....." G1S G1S G1S G1S G1S

#define AVAILABLE(percent)                                                                         \
    {                                                                                              \
        .kind = TARGET_AVAILABILITY, .probe = "write", .over = {STORY_MS(3000)}, .limit = {        \
            (percent)*10000                                                                        \
        }                                                                                          \
    }
static const struct scenario_target available = AVAILABLE(50), nearly_half = AVAILABLE(52),
                                    always = AVAILABLE(99);
static const struct scenario_target both[] = {AVAILABLE(1), AVAILABLE(99)};
static const struct scenario_target recovered = {
    .kind = TARGET_RECOVERY, .probe = "write", .within = {STORY_MS(1000)}};
static const struct scenario_target fast = {
    .kind = TARGET_LATENCY, .probe = "write", .percentile = {500000}, .within = {STORY_MS(1)}};
#define DURING(time, percent)                                                                      \
    {                                                                                              \
        .kind = TARGET_AVAILABILITY, .probe = "write", .during = (time), .limit = {                \
            (percent)*10000                                                                        \
        }                                                                                          \
    }
static const struct scenario_target under = DURING(DURING_FAULT, 50),
                                    under_most = DURING(DURING_FAULT, 20),
                                    after = DURING(DURING_RECOVERY, 99);
static const struct scenario_target hosts = {
    .kind = TARGET_BLAST, .blast_of = BLAST_HOSTS, .limit = {1000000}};

#define DOWN_IS(target, n)                                                                         \
    {                                                                                              \
        .shows = "nobody can buy", .missed = true, .targets = (target), .n_targets = (n)           \
    }
#define UP_IS(target, n)                                                                           \
    {                                                                                              \
        .shows = "the page answers", .targets = (target), .n_targets = (n)                         \
    }
static const struct scenario_symptom down[] = {DOWN_IS(&available, 1)}, up[] = {UP_IS(&always, 1)},
                                     down_half[] = {DOWN_IS(&nearly_half, 1)},
                                     up_half[] = {UP_IS(&nearly_half, 1)},
                                     down_at_any[] = {DOWN_IS(both, 2)},
                                     up_at_each[] = {UP_IS(both, 2)},
                                     two[] = {UP_IS(&available, 1), DOWN_IS(&available, 1)},
                                     back[] = {UP_IS(&recovered, 1)},
                                     never_back[] = {DOWN_IS(&recovered, 1)},
                                     down_under[] = {DOWN_IS(&under, 1)},
                                     quite_down[] = {DOWN_IS(&under_most, 1)},
                                     up_after[] = {UP_IS(&after, 1)}, slow[] = {DOWN_IS(&fast, 1)},
                                     spread[] = {DOWN_IS(&hosts, 1)};

#define UNPROVEN                                                                                   \
    STORY_PREPARE("i1", "process.pause", "n1", "0")                                                \
    STORY_APPLIED("i1", "3000000000", "3010000000")                                                \
    STORY_EVIDENCE("i1", "state", "false") STORY_REVERTED("i1", "6000000000", "6020000000")
#define NEVER_REMOVED                                                                              \
    STORY_PREPARE("i1", "process.pause", "n1", "0")                                                \
    STORY_APPLIED("i1", "3000000000", "3010000000") STORY_EVIDENCE("i1", "state", "true")
#define STEP(s)                                                                                    \
    "{'t':" s "005000000,'ev':'step','step':1,'what':'fault','state':'begin'}\n"                   \
    "{'t':" s "005000000,'ev':'step','step':1,'what':'fault','state':'skipped'}\n"
/* A fault step without a fault takes the time of its approval and of its waves. */
#define STEP_FROM(begin, end)                                                                      \
    "{'t':" begin "005000000,'ev':'step','step':1,'what':'fault','state':'begin'}\n"               \
    "{'t':" end "005000000,'ev':'step','step':1,'what':'fault','state':'end'}\n"
static const struct scenario_approval given = {
    .by = "senior", .after = {STORY_MS(2000)}, .within = {STORY_MS(9000)}, .answer = ANSWER_YES};
static const struct scenario_approval refused = {
    .by = "senior", .after = {STORY_MS(2000)}, .within = {STORY_MS(9000)}, .answer = ANSWER_NO};
#define ABORT "{'t':4000000000,'ev':'abort','why':'guard','what':'write was bad'}\n"

static const struct row {
    const char *name;
    struct story story;
    enum symptom_state state; /* of the first */
    enum verdict verdict;
    int exit_status;
    const char *why, *and; /* parts of the run's reason */
} rows[] = {
    {"missed and shown",
     {DOWN, .symptoms = down, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "every target was met",
     ""},
    {"missed and not shown",
     {QUIET, .symptoms = down, .n_symptoms = 1},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "the reproduction did not show \"nobody can buy\": availability of write: ",
     "at least 50.000%"},
    {"missed and not decided",
     {HALF, .symptoms = down_half, .n_symptoms = 1},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "it is not known whether the reproduction showed \"nobody can buy\": availability of write",
     "52.000%"},
    {"met and shown",
     {QUIET, .symptoms = up, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "",
     ""},
    {"met and not shown",
     {DOWN, .symptoms = up, .n_symptoms = 1},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show \"the page answers\"",
     ""},
    {"met and not decided",
     {HALF, .symptoms = up_half, .n_symptoms = 1},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "not known whether",
     "the page answers"},
    {"at any vantage",
     {HALF, .symptoms = down_at_any, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "",
     ""},
    {"at each vantage",
     {HALF, .symptoms = up_at_each, .n_symptoms = 1},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "the page answers",
     ""},
    {"only those that are missing are named",
     {DOWN, .symptoms = two, .n_symptoms = 2},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show \"the page answers\": ",
     ""},
    {"a missed target fails a valid trial",
     {DOWN, .recovery_limit_ms = 100, .symptoms = down, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_FAIL,
     1,
     "recovery_time",
     ""},
    {"and not one that does not show the outage",
     {HALF, .recovery_limit_ms = 100, .symptoms = up, .n_symptoms = 1},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show",
     ""},
    {"nor one of which it is not known",
     {HALF, .recovery_limit_ms = 100, .symptoms = up_half, .n_symptoms = 1},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "not known",
     ""},
    {"a fault without proof is the reason",
     {DOWN, .symptoms = down, .n_symptoms = 1, .faults = UNPROVEN},
     SYMPTOM_NOT_JUDGED,
     VERDICT_INVALID,
     3,
     "not proven",
     ""},
    {"no fault at all",
     {DOWN, .symptoms = down, .n_symptoms = 1, .faults = ""},
     SYMPTOM_NOT_JUDGED,
     VERDICT_INVALID,
     3,
     "no fault was injected",
     ""},
    {"aborted before it was decided",
     {QUIET, .symptoms = up, .n_symptoms = 1, .more = ABORT},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "aborted (guard): write was bad; it is not known whether",
     ""},
    {"nothing to recover from, where an impact is expected",
     {QUIET, .symptoms = back, .n_symptoms = 1, .impact = IMPACT_EXPECTED},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show \"the page answers\": recovery_time of write: no impact",
     ""},
    {"back in time",
     {HALF, .symptoms = never_back, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "",
     ""},
    {"down while the fault is on",
     {DOWN, .symptoms = down_under, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "",
     ""},
    {"and up after it",
     {DOWN, .symptoms = up_after, .n_symptoms = 1},
     SYMPTOM_SHOWN,
     VERDICT_PASS,
     0,
     "",
     ""},
    {"a fault that nobody saw removed",
     {DOWN, .symptoms = down_under, .n_symptoms = 1, .faults = NEVER_REMOVED},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "never seen to be removed",
     ""},
    {"down while it was planned to be",
     {DOWN, .symptoms = down_under, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP("3"), .length_ms = 3000},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault",
     ""},
    {"and only then",
     {DOWN, .symptoms = down_under, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP("5"), .length_ms = 3000},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show",
     ""},
    {"the last of its waves begins later",
     {DOWN, .symptoms = down_under, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP_FROM("1", "3"), .length_ms = 3000},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault",
     ""},
    {"and it was waited for",
     {DOWN, .symptoms = down_under, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP_FROM("1", "6"), .length_ms = 1000, .wait_end = true},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault",
     ""},
    {"not before it was approved",
     {DOWN, .symptoms = quite_down, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP_FROM("1", "3"), .length_ms = 3000, .approval = &given},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault",
     ""},
    {"and not where it is refused",
     {DOWN, .symptoms = quite_down, .n_symptoms = 1, .faults = "", .no_fault = true,
      .more = STEP_FROM("1", "3"), .length_ms = 3000, .approval = &refused},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INVALID,
     3,
     "impact without any fault",
     ""},
    {"a scenario without faults, by its steps",
     {DOWN, .symptoms = down, .n_symptoms = 1, .faults = "", .acts = true, .more = STEP("3")},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "impact without any fault",
     ""},
    {"a run without faults shows no outage",
     {QUIET, .symptoms = down, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "the reproduction did not show \"nobody can buy\": availability",
     ""},
    {"nor recovers from one",
     {QUIET, .symptoms = back, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "without a fault there is nothing to recover from",
     ""},
    {"nor fails to",
     {QUIET, .symptoms = never_back, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "nothing to recover from",
     ""},
    {"nor has hosts with a fault",
     {QUIET, .symptoms = spread, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "no host has one",
     ""},
    {"nor passes by what goes on working",
     {QUIET, .symptoms = up, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "every symptom was shown without any fault: \"the page answers\"",
     ""},
    {"what goes on working is no reproach beside one that is missing",
     {QUIET, .symptoms = two, .n_symptoms = 2, .faults = "", .no_fault = true},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show \"nobody can buy\": ",
     ""},
    {"what shows the outage by itself is named",
     {QUIET, .symptoms = slow, .n_symptoms = 1, .faults = "", .no_fault = true},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault: \"nobody can buy\"",
     ""},
    {"nor by what was not seen",
     {G1S G1S G1S "-----....." G1S G1S G1S G1S G1S G1S, .symptoms = down, .n_symptoms = 1,
      .faults = "", .no_fault = true},
     SYMPTOM_NOT_DECIDED,
     VERDICT_INCONCLUSIVE,
     3,
     "not known whether",
     "are missing"},
    {"a window begins when the fault was planned",
     {DOWN, .symptoms = down, .n_symptoms = 1, .faults = "", .no_fault = true, .more = STEP("3")},
     SYMPTOM_SHOWN,
     VERDICT_INVALID,
     3,
     "shown without any fault",
     ""},
    {"and not before",
     {DOWN, .symptoms = down, .n_symptoms = 1, .faults = "", .no_fault = true, .more = STEP("6")},
     SYMPTOM_NOT_SHOWN,
     VERDICT_INVALID,
     3,
     "did not show",
     ""},
};

static void test_each(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *r = &rows[i];
        struct story story = r->story;
        struct story_told t;
        story.blast_permille = story.recovery_limit_ms != 0 ? -1 : 1000;
        story_tell(&story, &t);
        const struct analysis *a = t.analysis;
        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        bool right = a->n_symptoms == story.n_symptoms && a->symptoms[0].state == r->state &&
                     a->trials[0].symptoms[0].state == r->state && a->verdict == r->verdict &&
                     a->exit_status == r->exit_status && strstr(a->why, r->why) != NULL &&
                     strstr(a->why, r->and) != NULL;
        CU_ASSERT_TRUE(right);
        if (!right)
            (void)printf("\n%s: %s, %s, %d: %s\n", r->name, symptom_word(a->symptoms[0].state),
                         verdict_word(a->verdict), a->exit_status, a->why);
        story_free(&t);
    }
}

/* Trials of the shape; the first is without a fault. */
static void told(const char *const *each, uint32_t n, const struct scenario_symptom *of,
                 size_t n_of, struct story_told *t)
{
    const struct story story = {.write = QUIET,
                                .each = each,
                                .trials = n,
                                .dry_first = true,
                                .blast_permille = 1000,
                                .recovery_limit_ms = 5000,
                                .symptoms = of,
                                .n_symptoms = n_of};
    story_tell(&story, t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t->analysis);
}

static void test_a_series_says_how_often(void)
{
    static const char *const each[] = {QUIET, DOWN, DOWN, QUIET, DOWN};
    struct story_told t;
    told(each, 5, two, 2, &t);
    const struct analysis *a = t.analysis;
    CU_ASSERT_EQUAL(a->verdict, VERDICT_INVALID);
    CU_ASSERT_FALSE(a->series.invalid);
    CU_ASSERT_PTR_NOT_NULL(strstr(a->why, "trial 1: the reproduction did not show"));
    CU_ASSERT_EQUAL(a->trials[0].verdict, VERDICT_PASS);
    CU_ASSERT_EQUAL_FATAL(a->n_symptoms, 2);
    CU_ASSERT_STRING_EQUAL(a->shown[0].sentence,
                           "symptom \"the page answers\": shown in 1 of 4 trials; and in the "
                           "fault-free one");
    CU_ASSERT_STRING_EQUAL(a->shown[1].sentence,
                           "symptom \"nobody can buy\": shown in 3 of 4 trials");
    CU_ASSERT_STRING_EQUAL(a->sentences[0], a->shown[0].sentence);
    CU_ASSERT_STRING_EQUAL(a->sentences[1], a->shown[1].sentence);
    CU_ASSERT_EQUAL(a->symptoms[1].state, SYMPTOM_NOT_SHOWN);
    CU_ASSERT_EQUAL(a->symptoms[1].trial, 3);
    CU_ASSERT_EQUAL(a->shown[0].not_shown, 3);
    story_free(&t);
}

/* A trial that is not known to show the outage counts for no figure. */
static void test_only_trials_that_show_it_count(void)
{
    static const char *const each[] = {QUIET, DOWN, HALF, QUIET, DOWN};
    static struct scenario_target buy;
    struct scenario_symptom of = {.shows = "s", .missed = true, .targets = &buy, .n_targets = 1};
    struct story_told t;
    struct compare *c;
    struct err err;
    buy = nearly_half;
    told(each, 5, &of, 1, &t);
    const struct analysis *a = t.analysis;
    CU_ASSERT_EQUAL(a->trials[2].verdict, VERDICT_INCONCLUSIVE);
    CU_ASSERT_EQUAL(a->trials[3].verdict, VERDICT_INVALID);
    CU_ASSERT_EQUAL(a->summaries[0].n, 2);
    CU_ASSERT_EQUAL(a->summaries[0].n_left_out, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(a->summaries[0].left_out[0].why, "not known whether"));
    CU_ASSERT_PTR_NOT_NULL(strstr(a->summaries[0].left_out[1].why, "did not show"));
    CU_ASSERT_STRING_EQUAL(a->shown[0].sentence,
                           "symptom \"s\": shown in 2 of 4 trials (1 not decided)");
    CU_ASSERT_EQUAL_FATAL(compare_new(0, &c, &err), 0);
    CU_ASSERT_EQUAL(compare_add(c, COMPARE_A, a, &err), 0);
    CU_ASSERT_EQUAL(c->targets[0].figures[COMPARE_A]->n, 2);
    CU_ASSERT_EQUAL(c->targets[0].figures[COMPARE_A]->left_out, 2);
    CU_ASSERT_EQUAL(c->n_targets, 2); /* and symptoms are no targets of it */
    compare_free_at(&c);
    story_free(&t);
}

static void test_a_series_without_contrast_is_invalid(void)
{
    static const char *const each[] = {QUIET, QUIET, QUIET};
    struct story_told t;
    told(each, 3, slow, 1, &t);
    CU_ASSERT_TRUE(t.analysis->series.invalid);
    CU_ASSERT_EQUAL(t.analysis->verdict, VERDICT_INVALID);
    CU_ASSERT_STRING_EQUAL(t.analysis->why,
                           "the fault-free trial is invalid, and so the series: shown without any "
                           "fault: \"nobody can buy\"");
    story_free(&t);
    told(each, 3, up, 1, &t);
    CU_ASSERT_TRUE(t.analysis->series.invalid);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.analysis->why, "every symptom was shown without any fault"));
    story_free(&t);
}

/* A trial that has another reason to count for nothing is not one that did not show it. */
static void test_left_out(void)
{
    const struct story story = {.write = DOWN,
                                .trials = 2,
                                .blast_permille = 1000,
                                .faults = UNPROVEN,
                                .symptoms = down,
                                .n_symptoms = 1};
    struct story_told t;
    story_tell(&story, &t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.analysis);
    CU_ASSERT_STRING_EQUAL(t.analysis->shown[0].sentence,
                           "symptom \"nobody can buy\": shown in 0 of 0 trials; 2 left out");
    CU_ASSERT_PTR_NOT_NULL(strstr(t.analysis->symptoms[0].why, "not proven"));
    story_free(&t);
}

static const struct check_test tests[] = {
    {"each state and what it makes of the run", test_each},
    {"a series says how often", test_a_series_says_how_often},
    {"only trials that show it count", test_only_trials_that_show_it_count},
    {"a series without contrast is invalid", test_a_series_without_contrast_is_invalid},
    {"left out", test_left_out},
};

CHECK_MAIN("symptoms", tests)
