/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/hosts_entries.h"
#include "base/cleanup.h"
#include "check.h"

static void expect(const char *text, const char *want, uint32_t want_n)
{
    static const struct names names = {.n = 2, .v = {{"db1"}, {"cache"}}};
    struct err err;
    uint32_t n;
    CLEANUP_BUF struct buf out = BUF_INIT(1000);
    CU_ASSERT_EQUAL(hosts_entries_drop(text, strlen(text), &names, &out, &n, &err), 0);
    CU_ASSERT_STRING_EQUAL(buf_text(&out), want);
    CU_ASSERT_EQUAL(n, want_n);
}

static void test_lines(void)
{
    expect("10.0.0.1 db1\n10.0.0.2 db2\n", "10.0.0.2 db2\n", 1);
    expect("10.0.0.1\tweb web1 \tdb1.local DB1\nfd00::1 cache", "", 2);
    expect("10.0.0.1 db11 xdb1 db1.x\n", "10.0.0.1 db11 xdb1 db1.x\n", 0);
    expect("# db1\n10.0.0.2 web # db1\n\n", "# db1\n10.0.0.2 web # db1\n\n", 0);
    expect("  10.0.0.2  db1#x\r\n", "", 1);
    expect("db1 other\n", "db1 other\n", 0); /* in the address' place */
    expect("", "", 0);
}

static void test_too_large(void)
{
    static const struct names names = {.n = 1, .v = {{"db1"}}};
    struct err err;
    uint32_t n;
    CLEANUP_BUF struct buf out = BUF_INIT(8);
    CU_ASSERT_EQUAL(hosts_entries_drop("10.0.0.1 web1\n", 14, &names, &out, &n, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_LIMIT);
}

static const struct check_test tests[] = {
    {"lines", test_lines},
    {"too large", test_too_large},
};
CHECK_MAIN("entries of a hosts file", tests)
