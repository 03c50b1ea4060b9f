/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reports say of a story: hosts that nobody looked at, and how much of the logs. */
#include "check.h"
#include "reports/report.h"

#include "../analysis/story.h"

#define GOOD_3S   "..............................."
#define DIGITS_60 "012345678901234567890123456789012345678901234567890123456789"
#define LONG_LINE                                                                                  \
    DIGITS_60 DIGITS_60 "012345678901234567890123456789012345678901234567890123456789012345678901" \
                        "2345678901234567890"                                                      \
                        "12345678901234567890123456789and what is beyond"

static const json_t *host_named(const json_t *result, const char *name)
{
    size_t i;
    const json_t *host;
    json_array_foreach(json_object_get(result, "hosts"), i, host)
    {
        const char *is = json_string_value(json_object_get(host, "name"));
        if (is != NULL && strcmp(is, name) == 0)
            return host;
    }
    return NULL;
}

static void test_a_host_not_looked_at_is_neither_clean_nor_dirty(void)
{
    struct story_told t;
    story_tell(&(struct story){GOOD_3S, .blast_permille = -1}, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    json_t *result = report_json(&report);
    const json_t *seen = host_named(result, "n1"), *not_seen = host_named(result, "n2");
    CU_ASSERT_TRUE(json_is_true(json_object_get(seen, "clean")));
    CU_ASSERT_TRUE(json_is_null(json_object_get(not_seen, "clean")));
    json_decref(result);
    story_free(&t);
}

static void test_the_log_excerpt_is_short(void)
{
    CLEANUP_BUF struct buf more = BUF_INIT(1 << 16);
    buf_puts(&more, "{'t':9,'ev':'log','host':'n1','service':'s','lines':['" LONG_LINE "'");
    for (int i = 1; i < 40; i++)
        buf_printf(&more, ",'line %d.'", i);
    buf_puts(&more, "]}\n");
    struct story_told t;
    story_tell(&(struct story){GOOD_3S, .more = buf_text(&more), .blast_permille = -1}, &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    struct err err;
    CU_ASSERT_EQUAL(report_render_text(&report, &out, &err), 0);
    const char *text = buf_text(&out);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "123456789...\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "beyond"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "| line 19.\n"));
    CU_ASSERT_PTR_NULL(strstr(text, "line 20."));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "20 more"));
    story_free(&t);
}

/* The end of it stands below its step. */
static void test_a_steps_output_is_shown(void)
{
    struct story_told t;
    story_tell(&(struct story){GOOD_3S,
                               .more = "{'t':4000000000,'ev':'step','step':2,'what':'run sh',"
                                       "'state':'end','output':'1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n"
                                       "9\\n10\\nlast\\n'}\n",
                               .blast_permille = -1},
               &t);
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
    struct err err;
    CU_ASSERT_EQUAL(report_render_text(&report, &out, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "step run sh: end\n               | 2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&out), "               | last\n"));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&out), "| 1\n"));
    story_free(&t);
}

/* Our own words bear the colours; what comes from elsewhere cannot. */
static void test_the_verdict_is_painted(void)
{
    struct story_told t;
    CLEANUP_BUF struct buf painted = BUF_INIT(1 << 16), bare = BUF_INIT(1 << 16);
    story_tell(&(struct story){GOOD_3S, .recovery_limit_ms = 5000, .blast_permille = -1}, &t);
    t.analysis->why = "somebody says \033[32mpass\033[0m\r\xff";
    struct report report = {
        .scenario = &t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    struct report_paint paint = {.why = "<why>", .off = "</>"};
    paint.verdicts[t.analysis->verdict] = "<verdict>";
    report_print_verdict(&report, &paint, &painted);
    CLEANUP_BUF struct buf head = BUF_INIT(200);
    buf_printf(&head, "<verdict>%s</>: somebody says ", verdict_word(t.analysis->verdict));
    CU_ASSERT_EQUAL(strncmp(buf_text(&painted), buf_text(&head), head.len), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&painted), "\n               <why>"));
    report_print_verdict(&report, NULL, &bare);
    CU_ASSERT_PTR_NULL(strpbrk(buf_text(&bare), "<\033\r\xff"));
    story_free(&t);
}

static const struct check_test tests[] = {
    {"the verdict is painted, and nothing else", test_the_verdict_is_painted},
    {"a step's output is shown", test_a_steps_output_is_shown},
    {"a host not looked at is neither clean nor dirty",
     test_a_host_not_looked_at_is_neither_clean_nor_dirty},
    {"the log excerpt is short", test_the_log_excerpt_is_short},
};

CHECK_MAIN("report", tests)
