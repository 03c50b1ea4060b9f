/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real runs and the store: two at once, one that is killed, one compared with those before. */
#include "e2e.h"

#define SMALL "tests/e2e/small.yaml"
enum { LIMIT_S = 60 };

/* All runs that `blackstart history` lists; the caller decrefs. */
static json_t *history(struct e2e *t, const char *import)
{
    if (import != NULL) {
        e2e_start(t, (const char *const[]){"history", "--import", import, NULL});
        CU_ASSERT_EQUAL(e2e_wait(t, 20), 0);
    }
    json_decref(t->result);
    e2e_start(t, (const char *const[]){"history", "--json", NULL});
    CU_ASSERT_EQUAL(e2e_wait(t, 20), 0);
    json_t *document = e2e_json(t->dir, "stdout");
    json_t *runs = json_incref(json_object_get(document, "runs"));
    json_decref(document);
    return runs;
}

static void expect_said(const struct e2e *t, const char *stream, const char *text)
{
    CLEANUP_FREE char *said = e2e_read(t->dir, stream);
    bool has = said != NULL && strstr(said, text) != NULL;
    if (!has)
        fprintf(stderr, "%s does not say \"%s\": %s\n", stream, text, said != NULL ? said : "");
    CU_ASSERT_TRUE(has);
}

static void run_two(struct e2e *a, struct e2e *b)
{
    e2e_start(a, (const char *const[]){"run", "-q", "--out", a->out, SMALL, NULL});
    e2e_start(b, (const char *const[]){"run", "-q", "--out", b->out, SMALL, NULL});
    (void)e2e_wait(a, LIMIT_S);
    (void)e2e_wait(b, LIMIT_S);
    e2e_expect_verdict(a, 0, "pass");
    e2e_expect_verdict(b, 0, "pass");
    expect_said(a, "stderr", "");
    json_t *runs = history(a, NULL);
    CU_ASSERT_EQUAL(json_array_size(runs), 2);
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *one = json_array_get(runs, i);
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "scenario"), "small");
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "verdict"), "pass");
        CU_ASSERT_EQUAL(json_array_size(json_object_get(one, "targets")), 2);
    }
    json_decref(runs);
}

/* While it goes on it is no run yet; killed, it is one that was cut off. */
static void kill_one(struct e2e *t)
{
    e2e_start(t, (const char *const[]){"run", "-q", "--out", t->out, SMALL, NULL});
    pid_t run = t->pid;
    CU_ASSERT_TRUE(e2e_wait_journal(t, "\"ev\":\"lab.up\"", 30));
    json_t *runs = history(t, t->out);
    CU_ASSERT_EQUAL(json_array_size(runs), 2);
    json_decref(runs);
    e2e_start(t, (const char *const[]){"history", "--import", t->out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(t, 20), 0);
    expect_said(t, "stderr", "1 run is going on");
    (void)kill(run, SIGKILL);
    (void)waitpid(run, NULL, 0);
    t->run[0] = '\0';
    e2e_find_run(t);
    e2e_expect_gone(t, 15);
    runs = history(t, t->out);
    CU_ASSERT_EQUAL(json_array_size(runs), 3);
    const json_t *newest = json_array_get(runs, 0);
    CU_ASSERT_STRING_EQUAL(e2e_text(newest, "run"), t->run);
    CU_ASSERT_STRING_EQUAL(e2e_text(newest, "verdict"), "inconclusive");
    CU_ASSERT_STRING_EQUAL(e2e_text(newest, "why"), "the journal ends before the run does");
    json_decref(runs);
}

/* The one that was cut off before its trial has no figure and no place in the trend. The comparison
 * stands in the journal, so that the report can be made again without the store. */
static void compare_one(struct e2e *t)
{
    static const char line[] = "earlier: 2 runs, recovery_time of get from heal 0.000 s .. ";
    e2e_start(t, (const char *const[]){"run", "-q", "--out", t->out, SMALL, NULL});
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, 0, "pass");
    expect_said(t, "stdout", line);
    CLEANUP_FREE char *before = e2e_read(t->out, "report.txt");
    e2e_start(t, (const char *const[]){"report", "--store", "/dev/full", t->out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(t, 20), 0);
    expect_said(t, "stdout", line);
    expect_said(t, "stderr", "note: the run is whole, but not in the history: the store /dev/full");
    CLEANUP_FREE char *after = e2e_read(t->out, "report.txt");
    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    CU_ASSERT_STRING_EQUAL(before, after);
    json_t *runs = history(t, NULL);
    CU_ASSERT_EQUAL(json_array_size(runs), 4);
    json_decref(runs);
    e2e_start(t, (const char *const[]){"trend", "small", NULL});
    CU_ASSERT_EQUAL(e2e_wait(t, 20), 0);
    expect_said(t, "stdout", "small: recovery_time of get from heal over 3 runs, at most 5.000 s");
}

static void test_runs(void)
{
    struct e2e a, b, c, d;
    char store[128];
    e2e_begin(&a);
    e2e_begin(&b);
    e2e_begin(&c);
    e2e_begin(&d);
    (void)snprintf(store, sizeof(store), "%s/history.db", a.dir);
    (void)setenv("BLACKSTART_STORE", store, 1);
    run_two(&a, &b);
    kill_one(&c);
    compare_one(&d);
    (void)unsetenv("BLACKSTART_STORE");
    e2e_end(&a);
    e2e_end(&b);
    e2e_end(&c);
    e2e_end(&d);
}

static const struct check_test tests[] = {
    {"runs", test_runs},
};

CHECK_MAIN("store", tests)
