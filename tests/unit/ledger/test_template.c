/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands for the words in a ledger's templates, and which numbers are read back. */
#include "check.h"
#include "ledger/template.h"

#include <stdio.h>
#include <string.h>

static const struct ledger_place place = {.collection = "blackstart:r1:orders:0"};
static const struct named_host host = {.name = "n1", .ip = "10.0.0.1", .ip6 = "fd00::1"};

static void expect(const char *text, const struct named_host *at, const char *wanted)
{
    struct buf out = BUF_INIT(1024);
    struct err err = {.msg = ""};
    CU_ASSERT_EQUAL(template_expand(text, 42, &place, at, &out, &err), 0);
    if (strcmp(buf_text(&out), wanted) != 0)
        printf("\n  it is: %s", buf_text(&out));
    CU_ASSERT_STRING_EQUAL(buf_text(&out), wanted);
    buf_free(&out);
}

static void test_words(void)
{
    expect("put {id} {key} {prefix} {end}", NULL,
           "put 42 blackstart:r1:orders:0/42 blackstart:r1:orders:0/ blackstart:r1:orders:00");
    expect("http://${host}:1/${host.ip}/${host.ip6}", &host, "http://n1:1/10.0.0.1/fd00::1");
    expect("${host} {no} {} {id", NULL, "${host} {no} {} {id"); /* what is none of ours stays */
    expect("{\"key\": \"{key64}\"}", &host, "{\"key\": \"YmxhY2tzdGFydDpyMTpvcmRlcnM6MC80Mg==\"}");
    expect("{prefix64} {end64} {id64}", &host,
           "YmxhY2tzdGFydDpyMTpvcmRlcnM6MC8= YmxhY2tzdGFydDpyMTpvcmRlcnM6MDA= NDI=");
}

static void test_base64(void)
{
    static const char *const rows[][2] = {
        {"", ""}, {"NDI=", "42"}, {"eC80Mg==", "x/42"}, {"YWJj", "abc"}, {"YW!j", "a"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[8];
        size_t n = template_base64_decode(rows[i][0], out, sizeof(out));
        CU_ASSERT(n == strlen(rows[i][1]) && memcmp(out, rows[i][1], n) == 0);
    }
    char small[2];
    CU_ASSERT_EQUAL(template_base64_decode("YWJjZGVm", small, sizeof(small)), 2);
}

static void test_ids(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t id;
    } rows[] = {{"42", true, 42},
                {"a/b/7", true, 7},
                {"x:0", true, 0},
                {"9223372036854775807", true, INT64_MAX},
                {"9223372036854775808", false, 0},
                {"", false, 0},
                {"x7", false, 0},
                {"7x", false, 0},
                {"-7", false, 0},
                {"a/", false, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t id = 0;
        CU_ASSERT_EQUAL(ledger_id_parse(rows[i].text, strlen(rows[i].text), &id), rows[i].ok);
        CU_ASSERT_EQUAL(id, rows[i].id);
    }
    CU_ASSERT_TRUE(template_has_id("a {key64}"));
    CU_ASSERT_FALSE(template_has_id("a {prefix} {end64} id"));
}

int main(void)
{
    static const struct check_test tests[] = {
        {"words", test_words}, {"base64", test_base64}, {"numbers", test_ids}};
    return check_main("a ledger's templates", tests, sizeof(tests) / sizeof(tests[0]));
}
