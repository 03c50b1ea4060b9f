/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"
#include "check.h"

#include <errno.h>

static void test_message_and_errno(void)
{
    struct err err;
    CU_ASSERT_EQUAL(make_error(&err, ERR_SYSTEM, ENOENT, "open %s", "/x"), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "open /x: No such file or directory");
    CU_ASSERT_EQUAL(wrap_error(&err, "host %s", "n1"), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "host n1: open /x: No such file or directory");
    CU_ASSERT_EQUAL(err.code, ERR_SYSTEM);
    CU_ASSERT_EQUAL(err.sys, ENOENT);
}

static void test_words_go_both_ways(void)
{
    for (int code = ERR_NONE; code <= ERR_DIRTY; code++)
        CU_ASSERT_EQUAL(err_from_word(err_word((enum err_code)code)), (enum err_code)code);
    CU_ASSERT_EQUAL(err_from_word("no such word"), ERR_PROTOCOL);
    CU_ASSERT_EQUAL(err_exit_status(ERR_INPUT), 2);
    CU_ASSERT_EQUAL(err_exit_status(ERR_DIRTY), 4);
}

static void test_long_messages_are_cut(void)
{
    struct err err;
    char big[1000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)make_error(&err, ERR_INPUT, 0, "%s", big);
    CU_ASSERT_EQUAL(strlen(err.msg), ERR_MSG_MAX - 1);
    (void)wrap_error(&err, "%s", big);
    CU_ASSERT_EQUAL(strlen(err.msg), ERR_MSG_MAX - 1);
}

static void test_a_mend_stands_apart(void)
{
    struct err err;
    CU_ASSERT_EQUAL(make_error_hint(&err, ERR_INPUT, "did you mean \"b\"?", "\"%s\" is none", "x"),
                    -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "\"x\" is none; did you mean \"b\"?");
    CU_ASSERT_STRING_EQUAL(err.msg + err.hint, "did you mean \"b\"?");
    (void)wrap_error(&err, "step 1");
    CU_ASSERT_STRING_EQUAL(err.msg + err.hint, "did you mean \"b\"?");
    (void)make_error(&err, ERR_INPUT, 0, "x; did you mean y?");
    CU_ASSERT_EQUAL(err.hint, 0);
    char big[1000];
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    (void)make_error_hint(&err, ERR_INPUT, "no room", "%s", big);
    CU_ASSERT_EQUAL(err.hint, 0);
}

static const struct check_test tests[] = {
    {"a mend stands apart", test_a_mend_stands_apart},
    {"message and errno", test_message_and_errno},
    {"words go both ways", test_words_go_both_ways},
    {"long messages are cut", test_long_messages_are_cut},
};

CHECK_MAIN("base/err", tests)
