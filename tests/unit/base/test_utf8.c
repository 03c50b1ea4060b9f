/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"
#include "check.h"

static void test_last_lines(void)
{
    static const struct {
        const char *text;
        size_t n;
        const char *last;
    } rows[] = {
        {"", 3, ""},      {"a", 1, "a"},          {"a\n", 1, "a\n"},   {"a\nb\n", 1, "b\n"},
        {"a\nb", 1, "b"}, {"a\nb\nc", 2, "b\nc"}, {"a\nb", 9, "a\nb"}, {"a\n\n", 1, "\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_STRING_EQUAL(utf8_last_lines(rows[i].text, rows[i].n), rows[i].last);
}

static const struct check_test tests[] = {
    {"last lines", test_last_lines},
};

CHECK_MAIN("base/utf8", tests)
