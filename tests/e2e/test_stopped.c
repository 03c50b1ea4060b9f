/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C, and what later runs, lists, trends and tables make of what it left. */
#include "e2e.h"

#define SMALL "tests/e2e/small.yaml"
enum { LIMIT_S = 60, RUNS = 4 };

/* A whole one; one stopped in its only trial; a series stopped in its second trial with a fault;
 * and a whole one again. */
static struct e2e runs[RUNS];

static bool said(const struct e2e *t, const char *text)
{
    CLEANUP_FREE char *out = e2e_read(t->dir, "stdout");
    bool has = out != NULL && strstr(out, text) != NULL;
    if (!has)
        fprintf(stderr, "not said: %s\nbut: %s\n", text, out != NULL ? out : "");
    return has;
}

static void run_whole(struct e2e *t)
{
    e2e_start(t, (const char *const[]){"run", "-q", "--out", t->out, SMALL, NULL});
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, 0, "pass");
    CU_ASSERT_FALSE(json_is_true(json_object_get(t->result, "stopped")));
}

static void run_stopped(struct e2e *t, const char *trials, const char *at)
{
    e2e_start(t,
              (const char *const[]){"run", "-q", "--trials", trials, "--out", t->out, SMALL, NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(t, at, LIMIT_S));
    (void)kill(t->pid, SIGINT);
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, 3, "inconclusive");
    CU_ASSERT_TRUE(json_is_true(json_object_get(t->result, "stopped")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(t->result, "aborted")));
    e2e_expect_clean(t, 2);
    e2e_expect_gone(t, 5);
}

static void ask(struct e2e *t, const char *const *args, int status)
{
    json_decref(t->result);
    e2e_start(t, args);
    CU_ASSERT_EQUAL(e2e_wait(t, 20), status);
}

/* The newest first. */
static void expect_listed(struct e2e *t)
{
    static const bool stopped[RUNS] = {false, true, true, false};
    static const int trials[RUNS] = {1, 1, 0, 1};
    ask(t, (const char *const[]){"history", "--json", NULL}, 0);
    json_t *document = e2e_json(t->dir, "stdout");
    const json_t *list = json_object_get(document, "runs");
    CU_ASSERT_EQUAL_FATAL(json_array_size(list), RUNS);
    for (size_t i = 0; i < RUNS; i++) {
        const json_t *one = json_array_get(list, i);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(one, "stopped")), stopped[i]);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(one, "aborted")), stopped[i]);
        CU_ASSERT_EQUAL((int)e2e_number(one, "trials"), trials[i]);
    }
    json_decref(document);
    ask(t, (const char *const[]){"history", NULL}, 0);
    CU_ASSERT_TRUE(said(t, "0 stopped"));
    CU_ASSERT_TRUE(said(t, "1 stopped"));
    ask(t, (const char *const[]){"history", "--export", "csv", NULL}, 0);
    CU_ASSERT_TRUE(said(t, ",aborted,stopped,took_s,"));
    CU_ASSERT_TRUE(said(t, ",1,0,0,1,1,"));
}

static void expect_drawn(struct e2e *t)
{
    ask(t, (const char *const[]){"trend", "small", NULL}, 0);
    CU_ASSERT_TRUE(said(t, "small: recovery_time of get from heal over 3 runs, at most 5.000 s"));
    CU_ASSERT_TRUE(said(t, ", stopped after 1 trial\n"));
    CU_ASSERT_TRUE(said(t, "(left out: 1 run stopped before a trial with a fault had ended)\n"));
    ask(t, (const char *const[]){"trend", "--json", "small", NULL}, 0);
    json_t *document = e2e_json(t->dir, "stdout");
    CU_ASSERT_EQUAL(e2e_number(document, "left_out"), 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(document, "points")), 3);
    json_decref(document);
}

static void expect_in_tables(struct e2e *t)
{
    ask(t,
        (const char *const[]){"outages", "--table", runs[1].out, runs[0].out, runs[2].out,
                              runs[3].out, NULL},
        0);
    CU_ASSERT_TRUE(said(t, " | - | pass | "));
    CU_ASSERT_TRUE(said(t, " | 3: 3 pass; 2 runs stopped | "));
    ask(t, (const char *const[]){"outages", "--table", runs[2].out, NULL}, 0);
    CU_ASSERT_TRUE(said(t, " | - | pass | "));
    CU_ASSERT_TRUE(said(t, " | 1: 1 pass; 1 run stopped | "));
    ask(t, (const char *const[]){"outages", "--table", runs[1].out, NULL}, 0);
    CU_ASSERT_TRUE(said(t, " | - | inconclusive | - | "));
    CU_ASSERT_TRUE(said(t, " | 0; 1 run stopped | "));
    ask(t, (const char *const[]){"compare", runs[0].out, "--", runs[1].out, runs[3].out, NULL}, 3);
    CU_ASSERT_TRUE(said(t, "at least 4 trials of each side are needed"));
    CU_ASSERT_TRUE(said(t, "left out: 0 runs of A and 1 of B, stopped before any trial"));
    ask(t, (const char *const[]){"compare", runs[0].out, runs[2].out, NULL}, 3);
    CU_ASSERT_TRUE(said(t, "a series was stopped before its end: the number of its trials"));
}

/* An index that was lost is made again from the folders, and says the same. */
static void expect_rebuilt(struct e2e *t)
{
    ask(t,
        (const char *const[]){"history", "--import", runs[0].out, "--import", runs[1].out,
                              "--import", runs[2].out, "--import", runs[3].out, NULL},
        0);
    expect_listed(t);
}

static void test_runs(void)
{
    char store[128];
    for (size_t i = 0; i < RUNS; i++)
        e2e_begin(&runs[i]);
    (void)snprintf(store, sizeof(store), "%s/history.db", runs[0].dir);
    (void)setenv("BLACKSTART_STORE", store, 1);
    run_whole(&runs[0]);
    run_stopped(&runs[1], "1", "\"ev\":\"evidence\"");
    run_stopped(&runs[2], "3", "\"ev\":\"trial.start\",\"trial\":2");
    CU_ASSERT_STRING_EQUAL(e2e_text(runs[2].result, "why"), "trial 2: stopped by the person");
    run_whole(&runs[3]);
    CU_ASSERT_TRUE(said(&runs[3], "earlier: 2 runs and 1 that was stopped, recovery_time of get "));
    expect_listed(&runs[3]);
    expect_drawn(&runs[3]);
    expect_in_tables(&runs[3]);
    (void)unlink(store);
    expect_rebuilt(&runs[3]);
    (void)unsetenv("BLACKSTART_STORE");
    for (size_t i = 0; i < RUNS; i++)
        e2e_end(&runs[i]);
}

static const struct check_test tests[] = {
    {"runs", test_runs},
};

CHECK_MAIN("stopped", tests)
