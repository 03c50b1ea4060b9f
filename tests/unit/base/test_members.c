/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/members.h"
#include "check.h"

static json_t *object(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    return o;
}

static void test_integer(void)
{
    struct err err = {.msg = ""};
    int64_t n = 7;
    json_t *o = object("{\"least\":1,\"most\":9,\"over\":10,\"under\":0,\"real\":2.0}");
    CU_ASSERT_EQUAL(member_integer(o, "least", 1, 9, &n, &err), 0);
    CU_ASSERT_EQUAL(n, 1);
    CU_ASSERT_EQUAL(member_integer(o, "most", 1, 9, &n, &err), 0);
    CU_ASSERT_EQUAL(n, 9);
    static const char *const bad[] = {"over", "under", "real"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(member_integer(o, bad[i], 1, 9, &n, &err), -1);
        CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, bad[i]));
        CU_ASSERT_EQUAL(member_integer_given(o, bad[i], 1, 9, &n, &err), -1);
    }
    CU_ASSERT_EQUAL(member_integer(o, "none", 1, 9, &n, &err), -1);
    CU_ASSERT_EQUAL(member_integer_given(o, "none", 1, 9, &n, &err), 0);
    CU_ASSERT_EQUAL(n, 9);
    json_decref(o);
}

static void test_word(void)
{
    struct err err = {.msg = ""};
    const char *word = "as it was";
    json_t *o = object("{\"a\":\"three\",\"empty\":\"\",\"two\":\"a b\",\"number\":3}");
    static const char *const bad[] = {"empty", "two", "number", "none"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CU_ASSERT_EQUAL(member_word(o, bad[i], 5, &word, &err), -1);
        CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
    }
    CU_ASSERT_EQUAL(member_word(o, "a", 4, &word, &err), -1);
    CU_ASSERT_STRING_EQUAL(word, "as it was");
    CU_ASSERT_EQUAL(member_word(o, "a", 5, &word, &err), 0);
    CU_ASSERT_STRING_EQUAL(word, "three");
    json_decref(o);
}

static void test_hosts(void)
{
    struct err err = {.msg = ""};
    struct named_host hosts[2];
    size_t n = 0;
    json_t *o = object("[{\"name\":\"n1\",\"ip\":\"10.0.0.1\",\"ip6\":\"fd00::1\"},"
                       "{\"name\":\"n2\",\"ip6\":\"fd00::2\"}]");
    CU_ASSERT_EQUAL(member_hosts(o, 1, hosts, &n, &err), -1);
    CU_ASSERT_EQUAL(member_hosts(o, 2, hosts, &n, &err), 0);
    CU_ASSERT_EQUAL(n, 2);
    CU_ASSERT_STRING_EQUAL(hosts[0].name, "n1");
    CU_ASSERT_STRING_EQUAL(named_host_address(&hosts[0]), "10.0.0.1");
    CU_ASSERT_STRING_EQUAL(hosts[1].ip, "");
    CU_ASSERT_STRING_EQUAL(named_host_address(&hosts[1]), "fd00::2");
    json_decref(o);
    CU_ASSERT_EQUAL(member_hosts(NULL, 2, hosts, &n, &err), 0);
    CU_ASSERT_EQUAL(n, 0);
}

static void test_bad_hosts(void)
{
    static const char *const bad[] = {
        "[{\"ip\":\"10.0.0.1\"}]", "[{\"name\":\"n1\",\"ip\":1}]", "[7]",
        "[{\"name\":\"n1\",\"ip\":\"100.100.100.1000\"}]",
        "[{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123\"}]"};
    struct named_host host;
    struct err err;
    size_t n;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        json_t *o = object(bad[i]);
        CU_ASSERT_EQUAL(member_host(o, 0, &host, &err), -1);
        CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
        json_decref(o);
    }
    /* A host is one without an address too, but not one that can be asked. */
    json_t *o = object("[{\"name\":\"n1\"}]");
    CU_ASSERT_EQUAL(member_host(o, 0, &host, &err), 0);
    CU_ASSERT_EQUAL(member_host(o, 1, &host, &err), -1);
    CU_ASSERT_EQUAL(member_hosts(o, 1, &host, &n, &err), -1);
    json_decref(o);
}

static const struct check_test tests[] = {
    {"whole numbers", test_integer},
    {"words", test_word},
    {"hosts", test_hosts},
    {"hosts that are none", test_bad_hosts},
};

CHECK_MAIN("base/members", tests)
