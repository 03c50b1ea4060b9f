/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "check.h"

static void test_wrap(void)
{
    static const struct {
        const char *text;
        size_t used, indent, width;
        const char *want;
    } cases[] = {
        {"", 0, 0, 10, "\n"},
        {"one two", 0, 0, 10, "one two\n"},
        {"one two three", 0, 0, 7, "one two\nthree\n"},
        {"one two three", 3, 3, 10, "one two\n   three\n"},
        {"one\ntwo", 0, 0, 10, "one two\n"},
        {"one\n\ntwo", 0, 1, 10, "one\n\n two\n"},
        {"  one   two  ", 0, 0, 10, "one two\n"},
        {"longer-than-it is", 0, 2, 5, "longer-than-it\n  is\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP_BUF struct buf out = BUF_INIT(200);
        buf_wrap(&out, cases[i].text, cases[i].used, cases[i].indent, cases[i].width);
        CU_ASSERT_STRING_EQUAL(buf_text(&out), cases[i].want);
    }
}

static const struct check_test tests[] = {
    {"wrapping", test_wrap},
};

CHECK_MAIN("base/buf", tests)
