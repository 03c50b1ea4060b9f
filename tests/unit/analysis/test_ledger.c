/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of writes: the fault is sent at 3 s and taken away at 6 s (story.h). */
#include "base/cleanup.h"
#include "check.h"
#include "story.h"

#define HEAD                   "blackstart-ledger 1 orders client\nv 0 as a client\nv 1 n1\nt 0 1\n"
#define S                      "000000000"
#define OK(id, s)              "w " #id " " #s S " " #s S "\na " #id " " #s "100000000\n"
#define FAIL(id, s)            "w " #id " " #s S " " #s S "\nf " #id " " #s "100000000 READONLY\n"
#define LOST_ANSWER(id, s)     "w " #id " " #s S " " #s S "\nu " #id " " #s "100000000 time\n"
#define READ(round, view, ids) "r " #round " " #view " 20" S "\n" ids "e 20" S "\n"
#define BOTH(ids)              READ(0, 0, ids) READ(0, 1, ids) READ(1, 0, "m\n") READ(1, 1, "m\n") "z\n"

struct judged {
    struct story_told told;
    struct history_ledger ledgers[2];
    struct scenario_ledger of;
    struct scenario_target targets[2];
    const struct analysis_ledger *l;
    const struct analysis_target *count, *time;
};

static const struct story calm = {.write = "..............................xxxxxxxxxx.............."
                                           "..........................................."};

/* far: the file of a second vantage, which reads only; NULL: it has none; "": there is no such
 * vantage. */
