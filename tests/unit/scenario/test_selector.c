/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "check.h"
#include "scenario/selector.h"

#include <stdio.h>

static const char *const member[] = {"member"};
static const struct selector_host hosts[] = {
    {"n1", member, 1},  {"n2", member, 1},     {"n3", member, 1},
    {"proxy", NULL, 0}, {"client", member, 1},
};
enum { N = sizeof(hosts) / sizeof(hosts[0]) };

/* The chosen hosts as bits, or -1. */
static int resolve(const struct selector *s, const char *leader, uint64_t seed)
{
    bool chosen[N];
    struct err err;
    const struct role_holder roles[] = {{"leader", leader}};
    int bits = 0;
    if (selector_resolve(s, hosts, N, roles, 1, seed, chosen, &err) != 0) {
        CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
        return -1;
    }
    for (int i = 0; i < N; i++)
        bits |= chosen[i] << i;
    return bits;
}

static void test_plain(void)
{
    const char *const names[] = {"n3", "client"}, *const strange[] = {"n9"};
    struct selector s = {.kind = SELECT_NAMES, .names = names, .n_names = 2};
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), 0x14);
    s.names = strange;
    s.n_names = 1;
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), -1);
    s = (struct selector){.kind = SELECT_ALL};
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), 0x0f);
    s = (struct selector){.kind = SELECT_LABEL, .word = "member"};
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), 0x07);
    s = (struct selector){.kind = SELECT_LABEL, .word = "nothing"};
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), -1);
}

static void test_role_and_the_others(void)
{
    struct selector role = {.kind = SELECT_ROLE, .word = "leader"};
    struct selector others = {.kind = SELECT_ALL_BUT, .of = &role};
    char text[64];
    CU_ASSERT_EQUAL(resolve(&role, "n2", 1), 0x02);
    CU_ASSERT_EQUAL(resolve(&others, "n2", 1), 0x0d);
    CU_ASSERT_EQUAL(resolve(&role, NULL, 1), -1);
    CU_ASSERT_EQUAL(resolve(&others, NULL, 1), -1);
    CU_ASSERT_STRING_EQUAL(selector_role(&others, 0), "leader");
    CU_ASSERT_PTR_NULL(selector_role(&others, 1));
    CU_ASSERT_STRING_EQUAL(selector_print(&others, text, sizeof(text)), "all but the leader");
}

static void test_list(void)
{
    const char *const names[] = {"n3"};
    const struct selector role = {.kind = SELECT_ROLE, .word = "leader"};
    const struct selector parts[] = {{.kind = SELECT_NAMES, .names = names, .n_names = 1},
                                     {.kind = SELECT_ADDR, .addr = {4, 8, {10}}},
                                     {.kind = SELECT_SHARE, .share = {1}, .of = &role},
                                     {.kind = SELECT_ADDR, .addr = {6, 16, {0xfd}}}};
    struct selector s = {.kind = SELECT_LIST, .parts = parts, .n_parts = 4};
    char text[80], shorter[8];
    CU_ASSERT_EQUAL(resolve(&s, "n1", 1), 0x05);
    CU_ASSERT_EQUAL(resolve(&s, "n3", 1), 0x04);
    CU_ASSERT_EQUAL(resolve(&s, NULL, 1), -1);
    CU_ASSERT_EQUAL(resolve(&parts[1], NULL, 1), 0);
    CU_ASSERT_STRING_EQUAL(selector_role(&s, 0), "leader");
    CU_ASSERT_PTR_NULL(selector_role(&s, 1));
    CU_ASSERT_PTR_EQUAL(selector_share(&s), &parts[2]);
    CU_ASSERT_PTR_EQUAL(selector_addr(&s, 0), &parts[1]);
    CU_ASSERT_PTR_EQUAL(selector_addr(&s, 1), &parts[3]);
    CU_ASSERT_PTR_NULL(selector_addr(&s, 2));
    CU_ASSERT_PTR_NULL(selector_addr(NULL, 0));
    CU_ASSERT_STRING_EQUAL(selector_print(&s, text, sizeof(text)),
                           "n3, 10.0.0.0/8, 0.0001% of the leader and fd00::/16");
    CU_ASSERT_STRING_EQUAL(selector_print(&s, shorter, sizeof(shorter)), "n3, 10.");
}

static void test_share(void)
{
    static const struct {
        uint32_t ppm;
        int count;
    } rows[] = {{0, 1},      {1, 1},      {333333, 1}, {333334, 2},
                {340000, 2}, {666666, 2}, {666667, 3}, {1000000, 3}};
    struct selector label = {.kind = SELECT_LABEL, .word = "member"};
    struct selector s = {.kind = SELECT_SHARE, .of = &label};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (uint64_t seed = 0; seed < 50; seed++) {
            s.share.ppm = rows[i].ppm;
            int bits = resolve(&s, NULL, seed);
            CU_ASSERT_EQUAL(__builtin_popcount((unsigned)bits), rows[i].count);
            CU_ASSERT_EQUAL(bits & ~0x07, 0);
            CU_ASSERT_EQUAL(bits, resolve(&s, NULL, seed));
        }
}

/* Every host is drawn about as often as every other. */
static void test_share_is_fair(void)
{
    int count[3] = {0, 0, 0};
    struct selector label = {.kind = SELECT_LABEL, .word = "member"};
    struct selector s = {.kind = SELECT_SHARE, .of = &label, .share = {100000}};
    for (uint64_t seed = 0; seed < 3000; seed++) {
        int bits = resolve(&s, NULL, seed);
        for (int i = 0; i < 3; i++)
            count[i] += bits >> i & 1;
    }
    for (int i = 0; i < 3; i++)
        CU_ASSERT_TRUE(count[i] > 900 && count[i] < 1100);
}

static const struct check_test tests[] = {
    {"plain", test_plain},
    {"role and the others", test_role_and_the_others},
    {"list", test_list},
    {"share", test_share},
    {"share is fair", test_share_is_fair},
};

CHECK_MAIN("selector", tests)
