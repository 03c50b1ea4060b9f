/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/quickstart.yaml on a real etcd cluster: the verdicts that it can have but pass, of
 * which none depends on how fast the machine is. */
#include "quickstart.h"

/* The reports come from the journal alone: made again they are the same, byte for byte. */
static void expect_same_again(struct e2e *t)
{
    static const char *const names[] = {"result.json", "report.txt", "report.html"};
    enum { N = sizeof(names) / sizeof(names[0]) };
    char *before[N];
    for (int i = 0; i < N; i++) {
        before[i] = e2e_read(t->out, names[i]);
        char path[200];
        (void)snprintf(path, sizeof(path), "%s/%s", t->out, names[i]);
        CU_ASSERT_EQUAL(unlink(path), 0);
    }
    int status = t->status;
    e2e_start(t, (const char *const[]){"report", "--json", t->out, NULL});
    json_decref(t->result);
    CU_ASSERT_EQUAL(e2e_wait(t, 30), status);
    for (int i = 0; i < N; i++) {
        CLEANUP_FREE char *after = e2e_read(t->out, names[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(after);
        CU_ASSERT_STRING_EQUAL(after, before[i]);
    }
    CLEANUP_FREE char *printed = e2e_read(t->dir, "stdout");
    CU_ASSERT_STRING_EQUAL(printed, before[0]);
    for (int i = 0; i < N; i++)
        free(before[i]);
}

/* Three labs at once: a target missed, a fault that matches nothing, no fault at all. */
static void test_side_by_side(void)
{
    struct e2e missed, nothing, dry;
    e2e_begin(&missed);
    e2e_begin(&nothing);
    e2e_begin(&dry);
    /* Three clusters on one disk: what is slow for one may be the others' doing. */
    const char *slow = "slow=500ms";
    e2e_start(&missed, (const char *const[]){"run", "--set", "recovery_limit=200ms", "--set", slow,
                                             "--out", missed.out, QUICKSTART, NULL});
    e2e_start(&nothing, (const char *const[]){"run", "--set", "ports=9", "--set", slow, "--out",
                                              nothing.out, QUICKSTART, NULL});
    e2e_start(&dry, (const char *const[]){"run", "--no-fault", "--set", slow, "--json", "--out",
                                          dry.out, QUICKSTART, NULL});
    (void)e2e_wait(&missed, QUICKSTART_LIMIT_S);
    (void)e2e_wait(&nothing, QUICKSTART_LIMIT_S);
    (void)e2e_wait(&dry, QUICKSTART_LIMIT_S);

    e2e_expect_verdict(&missed, 1, "fail");
    e2e_expect_clean(&missed, 3);
    quickstart_expect_injections(&missed, true);
    CU_ASSERT_STRING_EQUAL(e2e_text(e2e_target(&missed, "recovery_time"), "verdict"), "fail");
    CU_ASSERT_EQUAL(e2e_number(e2e_target(&missed, "recovery_time"), "limit_s"), 0.2);

    e2e_expect_verdict(&nothing, 3, "invalid");
    e2e_expect_clean(&nothing, 3);
    quickstart_expect_injections(&nothing, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(nothing.result, "why"), "matched nothing"));

    CU_ASSERT_EQUAL(dry.status, 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(dry.result, "injections")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(dry.result, "why"), "no impact"));
    json_t *printed = e2e_json(dry.dir, "stdout");
    CU_ASSERT_TRUE(json_equal(printed, dry.result));
    json_decref(printed);

    expect_same_again(&missed);
    e2e_expect_gone(&missed, 5);
    e2e_expect_gone(&nothing, 5);
    e2e_expect_gone(&dry, 5);
    e2e_end(&missed);
    e2e_end(&nothing);
    e2e_end(&dry);
}

/* etcd on two of its three members is not running: nothing is injected. */
static void test_bad_baseline(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/etcd_down.yaml", NULL});
    (void)e2e_wait(&t, QUICKSTART_LIMIT_S);
    e2e_expect_verdict(&t, 3, "invalid");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(t.result, "injections")), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), "baseline"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), "nothing was injected"));
    e2e_end_clean(&t, 3);
}

static const struct check_test tests[] = {
    {"side by side: fail, invalid, without a fault", test_side_by_side},
    {"bad baseline", test_bad_baseline},
};

CHECK_MAIN("verdicts", tests)