static void judge_all(struct judged *j, const struct story *story, const char *log, const char *far,
                      uint32_t at_most)
{
    struct err err = {.msg = ""};
    static struct sample samples[8192];
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    memset(j, 0, sizeof(*j));
    story_scenario(story, &j->told);
    story_lines(story, &text);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] == '\'')
            text.data[i] = '"';
    j->of = (struct scenario_ledger){
        .name = "orders", .from = "client", .every = {NS_PER_SEC}, .risk = {NS_PER_SEC}};
    j->targets[0] =
        (struct scenario_target){.kind = TARGET_DATA_LOSS, .ledger = "orders", .at_most = at_most};
    j->targets[1] = (struct scenario_target){
        .kind = TARGET_DATA_LOSS_TIME, .ledger = "orders", .within = {2 * NS_PER_SEC}};
    j->told.scenario.ledgers = &j->of;
    j->told.scenario.n_ledgers = 1;
    j->told.scenario.targets = j->targets;
    j->told.scenario.n_targets = 2;
    j->ledgers[0] = (struct history_ledger){.name = "orders", .kind = "redis", .from = "client"};
    j->ledgers[1] = (struct history_ledger){
        .name = "orders", .kind = "redis", .from = "far", .reads_only = true};
    size_t n = story_samples(story, samples, 8192);
    CU_ASSERT_EQUAL_FATAL(history_parse(text.data, text.len, samples, n, &j->told.history, &err),
                          0);
    if (log != NULL)
        CU_ASSERT_EQUAL(ledgerlog_parse(log, strlen(log), &j->ledgers[0].log, &err), 0);
    if (far != NULL && far[0] != '\0')
        CU_ASSERT_EQUAL(ledgerlog_parse(far, strlen(far), &j->ledgers[1].log, &err), 0);
    j->told.history->ledgers = j->ledgers;
    j->told.history->n_ledgers = far == NULL || far[0] != '\0' ? 2 : 1;
    CU_ASSERT_EQUAL_FATAL(
        analysis_make(&j->told.scenario, j->told.history, &j->told.analysis, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    CU_ASSERT_EQUAL_FATAL(j->told.analysis->trials[0].n_ledgers, 1);
    j->l = &j->told.analysis->trials[0].ledgers[0];
    j->count = &j->told.analysis->trials[0].targets[0];
    j->time = &j->told.analysis->trials[0].targets[1];
}

static void judge_story(struct judged *j, const struct story *story, const char *log,
                        uint32_t at_most)
{
    judge_all(j, story, log, "", at_most);
}

static void judge(struct judged *j, const char *log, uint32_t at_most)
{
    judge_story(j, &calm, log, at_most);
}

static void expect(const struct judged *j, enum verdict verdict, const char *why)
{
    CU_ASSERT_EQUAL(j->count->verdict, verdict);
    if (strcmp(j->count->why, why) != 0)
        printf("\n  it is:  %s\n  wanted: %s\n", j->count->why, why);
    CU_ASSERT_STRING_EQUAL(j->count->why, why);
}

static void test_all_there(void)
{
    struct judged j;
    judge(&j,
          HEAD OK(1, 1) OK(2, 3) LOST_ANSWER(3, 4) FAIL(4, 5) OK(5, 6) "s 8" S
                                                                       "\n" BOTH("i 1-3 5\n"),
          0);
    expect(&j, VERDICT_PASS,
           "none of 2 acknowledged writes at risk is gone (3 acknowledged in all)");
    CU_ASSERT(j.l->written == 5 && j.l->acknowledged == 3 && j.l->refused == 1 &&
              j.l->unknown == 1 && j.l->unknown_present == 1);
    CU_ASSERT(j.l->known && j.l->agree && j.l->rounds == 2 && j.l->n_writes == 0);
    CU_ASSERT(j.count->lower == 0 && j.count->upper == 0);
    CU_ASSERT_EQUAL(j.time->verdict, VERDICT_PASS);
    story_free(&j.told);
}

/* The window of a second before the fault was too short a guess: what is gone was at risk. */
static void test_lost_before_the_window(void)
{
    struct judged j;
    judge(&j, HEAD OK(1, 1) OK(2, 2) OK(3, 3) "s 8" S "\n" BOTH("i 2\n"), 0);
    expect(&j, VERDICT_FAIL,
           "2 of 3 acknowledged writes are gone, acknowledged from 1.100 s to 3.100 s; 1 of them "
           "outside the window that `risk` sets");
    CU_ASSERT(j.l->lost_lower == 2 && j.l->at_risk == 3);
    story_free(&j.told);
    judge(&j, HEAD OK(1, 1) OK(2, 2) OK(3, 3) "s 8" S "\n" BOTH("i 1-2\n"), 0);
    CU_ASSERT(j.l->lost_lower == 1 && j.l->at_risk == 2);
    expect(&j, VERDICT_FAIL,
           "1 of 3 acknowledged writes are gone, acknowledged from 3.100 s to 3.100 s");
    story_free(&j.told);
}

static void test_fates(void)
{
    struct judged j;
    judge(&j,
          HEAD OK(1, 1) OK(2, 2) OK(3, 3) FAIL(4, 4) LOST_ANSWER(5, 4) OK(6, 5)
              FAIL(7, 6) "w 8 6" S " 6" S "\n" BOTH("i 1x2 4-5 6x3 99\n"),
          1);
    expect(&j, VERDICT_FAIL,
           "2 of 4 acknowledged writes are gone, acknowledged from 2.100 s to 3.100 s");
    CU_ASSERT(j.l->lost_lower == 2 && j.l->lost_upper == 2 && j.l->phantoms == 1 &&
              j.l->duplicates == 2 && j.l->strange == 1 && j.l->unknown == 2 &&
              j.l->unknown_present == 1);
    static const struct {
        uint64_t id;
        enum write_fate fate;
    } fates[] = {{1, FATE_DUPLICATE},
                 {2, FATE_LOST},
                 {3, FATE_LOST},
                 {4, FATE_PHANTOM},
                 {6, FATE_DUPLICATE}};
    CU_ASSERT_EQUAL_FATAL(j.l->n_writes, 5);
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT(j.l->writes[i].id == fates[i].id && j.l->writes[i].fate == fates[i].fate);
    CU_ASSERT_EQUAL(j.l->writes[4].times, 3);
    CU_ASSERT_STRING_EQUAL(j.l->writes[3].why, "READONLY");
    CU_ASSERT_EQUAL(j.l->views[1].absent, 2);
    /* From 2 .. 2.1 s to the newest at 3 .. 3.1 s; the impact was at about 3 s. */
    CU_ASSERT_DOUBLE_EQUAL(j.time->lower, 0.9, 0.05);
    CU_ASSERT_DOUBLE_EQUAL(j.time->upper, 1.1, 0.05);
    CU_ASSERT_EQUAL(j.time->verdict, VERDICT_PASS);
    story_free(&j.told);
}

/* Two are allowed, two are gone. */
static void test_bound(void)
{
    struct judged j;
    judge(&j, HEAD OK(1, 3) OK(2, 4) OK(3, 5) BOTH("i 3\n"), 2);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_PASS);
    story_free(&j.told);
    judge(&j, HEAD OK(1, 3) OK(2, 7) OK(3, 8) BOTH("i 3\n"), 2);
    CU_ASSERT_EQUAL(j.time->verdict,
                    VERDICT_FAIL); /* acknowledged after the impact: 4 s of writes */
    CU_ASSERT_DOUBLE_EQUAL(j.time->lower, 3.9, 0.05);
    story_free(&j.told);
}

