/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which reports are asked for, and that the page of them is current. */
#include "base/cleanup.h"
#include "check.h"
#include "reports/report.h"
#include "reports/result_schema.h"

#include <fcntl.h>
#include <stdio.h>

static uint32_t bit_of(const char *name)
{
    for (size_t i = 0; i < report_n_renderers; i++)
        if (strcmp(report_renderers[i].name, name) == 0)
            return UINT32_C(1) << i;
    return 0;
}

static void test_names(void)
{
    uint32_t set = 0;
    struct err err;
    CU_ASSERT_EQUAL(report_select(NULL, &set, &err), 0);
    CU_ASSERT_EQUAL(set, REPORT_ALL);
    CU_ASSERT_EQUAL(report_select("text,json", &set, &err), 0);
    CU_ASSERT_EQUAL(set, bit_of("text") | bit_of("json"));
    CU_ASSERT_EQUAL(report_select("text", &set, &err), 0);
    CU_ASSERT_EQUAL(set, bit_of("text"));
    CU_ASSERT_EQUAL(report_select("all", &set, &err), 0);
    CU_ASSERT_EQUAL(set, REPORT_ALL);
}

static void expect_refused(const char *names, const char *why)
{
    uint32_t set = 7;
    struct err err = {.msg = ""};
    CU_ASSERT_EQUAL(report_select(names, &set, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_USAGE);
    CU_ASSERT_EQUAL(set, 7);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, why));
}

static void test_unknown_names(void)
{
    expect_refused("text,jsno", "there is no report \"jsno\"; did you mean \"json\"?");
    expect_refused("qqqqqqqq", "there are: json, text");
    expect_refused("", "no report is named");
    expect_refused(",", "there is no report \"\"");
}

static void expect_file(const char *file, const char *want)
{
    CLEANUP_BUF struct buf is = BUF_INIT(1 << 20);
    struct err err;
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(buf_read_fd(&is, fd, &err), 0);
    bool same = strcmp(buf_text(&is), want) == 0;
    CU_ASSERT_TRUE(same);
    if (!same)
        (void)printf("%s is not current; make it again: ninja -C build generated\n", file);
}

static void test_checked_in_copies(void)
{
    CLEANUP_BUF struct buf page = BUF_INIT(1 << 20), schema = BUF_INIT(1 << 20);
    report_doc(&page);
    CU_ASSERT_TRUE(buf_ok(&page));
    expect_file(SOURCE_DIR "/docs/reports.md", buf_text(&page));
    json_t *o = result_schema();
    CLEANUP_FREE char *dump = json_dumps(o, JSON_INDENT(1));
    buf_printf(&schema, "%s\n", dump != NULL ? dump : "");
    expect_file(SOURCE_DIR "/docs/result-schema.json", buf_text(&schema));
    json_decref(o);
}

/* Names and files are unique, or one would be written over another. */
static void test_rows(void)
{
    for (size_t i = 0; i < report_n_renderers; i++) {
        const struct report_renderer *r = &report_renderers[i];
        CU_ASSERT_PTR_NOT_NULL_FATAL(r->render);
        CU_ASSERT_TRUE(r->summary != NULL && r->reader != NULL);
        for (size_t k = 0; k < i; k++) {
            CU_ASSERT_STRING_NOT_EQUAL(r->name, report_renderers[k].name);
            CU_ASSERT_STRING_NOT_EQUAL(r->file, report_renderers[k].file);
        }
    }
}

static const struct check_test tests[] = {
    {"names choose reports", test_names},
    {"an unknown name is told with the nearest", test_unknown_names},
    {"checked-in copies are current", test_checked_in_copies},
    {"rows are apart", test_rows},
};

CHECK_MAIN("report select", tests)
