/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agent's first words must not say if the run is to inject anything there. */
#include "check.h"
#include "run/run_parts.h"

static struct err err;

static int fit(const char *hello)
{
    json_t *parsed = json_loads(hello, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(parsed);
    int rc = run_agent_fit(parsed, &err);
    json_decref(parsed);
    return rc;
}

static void test_nothing_left(void)
{
    CU_ASSERT_EQUAL(fit("{\"replayed\":[],\"unreadable\":0}"), 0);
    CU_ASSERT_EQUAL(fit("{\"replayed\":[{\"fault\":\"config.push\",\"reverted\":true}]}"), 0);
}

static void test_records_left(void)
{
    CU_ASSERT_EQUAL(fit("{\"replayed\":[],\"unreadable\":2}"), -1);
    CU_ASSERT_EQUAL(err.code, ERR_DIRTY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "undo --all"));
}

static void test_not_put_back(void)
{
    CU_ASSERT_EQUAL(fit("{\"replayed\":[{\"fault\":\"config.push\",\"reverted\":true},"
                        "{\"fault\":\"file.delete\",\"reverted\":false,\"what\":\"by hand: mv\"}],"
                        "\"unreadable\":0}"),
                    -1);
    CU_ASSERT_EQUAL(err.code, ERR_DIRTY);
    CU_ASSERT_STRING_EQUAL(err.msg, "an earlier file.delete is not put back: by hand: mv");
}

static const struct check_test tests[] = {
    {"nothing left", test_nothing_left},
    {"records left", test_records_left},
    {"not put back", test_not_put_back},
};

CHECK_MAIN("run/agent_fit", tests)
