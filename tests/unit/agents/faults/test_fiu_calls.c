/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls fiu.fail and fiu.delay are about: what their checks say, and the rule that is made.
 */
#include "agents/faults/catalogue.h"
#include "agents/faults/fiu.h"
#include "check.h"

static const struct fault *row;

static int check_args(const char *const (*given)[2], size_t n, struct err *err)
{
    unsigned char *args = malloc(row->args_size);
    CU_ASSERT_FATAL(args != NULL);
    int status = params_default(row->params, row->n_params, args, row->args_size, err);
    for (size_t i = 0; status == 0 && i < n; i++) {
        const struct param *p = param_find(row->params, row->n_params, given[i][0]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        status = param_parse(p, given[i][1], args, err);
    }
    if (status == 0)
        status = params_check(row->params, row->n_params, args, err);
    if (status == 0)
        status = row->check(args, err);
    free(args);
    return status;
}
#define CHECK_ARGS(err, ...)                                                                       \
    check_args((const char *const[][2]){__VA_ARGS__},                                              \
               sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(char *[2]), err)

static void test_table(void)
{
    struct err err;
    CU_ASSERT_EQUAL(param_table_check(row->params, row->n_params, row->args_size, &err), 0);
    CU_ASSERT_EQUAL(row->lifetime, LIFETIME_VICTIM);
}

static void test_good(void)
{
    struct err err;
    CU_ASSERT_EQUAL(CHECK_ARGS(&err, {"service", "redis"}, {"points", "posix.write"},
                               {"points", "posix.fsync"}, {"error", "ENOSPC"},
                               {"path", "/var/lib/redis"}, {"probability", "5%"}, {"first", "3"}),
                    0);
    CU_ASSERT_EQUAL(
        CHECK_ARGS(&err, {"service", "app"}, {"points", "posix.connect"}, {"error", "ETIMEDOUT"}),
        0);
}

static void test_bad(void)
{
    struct err err;
    CU_ASSERT_NOT_EQUAL(
        CHECK_ARGS(&err, {"service", "redis"}, {"points", "posix.wirte"}, {"error", "EIO"}), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "did you mean `posix.write`?"));
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "redis"}, {"error", "EIO"}), 0);
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "redis"}, {"points", "posix.write"}), 0);
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "app"}, {"points", "posix.connect"},
                                   {"error", "EIO"}, {"path", "/srv"}),
                        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "have no path"));
}

#define FAIL                                                                                       \
    {"service", "web"}, {"error", "EIO"},                                                          \
    {                                                                                              \
        "points", "posix.connect"                                                                  \
    }

static void test_combinations(void)
{
    struct err err;
    CU_ASSERT_EQUAL(CHECK_ARGS(&err, FAIL, {"ports", "80"}, {"once", "true"}, {"every", "3"}), 0);
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, FAIL, {"once", "true"}, {"first", "2"}), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "`once` is `first: 1`"));
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, FAIL, {"points", "posix.open"}, {"ports", "80"}), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "speak to nobody"));
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "web"}, {"error", "EIO"},
                                   {"points", "posix.write"}, {"ports", "80"}, {"path", "/srv"}),
                        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no call has both"));
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, FAIL, {"ports", "1"}, {"ports", "2"}, {"ports", "3"},
                                   {"ports", "4"}, {"ports", "5"}),
                        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "at most 4"));
}

static void test_delay(void)
{
    struct err err;
    row = catalogue_find(&fault_catalogue, "fiu.delay");
    CU_ASSERT_PTR_NOT_NULL_FATAL(row);
    CU_ASSERT_EQUAL(CHECK_ARGS(&err, {"service", "db"}, {"points", "posix.fsync"},
                               {"delay", "50ms"}, {"jitter", "50ms"}),
                    0);
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "db"}, {"points", "posix.fsync"},
                                   {"delay", "50ms"}, {"jitter", "51ms"}),
                        0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "`jitter` is more than `delay`"));
    CU_ASSERT_NOT_EQUAL(CHECK_ARGS(&err, {"service", "db"}, {"points", "posix.fsync"}), 0);
    row = catalogue_find(&fault_catalogue, "fiu.fail");
}

static void test_rule(void)
{
    static struct fiu_calls calls; /* large */
    struct fiu_rule rule = {.points = 0};
    struct err err;
    calls = (struct fiu_calls){.points = {.n = 2, .v = {{"posix.send"}, {"posix.connect"}}},
                               .probability = {250000},
                               .to = {.n = 1, .a = {{.family = 4, .prefix = 32, .ip = {10, 1}}}},
                               .ports = {.n = 1, .r = {{80, 81}}},
                               .every = 2,
                               .once = true};
    CU_ASSERT_EQUAL(fiu_calls_rule(&calls, &rule, &err), 0);
    CU_ASSERT_EQUAL(rule.points, FIU_BIT(FIU_SEND) | FIU_BIT(FIU_CONNECT));
    CU_ASSERT_EQUAL(rule.budget, 1);
    CU_ASSERT_EQUAL(rule.every, 2);
    CU_ASSERT_EQUAL(rule.ppm, 250000);
    CU_ASSERT_EQUAL(rule.n_addrs, 1);
    CU_ASSERT_EQUAL(rule.addrs[0].ip[1], 1);
    CU_ASSERT_TRUE(rule.n_ports == 1 && rule.ports[0].lo == 80 && rule.ports[0].hi == 81);
    calls.to.n = FIU_ADDRS_MAX + 1;
    CU_ASSERT_NOT_EQUAL(fiu_calls_rule(&calls, &rule, &err), 0);
}

static const struct check_test tests[] = {
    {"table", test_table}, {"good", test_good},
    {"bad", test_bad},     {"combinations", test_combinations},
    {"delay", test_delay}, {"rule", test_rule},
};

int main(void)
{
    row = catalogue_find(&fault_catalogue, "fiu.fail");
    return row == NULL ? 2 : check_main("fiu calls", tests, sizeof(tests) / sizeof(tests[0]));
}
