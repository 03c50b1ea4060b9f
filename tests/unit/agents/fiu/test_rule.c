/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a rule says about one call, and what a reader sees of a rule that changes. */
#include "agents/fiu/rule.h"
#include "check.h"

static struct fiu_rule rule_of(const char *prefix)
{
    struct fiu_rule rule = {.points = FIU_BIT(FIU_WRITE), .ppm = 1000000};
    (void)snprintf(rule.prefix, sizeof(rule.prefix), "%s", prefix);
    rule.prefix_len = (uint32_t)strlen(rule.prefix);
    return rule;
}

static void test_prefix(void)
{
    static const struct {
        const char *prefix, *path;
        bool holds;
    } rows[] = {
        {"/var/lib/redis", "/var/lib/redis", true},
        {"/var/lib/redis", "/var/lib/redis/a/b.aof", true},
        {"/var/lib/redis", "/var/lib/redis (deleted)", false},
        {"/var/lib/redis", "/var/lib/redis2", false},
        {"/var/lib/redis", "/var/lib/redi", false},
        {"/var/lib/redis", "/var/lib", false},
        {"/var/lib/redis", "socket:[17]", false},
        {"/var/lib/redis", "", false},
        {"/", "/x", true},
        {"/", "pipe:[1]", false},
        {"", "pipe:[1]", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fiu_rule rule = rule_of(rows[i].prefix);
        CU_ASSERT_EQUAL(fiu_rule_holds(&rule, rows[i].path), rows[i].holds);
    }
}

/* A length that lies (the page can be scribbled on) reads nothing beyond the prefix. */
static void test_prefix_length(void)
{
    struct fiu_rule rule = rule_of("/a");
    rule.prefix_len = UINT32_MAX;
    CU_ASSERT_FALSE(fiu_rule_holds(&rule, "/a"));
    rule.prefix_len = FIU_PREFIX_MAX;
    CU_ASSERT_FALSE(fiu_rule_holds(&rule, "/a"));
}

static unsigned count_draws(uint64_t seed, uint32_t ppm, unsigned n)
{
    struct fiu_rule rule = {.seed = seed, .ppm = ppm};
    unsigned drawn = 0;
    for (unsigned i = 0; i < n; i++)
        drawn += fiu_rule_draws(&rule, i);
    return drawn;
}

static void test_share(void)
{
    CU_ASSERT_EQUAL(count_draws(1, 0, 10000), 0);
    CU_ASSERT_EQUAL(count_draws(1, 1000000, 10000), 10000);
    /* 100,000 draws at 5 %: six standard deviations are 414. */
    for (uint64_t seed = 1; seed < 6; seed++) {
        unsigned drawn = count_draws(seed, 50000, 100000);
        CU_ASSERT(drawn > 4586 && drawn < 5414);
    }
}

static void test_series_is_the_seeds(void)
{
    struct fiu_rule a = {.seed = 7, .ppm = 500000}, b = a, c = {.seed = 8, .ppm = 500000};
    bool differs = false;
    for (unsigned i = 0; i < 1000; i++) {
        CU_ASSERT_EQUAL(fiu_rule_draws(&a, i), fiu_rule_draws(&b, i));
        differs = differs || fiu_rule_draws(&a, i) != fiu_rule_draws(&c, i);
    }
    CU_ASSERT_TRUE(differs);
}

static void test_budget(void)
{
    struct fiu_rule rule = {.budget = 3};
    _Atomic uint64_t hits = 0;
    unsigned spent = 0;
    for (int i = 0; i < 10; i++)
        spent += fiu_rule_spend(&rule, &hits);
    CU_ASSERT_EQUAL(spent, 3);
    CU_ASSERT_EQUAL(atomic_load(&hits), 3);
    rule.budget = 0;
    for (int i = 0; i < 10; i++)
        CU_ASSERT_TRUE(fiu_rule_spend(&rule, &hits));
    CU_ASSERT_EQUAL(atomic_load(&hits), 13);
}

static void fill(struct fiu_slot *slot, unsigned copy, const struct fiu_rule *rule)
{
    uint64_t words[FIU_RULE_WORDS];
    memcpy(words, rule, sizeof(words));
    for (size_t i = 0; i < FIU_RULE_WORDS; i++)
        atomic_store(&slot->words[copy][i], words[i]);
}

/* A writer that stops at any word of the copy that does not hold changes nothing for a reader. */
static void test_half_written(void)
{
    struct fiu_slot slot = {.sequence = 6};
    struct fiu_rule old = rule_of("/old"), new = rule_of("/new"), read;
    new.error = 28;
    uint64_t words[FIU_RULE_WORDS];
    memcpy(words, &new, sizeof(words));
    fill(&slot, 0, &old);
    for (size_t i = 0; i < FIU_RULE_WORDS; i++) {
        atomic_store(&slot.words[1][i], words[i]);
        CU_ASSERT_TRUE(fiu_rule_load(&slot, &read));
        CU_ASSERT_EQUAL(memcmp(&read, &old, sizeof(read)), 0);
    }
    atomic_store(&slot.sequence, 7);
    CU_ASSERT_TRUE(fiu_rule_load(&slot, &read));
    CU_ASSERT_EQUAL(memcmp(&read, &new, sizeof(read)), 0);
}

static void test_point_hint(void)
{
    struct fiu_slot slot = {.sequence = 1};
    struct fiu_rule rule = rule_of("");
    fill(&slot, 0, &rule);
    CU_ASSERT_FALSE(fiu_slot_has(&slot, FIU_WRITE));
    fill(&slot, 1, &rule);
    CU_ASSERT_TRUE(fiu_slot_has(&slot, FIU_WRITE));
    CU_ASSERT_FALSE(fiu_slot_has(&slot, FIU_FSYNC));
}

static void test_every(void)
{
    struct fiu_rule rule = {.every = 3, .ppm = 1000000};
    for (uint64_t n = 0; n < 30; n++)
        CU_ASSERT_EQUAL(fiu_rule_draws(&rule, n), n % 3 == 2);
}

static void test_delay(void)
{
    struct fiu_rule rule = {.seed = 5, .delay_ns = 1000, .jitter_ns = 1000};
    int64_t low = INT64_MAX, high = 0, sum = 0;
    for (uint64_t n = 0; n < 10000; n++) {
        int64_t delay = fiu_rule_delay(&rule, n);
        low = delay < low ? delay : low;
        high = delay > high ? delay : high;
        sum += delay;
    }
    CU_ASSERT_TRUE(low >= 0 && low < 20 && high <= 2000 && high > 1980);
    CU_ASSERT_TRUE(sum / 10000 > 950 && sum / 10000 < 1050);
    rule.jitter_ns = 0;
    CU_ASSERT_EQUAL(fiu_rule_delay(&rule, 7), 1000);
    /* What was scribbled on the page overflows nothing. */
    rule.jitter_ns = INT64_MAX;
    CU_ASSERT_EQUAL(fiu_rule_delay(&rule, 7), 1000);
}

static void test_shift(void)
{
    struct fiu_rule rule = {.offset_ns = -5, .rate_ppm = 100000, .since = 1000};
    CU_ASSERT_EQUAL(fiu_rule_shift(&rule, 1000), -5);
    CU_ASSERT_EQUAL(fiu_rule_shift(&rule, 900), -5);
    CU_ASSERT_EQUAL(fiu_rule_shift(&rule, 1000 + 50), 0);
    rule.rate_ppm = -1000000;
    rule.offset_ns = 0;
    CU_ASSERT_EQUAL(fiu_rule_shift(&rule, 1000 + INT64_C(86400000000001)),
                    -INT64_C(86400000000001));
    /* A year, at twice the speed: nothing is lost, nothing overflows. */
    rule.rate_ppm = 1000000;
    CU_ASSERT_EQUAL(fiu_rule_shift(&rule, 1000 + INT64_C(31536000000000007)),
                    INT64_C(31536000000000007));
}

static void test_addresses(void)
{
    static const unsigned char v4[] = {10, 1, 2, 3}, near[] = {10, 1, 2, 200},
                               far[] = {10, 1, 3, 3};
    static const unsigned char mapped[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};
    static const unsigned char v6[16] = {0xfd, [15] = 1}, v6_other[16] = {0xfd, [15] = 2};
    struct fiu_rule rule = {.n_addrs = 2,
                            .addrs = {{.family = 4, .prefix = 25, .ip = {10, 1, 2, 0}},
                                      {.family = 6, .prefix = 128, .ip = {0xfd, [15] = 1}}},
                            .n_ports = 2,
                            .ports = {{80, 80}, {8000, 8999}}};
    CU_ASSERT_TRUE(fiu_rule_reaches(&rule, 4, v4, 80));
    CU_ASSERT_TRUE(fiu_rule_reaches(&rule, 6, mapped, 8500));
    CU_ASSERT_TRUE(fiu_rule_reaches(&rule, 6, v6, 8999));
    CU_ASSERT_FALSE(fiu_rule_reaches(&rule, 4, v4, 81));
    CU_ASSERT_FALSE(fiu_rule_reaches(&rule, 4, near, 80));
    CU_ASSERT_FALSE(fiu_rule_reaches(&rule, 4, far, 80));
    CU_ASSERT_FALSE(fiu_rule_reaches(&rule, 6, v6_other, 80));
    rule.n_addrs = 0;
    CU_ASSERT_TRUE(fiu_rule_reaches(&rule, 4, far, 80));
    rule.n_addrs = UINT32_MAX; /* scribbled */
    rule.addrs[0].prefix = 255;
    rule.n_ports = UINT32_MAX;
    CU_ASSERT_FALSE(fiu_rule_reaches(&rule, 4, far, 80));
}

static const struct check_test tests[] = {
    {"prefix", test_prefix},         {"prefix length that lies", test_prefix_length},
    {"share", test_share},           {"the series is the seed's", test_series_is_the_seeds},
    {"every", test_every},           {"delay", test_delay},
    {"shift", test_shift},           {"addresses", test_addresses},
    {"budget", test_budget},         {"half written", test_half_written},
    {"point hint", test_point_hint},
};
CHECK_MAIN("fiu rule", tests)
