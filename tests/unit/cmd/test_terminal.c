/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario's words may do to a terminal: nothing. */
#include "cmd/terminal.h"

#include "check.h"

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What a terminal of ten columns is sent of `text`. */
static void expect_cut(const char *text, const char *want)
{
    const struct winsize size = {.ws_row = 24, .ws_col = 10};
    int ours = -1, theirs = -1;
    char got[200];
    CU_ASSERT_EQUAL_FATAL(openpty(&ours, &theirs, NULL, NULL, &size), 0);
    FILE *f = fdopen(theirs, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    terminal_put_cut(f, text);
    (void)fflush(f);
    ssize_t n = read(ours, got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    if (strcmp(got, want) != 0)
        (void)printf("\n  wanted \"%s\", got \"%s\"\n", want, got);
    CU_ASSERT_STRING_EQUAL(got, want);
    (void)fclose(f);
    (void)close(ours);
}

static void test_lines_fit_the_terminal(void)
{
    expect_cut("0123456789abc\nshort\n", "0123456789\r\nshort\r\n");
    expect_cut("\033[1m0123456789abc\033[0m\n", "\033[1m0123456789\033[0m\r\n");
    expect_cut("\xc3\xa9\xc3\xa9"
               "3456789abc",
               "\xc3\xa9\xc3\xa9"
               "3456789a");
    expect(terminal_put_cut, "0123456789abc\n", "0123456789abc\n"); /* no terminal */
}

static const struct check_test tests[] = {
    {"controls are shown", test_controls_are_shown},
    {"our styles pass", test_our_styles_pass},
    {"lines fit the terminal", test_lines_fit_the_terminal},
};

CHECK_MAIN("terminal", tests)