static void test_divided(void)
{
    struct judged j;
    judge(&j,
          HEAD OK(1, 3) OK(2, 4) READ(0, 0, "i 1-2\n") READ(0, 1, "i 1\n") READ(1, 0, "m\n")
              READ(1, 1, "m\n") "z\n",
          0);
    expect(
        &j, VERDICT_INCONCLUSIVE,
        "the views do not agree: 0 of 2 acknowledged writes are gone from all of them, 1 from at "
        "least one (1 of 2 views lack some; n1 lacks 1)");
    CU_ASSERT(j.l->known && !j.l->agree && j.l->writes[0].fate == FATE_DIVIDED);
    CU_ASSERT(j.count->lower == 0 && j.count->upper == 1);
    story_free(&j.told);
}

static void test_unknown(void)
{
    static const struct {
        const char *log, *why;
    } rows[] = {
        {NULL, "nothing is known: it has no file"},
        {HEAD OK(1, 3) "s 8" S "\n",
         "nothing is known of 1 acknowledged writes: it was never read back"},
        {HEAD OK(1, 3) READ(0, 0, "i 1\n") READ(0, 1, "i 1\n"),
         "nothing is known of 1 acknowledged writes: two full reads in a row were never the same"},
        {HEAD OK(1, 3) READ(0, 0, "i 1\n") READ(0, 1, "i 1\n") READ(1, 0, "") READ(1, 1, "m\n"),
         "nothing is known of 1 acknowledged writes: two full reads in a row were never the same"},
        {HEAD OK(1, 3) READ(0, 0, "i 1\n") "r 0 1 20" S "\nx 21" S " refused\n" READ(
             1, 0, "m\n") "r 1 1 20" S "\nx 21" S " refused\nz\n",
         "nothing is known of 1 acknowledged writes: n1 could not be read: refused"},
        {HEAD OK(1, 3) BOTH("i 1\n") "t 1 2",
         "the ledger's file is torn; none of 1 acknowledged writes at risk is gone (1 acknowledged "
         "in all)"},
        {HEAD OK(1, 3) "g 2 1\n" BOTH("i 1\n"),
         "1 writes were not sent: the ledger itself stalled; none of 1 acknowledged writes at risk "
         "is gone (1 acknowledged in all)"},
        {HEAD OK(1, 1) LOST_ANSWER(2, 4) BOTH("i 1\n"),
         "no write was acknowledged while it was at risk: none could be lost"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judged j;
        judge(&j, rows[i].log, 5);
        expect(&j, VERDICT_INCONCLUSIVE, rows[i].why);
        CU_ASSERT_EQUAL(j.told.analysis->exit_status, 3);
        story_free(&j.told);
    }
}

/* What is known to be gone stays gone, whatever else is missing; a run that was cut off too. */
static void test_gone_stays_gone(void)
{
    struct judged j;
    struct story dies = calm;
    judge(&j, HEAD OK(1, 3) OK(2, 4) "g 3 9\n" BOTH("i 1\n") "t 1", 0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_FAIL);
    CU_ASSERT_EQUAL(j.told.analysis->exit_status, 1);
    story_free(&j.told);
    dies.dies = true;
    judge_story(&j, &dies, HEAD OK(1, 3) OK(2, 4) BOTH("i 1\n"), 0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_FAIL);
    story_free(&j.told);
    judge_story(&j, &dies, HEAD OK(1, 3) OK(2, 4) BOTH("i 1-2\n"), 0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_INCONCLUSIVE);
    story_free(&j.told);
    judge_story(&j, &dies, HEAD OK(1, 3) OK(2, 4) "w 3 5" S " 5" S "\n", 0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_INCONCLUSIVE);
    CU_ASSERT(j.l->acknowledged == 2 && j.l->unknown == 1);
    story_free(&j.told);
}

/* The last round was cut off: that before it counts. */
static void test_cut_round(void)
{
    struct judged j;
    judge(&j,
          HEAD OK(1, 3) READ(0, 0, "i 1\n") READ(0, 1, "i 1\n") READ(1, 0, "m\n")
              READ(1, 1, "m\n") "r 2 0 30" S "\n",
          0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_PASS);
    story_free(&j.told);
}

#define FAR         "blackstart-ledger 1 orders far\nv 0 as a client\nt 0 1\ns 8" S "\n"
#define UNREACHABLE "r 0 0 20" S "\nx 21" S " no route\nr 1 0 21" S "\nx 22" S " no route\n"
#define LONGER(ids)                                                                                \
    READ(0, 0, ids)                                                                                \
    READ(0, 1, ids) READ(1, 0, "m\n") READ(1, 1, "m\n") READ(2, 0, "m\n") READ(2, 1, "m\n")
#define NONE_IS_GONE "none of 2 acknowledged writes at risk is gone (2 acknowledged in all)"
#define UNKNOWN      "nothing is known of 2 acknowledged writes: "

/* The same writes, as they are read from two hosts. */
static void test_vantages(void)
{
    static const struct {
        const char *near, *far, *why;
        enum verdict verdict;
        uint32_t upper;
        bool known, agree;
    } rows[] = {
        {BOTH("i 1-2\n"), FAR READ(0, 0, "i 1-2\n") READ(1, 0, "m\n") "z\n", NONE_IS_GONE,
         VERDICT_PASS, 0, true, true},
        /* A stale replica, seen from one side alone. */
        {BOTH("i 1-2\n"), FAR READ(0, 0, "i 1\n") READ(1, 0, "m\n") "z\n",
         "the views do not agree: 0 of 2 acknowledged writes are gone from all of them, 1 from at "
         "least one (1 of 3 views lack some; as a client from far lacks 1)",
         VERDICT_INCONCLUSIVE, 1, true, false},
        /* It went on changing there. */
        {BOTH("i 1-2\n"), FAR READ(0, 0, "i 1\n") READ(1, 0, "i 1-2\n") "z\n",
         UNKNOWN "two full reads in a row were never the same", VERDICT_INCONCLUSIVE, 0, false,
         true},
        {BOTH("i 1-2\n"), FAR UNREACHABLE "z\n",
         UNKNOWN "as a client from far could not be read: no route", VERDICT_INCONCLUSIVE, 0, false,
         false},
        /* One round more at home than there: the last that all had counts. */
        {LONGER("i 1-2\n"), FAR READ(0, 0, "i 1-2\n") READ(1, 0, "m\n"), NONE_IS_GONE, VERDICT_PASS,
         0, true, true},
        {BOTH("i 1-2\n"), NULL, UNKNOWN "far has no file", VERDICT_INCONCLUSIVE, 0, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct judged j;
        CLEANUP_BUF struct buf log = BUF_INIT(4096);
        buf_printf(&log, "%s%s", HEAD OK(1, 3) OK(2, 4) "s 8" S "\n", rows[i].near);
        judge_all(&j, &calm, buf_text(&log), rows[i].far, 0);
        expect(&j, rows[i].verdict, rows[i].why);
        CU_ASSERT(j.l->known == rows[i].known && j.l->agree == rows[i].agree);
        CU_ASSERT(j.l->lost_lower == 0 && j.l->lost_upper == rows[i].upper);
        CU_ASSERT_EQUAL_FATAL(j.l->n_views, 3);
        CU_ASSERT_STRING_EQUAL(j.l->views[1].vantage, "client");
        CU_ASSERT_STRING_EQUAL(j.l->views[2].vantage, "far");
        story_free(&j.told);
    }
}

/* Gone from every view of every vantage is gone for certain; a phantom or a duplicate is one
 * wherever it is seen. */
static void test_vantages_lost(void)
{
    struct judged j;
    judge_all(&j, &calm, HEAD OK(1, 3) OK(2, 4) OK(3, 4) FAIL(4, 5) BOTH("i 1-2\n"),
              FAR READ(0, 0, "i 1x2 4\n") READ(1, 0, "m\n") "z\n", 0);
    CU_ASSERT_EQUAL(j.count->verdict, VERDICT_FAIL);
    CU_ASSERT(j.l->lost_lower == 1 && j.l->lost_upper == 2 && j.l->phantoms == 1 &&
              j.l->duplicates == 1);
    CU_ASSERT(j.l->views[1].absent == 1 && j.l->views[2].absent == 2);
    story_free(&j.told);
}

int main(void)
{
    static const struct check_test tests[] = {
        {"all is there", test_all_there},
        {"lost, phantoms, duplicates", test_fates},
        {"lost before the window", test_lost_before_the_window},
        {"bounds by count and by time", test_bound},
        {"views that do not agree", test_divided},
        {"missing data is never good news", test_unknown},
        {"what is gone stays gone", test_gone_stays_gone},
        {"a round that was cut off", test_cut_round},
        {"views from several vantages", test_vantages},
        {"lost, phantoms and duplicates from several vantages", test_vantages_lost},
    };
    return check_main("ledgers judged", tests, sizeof(tests) / sizeof(tests[0]));
}
