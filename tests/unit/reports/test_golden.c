/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each renderer's file of one small run, as it stands in golden/. After a change that is meant:
 * `GOLDEN=write build/tests/unit_reports_test_golden`, and look at the difference.
 */
#include "base/cleanup.h"
#include "example.h"

#include <fcntl.h>

static struct buf golden_read(const char *file)
{
    char path[300];
    struct err err;
    struct buf text = BUF_INIT(1 << 20);
    (void)snprintf(path, sizeof(path), "%s/%s", SOURCE_DIR "/tests/unit/reports/golden", file);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || buf_read_fd(&text, fd, &err) < 0)
        (void)printf("\n  %s cannot be read\n", path);
    return text;
}

/* What differs first, with the lines around it. */
static void show_difference(const char *file, const char *is, const char *want)
{
    size_t i = 0, from = 0;
    while (is[i] != '\0' && is[i] == want[i])
        i++;
    from = i > 60 ? i - 60 : 0;
    (void)printf("\n  %s is another one from byte %zu on; GOLDEN=write makes it again\n"
                 "  it was: %.160s\n  it is:  %.160s\n",
                 file, i, want + from, is + from);
}

static void check_one(const struct report *report, const struct report_renderer *r)
{
    CLEANUP_BUF struct buf out = BUF_INIT(REPORT_MAX);
    struct err err;
    const char *write = getenv("GOLDEN");
    CU_ASSERT_EQUAL(report_render(report, r, &out, &err), 0);
    if (write != NULL && strcmp(write, "write") == 0)
        CU_ASSERT_EQUAL(report_write_file(SOURCE_DIR "/tests/unit/reports/golden", r->file,
                                          buf_text(&out), out.len, &err),
                        0);
    CLEANUP_BUF struct buf want = golden_read(r->file);
    bool same = out.len == want.len && memcmp(buf_text(&out), buf_text(&want), out.len) == 0;
    CU_ASSERT_TRUE(same);
    if (!same)
        show_difference(r->file, buf_text(&out), buf_text(&want));
}

/* The page for browsers is judged by browsers. */
static void test_golden(void)
{
    struct example t;
    example_tell(&t);
    CU_ASSERT_PTR_NOT_NULL_FATAL(t.analysis);
    struct report report = {
        .scenario = t.scenario, .history = t.history, .analysis = t.analysis, .dir = "d"};
    for (size_t i = 0; i < report_n_renderers; i++)
        if (strcmp(report_renderers[i].name, "html") != 0)
            check_one(&report, &report_renderers[i]);
    example_free(&t);
}

/* Nothing but the journal goes into a report: the same one gives the same bytes. */
static void test_made_again(void)
{
    struct example one, two;
    example_tell(&one);
    example_tell(&two);
    CU_ASSERT_PTR_NOT_NULL_FATAL(one.analysis);
    CU_ASSERT_PTR_NOT_NULL_FATAL(two.analysis);
    struct report a = {one.scenario, one.history, one.analysis, "d"};
    struct report b = {two.scenario, two.history, two.analysis, "d"};
    for (size_t i = 0; i < report_n_renderers; i++) {
        CLEANUP_BUF struct buf first = BUF_INIT(REPORT_MAX), again = BUF_INIT(REPORT_MAX);
        struct err err;
        CU_ASSERT_EQUAL(report_render(&a, &report_renderers[i], &first, &err), 0);
        CU_ASSERT_EQUAL(report_render(&b, &report_renderers[i], &again, &err), 0);
        CU_ASSERT_TRUE(first.len != 0 && first.len == again.len);
        CU_ASSERT_STRING_EQUAL(buf_text(&first), buf_text(&again));
    }
    example_free(&one);
    example_free(&two);
}

static const struct check_test tests[] = {
    {"each renderer's file is as it was", test_golden},
    {"the same journal gives the same bytes", test_made_again},
};

CHECK_MAIN("report golden", tests)
