/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/frame.h"
#include "check.h"

static int parse(const char *text)
{
    json_t *frame = NULL;
    struct err err = {0};
    int failed = frame_parse(text, strlen(text), &frame, &err);
    CU_ASSERT_EQUAL(failed == 0, frame != NULL);
    if (failed != 0)
        CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
    json_decref(frame);
    return failed;
}

static void test_what_is_taken(void)
{
    CU_ASSERT_EQUAL(parse("{}"), 0);
    CU_ASSERT_EQUAL(parse("{\"a\":[[[[[[[[[[[]]]]]]]]]]]}"), 0);
    CU_ASSERT_EQUAL(parse("{\"a\":[[[[[[[[[[[[]]]]]]]]]]]]}"), -1);
    CU_ASSERT_EQUAL(parse("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[\\\"[[[\"}"), 0);
    static const char *const bad[] = {"",
                                      " ",
                                      "[]",
                                      "1",
                                      "{\"a\":1,\"a\":2}",
                                      "{} {}",
                                      "{\"\\u0000\":1}",
                                      "{",
                                      "{\"a\":\"\xff\"}",
                                      "{\"a\":18446744073709551615}",
                                      "nul"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CU_ASSERT_EQUAL(parse(bad[i]), -1);
}

static void test_too_many_elements(void)
{
    CLEANUP_BUF struct buf b = BUF_INIT(FRAME_MAX);
    buf_puts(&b, "{\"a\":[1");
    for (int i = 0; i < 17000; i++)
        buf_puts(&b, ",1");
    buf_puts(&b, "]}");
    CU_ASSERT_EQUAL(parse(buf_text(&b)), -1);
}

static void test_byte_by_byte(void)
{
    static const char stream[] = "{\"id\":1}\n{\"id\":2}\n{\"id\"";
    struct frame_reader r;
    struct err err;
    int seen = 0;
    frame_reader_init(&r);
    for (size_t i = 0; i + 1 < sizeof(stream); i++) {
        json_t *frame = NULL;
        CU_ASSERT_EQUAL_FATAL(frame_feed(&r, stream + i, 1, &err), 0);
        CU_ASSERT_EQUAL_FATAL(frame_next(&r, &frame, &err), 0);
        if (frame == NULL)
            continue;
        CU_ASSERT_EQUAL(json_integer_value(json_object_get(frame, "id")), ++seen);
        json_decref(frame);
    }
    CU_ASSERT_EQUAL(seen, 2);
    frame_reader_free(&r);
}

static void test_too_long(void)
{
    struct frame_reader r;
    struct err err;
    static char big[65536];
    json_t *frame = NULL;
    int failed = 0, fed = 0;
    memset(big, ' ', sizeof(big));
    frame_reader_init(&r);
    for (; fed < 10 && failed == 0; fed++) {
        failed = frame_feed(&r, big, sizeof(big), &err);
        if (failed == 0)
            failed = frame_next(&r, &frame, &err);
    }
    CU_ASSERT_EQUAL(failed, -1);
    CU_ASSERT_EQUAL(fed, 5);
    CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
    frame_reader_free(&r);
}

static void test_put_and_errors(void)
{
    CLEANUP_BUF struct buf out = BUF_INIT(FRAME_MAX * 2);
    struct err err, back;
    json_t *f = frame_request(7, "hello", NULL);
    CU_ASSERT_EQUAL(frame_put(&out, f, &err), 0);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hello\"}\n");
    CU_ASSERT_FALSE(frame_is_error(f, &back));
    json_decref(f);
    (void)make_error(&err, ERR_UNSUPPORTED, 0, "no \xff here");
    f = frame_error(8, &err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_TRUE(frame_is_error(f, &back));
    CU_ASSERT_EQUAL(back.code, ERR_UNSUPPORTED);
    CU_ASSERT_STRING_EQUAL(back.msg, "no ? here");
    json_decref(f);
    static char big[FRAME_MAX];
    memset(big, 'x', sizeof(big) - 1);
    f = frame_result(9, json_string(big));
    size_t before = out.len;
    CU_ASSERT_EQUAL(frame_put(&out, f, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
    CU_ASSERT_EQUAL(out.len, before);
    CU_ASSERT_TRUE(buf_ok(&out));
    json_decref(f);
}

static const struct check_test tests[] = {
    {"what is taken", test_what_is_taken},   {"too many elements", test_too_many_elements},
    {"byte by byte", test_byte_by_byte},     {"too long", test_too_long},
    {"put and errors", test_put_and_errors},
};

CHECK_MAIN("base/frame", tests)
