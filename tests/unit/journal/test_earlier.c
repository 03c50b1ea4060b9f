/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event `history`: written and read it is the same; what it must have; which runs are alike. */
#include "check.h"
#include "journal/history.h"

#include <math.h>
#include <stdio.h>

#define START                                                                                      \
    "{\"t\":0,\"ev\":\"run.start\",\"format\":1,\"run\":\"r\",\"text\":\"\",\"file\":\"f\","       \
    "\"sha256\":\"0\"}\n"
#define RUN                                                                                        \
    "\"run\":\"r1\",\"wall\":\"w\",\"version\":\"1\",\"verdict\":\"pass\",\"sha256\":\"a\","       \
    "\"setup\":\"b\",\"trials\":3"

static void test_round_trip(void)
{
    struct earlier_target targets[] = {
        {"recovery_time", "write", "fault", "s", 5, 1.5, INFINITY, "inconclusive", "over 20s",
         true},
        {"impact", "write", "", "s", NAN, NAN, NAN, "pass", "", false}};
    struct earlier_run run = {
        "r1", "2026-01-01T00:00:00Z", "0.1.0", "fail", "aa", "bb", "etcd-1", 30, targets, 2, true};
    struct earlier e = {.setup = "bb", .runs = &run, .n = 1, .older = 7, .stopped = 3}, read;
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 20);
    struct err err = {.msg = ""};
    json_t *members = earlier_to_json(&e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(members);
    CU_ASSERT_EQUAL_FATAL(earlier_from_json(members, &arena, &read, &err), 0);
    CU_ASSERT_TRUE(read.known);
    CU_ASSERT_STRING_EQUAL(read.setup, "bb");
    CU_ASSERT_EQUAL(read.older, 7);
    CU_ASSERT_EQUAL(read.stopped, 3);
    CU_ASSERT_TRUE(read.runs[0].stopped);
    CU_ASSERT_EQUAL_FATAL(read.n, 1);
    CU_ASSERT_STRING_EQUAL(read.runs[0].wall, run.wall);
    CU_ASSERT_STRING_EQUAL(read.runs[0].sha256, "aa");
    CU_ASSERT_STRING_EQUAL(read.runs[0].packages, "etcd-1");
    CU_ASSERT_EQUAL(read.runs[0].trials, 30);
    CU_ASSERT_EQUAL_FATAL(read.runs[0].n_targets, 2);
    CU_ASSERT_EQUAL(read.runs[0].targets[0].lower, 1.5);
    CU_ASSERT_TRUE(isinf(read.runs[0].targets[0].upper));
    CU_ASSERT_STRING_EQUAL(read.runs[0].targets[0].detail, "over 20s");
    CU_ASSERT_TRUE(read.runs[0].targets[0].at_least && !read.runs[0].targets[1].at_least);
    CU_ASSERT_TRUE(isnan(read.runs[0].targets[1].lower) && isnan(read.runs[0].targets[1].upper));
    CU_ASSERT_STRING_EQUAL(read.runs[0].targets[1].measure, "impact");
    json_decref(members);
}

static void test_what_is_wrong_is_refused_with_its_line(void)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"{\"t\":1,\"ev\":\"history\",\"runs\":[]}\n", ":2: history: needs `setup`"},
        {"{\"t\":1,\"ev\":\"history\",\"setup\":\"b\",\"runs\":3}\n", "`runs`, a list"},
        {"{\"t\":1,\"ev\":\"history\",\"setup\":\"b\",\"runs\":[{}]}\n", "run 1: needs `run`"},
        {"{\"t\":1,\"ev\":\"history\",\"setup\":\"b\",\"runs\":[{" RUN "}]}\n", "needs `targets`"},
        {"{\"t\":1,\"ev\":\"history\",\"setup\":\"b\",\"runs\":[{" RUN ",\"targets\":[5]}]}\n",
         "needs `measure`"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = {.msg = "accepted"};
        CLEANUP_HISTORY struct history *h = NULL;
        char text[1024];
        int len = snprintf(text, sizeof(text), START "%s", rows[i].line);
        CU_ASSERT_EQUAL(history_parse(text, (size_t)len, NULL, 0, &h, &err), -1);
        if (strstr(err.msg, rows[i].says) == NULL) {
            printf("\n  wanted \"%s\", got \"%s\"\n", rows[i].says, err.msg);
            CU_FAIL("another message");
        }
    }
}

static void test_a_journal_with_and_without(void)
{
    static const char with[] = START "{\"t\":1,\"ev\":\"history\",\"setup\":\"b\",\"runs\":[{" RUN
                                     ",\"targets\":[]}],\"older\":2}\n";
    struct err err = {.msg = ""};
    CLEANUP_HISTORY struct history *h = NULL, *none = NULL;
    CU_ASSERT_EQUAL_FATAL(history_parse(with, strlen(with), NULL, 0, &h, &err), 0);
    CU_ASSERT_TRUE(h->earlier.known);
    CU_ASSERT_EQUAL(h->earlier.n, 1);
    CU_ASSERT_STRING_EQUAL(h->earlier.runs[0].run, "r1");
    CU_ASSERT_FALSE(h->earlier.runs[0].stopped); /* older ones do not say */
    CU_ASSERT_EQUAL(h->earlier.stopped, 0);
    CU_ASSERT_EQUAL_FATAL(history_parse(START, strlen(START), NULL, 0, &none, &err), 0);
    CU_ASSERT_FALSE(none->earlier.known);
}

static void test_setups(void)
{
    json_t *vars = json_pack("{s:s, s:s}", "a", "1", "b", "2"),
           *turned = json_pack("{s:s, s:s}", "b", "2", "a", "1"),
           *others = json_pack("{s:s, s:s}", "a", "1", "b", "3");
    char one[EARLIER_SETUP_TEXT], two[EARLIER_SETUP_TEXT];
    struct err err;
    CU_ASSERT_EQUAL(earlier_setup("x", "lab", 3, vars, one, &err), 0);
    CU_ASSERT_EQUAL(earlier_setup("x", "lab", 3, turned, two, &err), 0);
    CU_ASSERT_STRING_EQUAL(one, two);
    CU_ASSERT_EQUAL(strlen(one), 64);
    CU_ASSERT_EQUAL(earlier_setup("x", "lab", 3, others, two, &err), 0);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(earlier_setup("x", "lap", 3, vars, two, &err), 0);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(earlier_setup("x", NULL, 0, NULL, two, &err), 0);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(earlier_setup("y", "lab", 3, vars, two, &err), 0);
    CU_ASSERT_STRING_NOT_EQUAL(one, two);
    json_decref(vars);
    json_decref(turned);
    json_decref(others);
}

static const struct check_test tests[] = {
    {"round trip", test_round_trip},
    {"what is wrong is refused with its line", test_what_is_wrong_is_refused_with_its_line},
    {"a journal with and without", test_a_journal_with_and_without},
    {"setups", test_setups},
};

CHECK_MAIN("earlier", tests)
