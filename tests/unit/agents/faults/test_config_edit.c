/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_edit.h"
#include "check.h"

static void set(struct text *t, const char *s)
{
    t->len = (uint32_t)strlen(s);
    memcpy(t->s, s, t->len + 1);
}

static void check_edit(const char *text, const char *find, const char *replace, const char *want)
{
    static struct text f, r;
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    set(&f, find);
    set(&r, replace);
    int rc = config_edit(text, strlen(text), &f, &r, &out, &err);
    CU_ASSERT_EQUAL(rc, want != NULL ? 0 : -1);
    if (want != NULL) {
        CU_ASSERT_STRING_EQUAL(buf_text(&out), want);
    } else {
        CU_ASSERT_TRUE(err.code == ERR_NOT_FOUND || err.code == ERR_INPUT);
    }
}

static void test_every_occurrence(void)
{
    check_edit("listen 80;\nlisten 80;\n", "80", "eighty", "listen eighty;\nlisten eighty;\n");
    check_edit("aaaa", "aa", "b", "bb");
    check_edit("aaa", "aa", "a", "aa");
    check_edit("x", "x", "", "");
    check_edit("a\nb\n", "a\nb", "c", "c\n");
    check_edit("ab", "b", "ab", "aab");
}

static void test_what_is_not_there(void)
{
    check_edit("listen 80;", "listen 81", "x", NULL);
    check_edit("", "a", "b", NULL);
    check_edit("abc", "", "b", NULL);
    check_edit("ab", "abc", "b", NULL);
}

static void test_bytes_are_not_text(void)
{
    static struct text f, r;
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    set(&f, "b");
    set(&r, "XY");
    CU_ASSERT_EQUAL(config_edit("a\0b\0", 4, &f, &r, &out, &err), 0);
    CU_ASSERT_EQUAL(out.len, 5);
    CU_ASSERT_EQUAL(memcmp(out.data, "a\0XY\0", 5), 0);
}

static void test_a_result_too_large(void)
{
    static struct text f, r;
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(8);
    set(&f, "b");
    set(&r, "0123456789");
    CU_ASSERT_EQUAL(config_edit("b", 1, &f, &r, &out, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
}

static void check_line(const char *text, int64_t line, const char *replace, const char *want)
{
    static struct text r;
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    set(&r, replace);
    int rc = config_edit_line(text, strlen(text), line, &r, &out, &err);
    CU_ASSERT_EQUAL(rc, want != NULL ? 0 : -1);
    if (want != NULL) {
        CU_ASSERT_STRING_EQUAL(buf_text(&out), want);
    } else {
        CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    }
}

static void test_line(void)
{
    check_line("a\nb\nc\n", 1, "x", "x\nb\nc\n");
    check_line("a\nb\nc\n", 3, "x", "a\nb\nx\n");
    check_line("a\nb\nc\n", 4, "x", NULL);
    check_line("a\nb", 2, "x", "a\nx");
    check_line("a\nb\nc\n", 2, "", "a\nc\n");
    check_line("a\nb", 2, "", "a\n");
    check_line("a\r\nb\r\n", 2, "x", "a\r\nx\r\n");
    check_line("a\r\nb\r\n", 1, "", "b\r\n");
    check_line("\n\n", 2, "x", "\nx\n");
    check_line("", 1, "x", NULL);
}

static void check_encoded(const char *text, enum config_encoding encoding, const char *want,
                          size_t len)
{
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    CU_ASSERT_EQUAL(config_encode(text, strlen(text), encoding, &out, &err), 0);
    CU_ASSERT_EQUAL(out.len, len);
    CU_ASSERT_TRUE(out.len == len && memcmp(buf_text(&out), want, len) == 0);
}

static void test_encodings(void)
{
    struct err err;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    check_encoded("a\n", CONFIG_UTF16,
                  "\xff\xfe"
                  "a\0\n\0",
                  6);
    check_encoded("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", CONFIG_UTF16,
                  "\xff\xfe\xe9\0\xac\x20\x3d\xd8\x00\xde", 10);
    check_encoded("caf\xc3\xa9 \xe2\x82\xac", CONFIG_LATIN1, "caf\xe9 ?", 6);
    check_encoded("a\n", CONFIG_BOM,
                  "\xef\xbb\xbf"
                  "a\n",
                  5);
    check_encoded("\xef\xbb\xbf"
                  "a",
                  CONFIG_BOM,
                  "\xef\xbb\xbf"
                  "a",
                  4);
    check_encoded("a\nb\r\n\n", CONFIG_CRLF, "a\r\nb\r\n\r\n", 8);
    check_encoded("a\n", CONFIG_KEPT, "a\n", 2);
    CU_ASSERT_EQUAL(config_encode("\xff", 1, CONFIG_UTF16, &out, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_EQUAL(config_encode("\xff\n", 2, CONFIG_CRLF, &out, &err), 0);
}

static const struct check_test tests[] = {
    {"line", test_line},
    {"encodings", test_encodings},
    {"every occurrence", test_every_occurrence},
    {"what is not there", test_what_is_not_there},
    {"bytes are not text", test_bytes_are_not_text},
    {"a result too large", test_a_result_too_large},
};

CHECK_MAIN("faults/config_edit", tests)
