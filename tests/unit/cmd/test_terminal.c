/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario's words may do to a terminal: nothing. */
#include "cmd/terminal.h"

#include "check.h"

#include <stdlib.h>
#include <string.h>

static void expect(void (*put)(FILE *, const char *), const char *text, const char *want)
{
    char *got = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&got, &len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    put(f, text);
    (void)fclose(f);
    if (strcmp(got, want) != 0)
        (void)printf("\n  wanted \"%s\", got \"%s\"\n", want, got);
    CU_ASSERT_STRING_EQUAL(got, want);
    free(got);
}

static void test_controls_are_shown(void)
{
    expect(terminal_put, "a \033[31mred", "a \\x1b[31mred");
    expect(terminal_put, "one\ttwo\n\r\a\x7f", "one\ttwo\n\\x0d\\x07\\x7f");
    expect(terminal_put,
           "\xc2\x9b"
           "2J",
           "\\x9b2J");
    expect(terminal_put,
           "\xe2\x80\xae"
           "abc",
           "\\u202eabc");
    expect(terminal_put, "\xff\xc3\xa9\xe6\x97\xa5\xc3", "\\xff\xc3\xa9\xe6\x97\xa5\\xc3");
    expect(terminal_put, "", "");
}

static void test_our_styles_pass(void)
{
    expect(terminal_put_styled, "\033[1mbold\033[0m \033[2J", "\033[1mbold\033[0m \\x1b[2J");
}

static const struct check_test tests[] = {
    {"controls are shown", test_controls_are_shown},
    {"our styles pass", test_our_styles_pass},
};

CHECK_MAIN("terminal", tests)
