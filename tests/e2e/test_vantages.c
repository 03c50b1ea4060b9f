/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A probe sent from three hosts in one run; and probers that stall, in the verdict's own words. */
#include "e2e.h"

enum { PROBERS_MAX = 8 };

static pid_t parent_of(pid_t pid)
{
    char path[64];
    int parent = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (f != NULL && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    if (f != NULL)
        (void)fclose(f);
    return parent;
}

/* The lab's process starts them, and the run starts that. */
static size_t probers_of(const struct e2e *t, pid_t ret[PROBERS_MAX])
{
    size_t n = 0;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        char path[300];
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        if (pid > 0 && n < PROBERS_MAX && e2e_file_has(path, "blackstart-prob") &&
            parent_of(parent_of(pid)) == t->pid)
            ret[n++] = pid;
    }
    return n;
}

static ino_t network_of(pid_t pid)
{
    char path[64];
    struct stat st = {0};
    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
    CU_ASSERT_EQUAL(stat(path, &st), 0);
    return st.st_ino;
}

/* Each in a network of its own, as nobody, with no capability. */
static void expect_unprivileged(const pid_t *probers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "/proc/%d/status", probers[i]);
        CU_ASSERT_TRUE(e2e_file_has(path, "\nUid:\t65534\t65534\t65534\t65534\n"));
        CU_ASSERT_TRUE(e2e_file_has(path, "\nCapPrm:\t0000000000000000\n"));
        CU_ASSERT_TRUE(e2e_file_has(path, "\nCapEff:\t0000000000000000\n"));
        CU_ASSERT_TRUE(e2e_file_has(path, "\nNoNewPrivs:\t1\n"));
        for (size_t k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(network_of(probers[i]), network_of(probers[k]));
    }
}

static const json_t *only_trial(const struct e2e *t)
{
    return json_array_get(json_object_get(t->result, "trials"), 0);
}

static void expect_matrix(const struct e2e *t)
{
    const json_t *matrix = json_object_get(only_trial(t), "matrix"), *cell;
    size_t i;
    CU_ASSERT_EQUAL(json_array_size(json_object_get(matrix, "cells")), 5);
    json_array_foreach(json_object_get(matrix, "cells"), i, cell)
    {
        bool cut = strcmp(e2e_text(cell, "probe"), "get") == 0 &&
                   strcmp(e2e_text(cell, "vantage"), "n2") == 0;
        CU_ASSERT_EQUAL(e2e_number(cell, "outages"), cut ? 1 : 0);
        CU_ASSERT_EQUAL(e2e_number(cell, "bad") > 10, cut);
        CU_ASSERT_STRING_EQUAL(e2e_text(cell, "endpoint"), "n1");
    }
    const char *said =
        json_string_value(json_array_get(json_object_get(matrix, "disagreements"), 0));
    CU_ASSERT_PTR_NOT_NULL_FATAL(said);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "n2 saw get down for "));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, ", client and n1 did not"));
    const json_t *n1 = json_array_get(json_object_get(matrix, "vantages"), 1);
    CU_ASSERT_STRING_EQUAL(e2e_text(n1, "stands"), "on n1, which network.partition hit");
}

static void expect_health(const struct e2e *t)
{
    const json_t *prober;
    size_t i;
    CU_ASSERT_EQUAL(json_array_size(json_object_get(only_trial(t), "probers")), 3);
    json_array_foreach(json_object_get(only_trial(t), "probers"), i, prober)
    {
        CU_ASSERT_TRUE(e2e_number(prober, "sent") > 30);
        CU_ASSERT_TRUE(e2e_number(prober, "null_answers") > 20);
        CU_ASSERT_TRUE(e2e_number(prober, "late_p99_s") >= e2e_number(prober, "late_p50_s"));
        CU_ASSERT_TRUE(e2e_number(prober, "load_end") >= 0);
    }
}

static void test_three_vantages(void)
{
    struct e2e t;
    pid_t probers[PROBERS_MAX];
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/vantages.yaml", NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"steady\"", 30));
    size_t n = probers_of(&t, probers);
    CU_ASSERT_EQUAL(n, 3);
    expect_unprivileged(probers, n);
    (void)e2e_wait(&t, 60);
    e2e_expect_verdict(&t, 0, "pass");
    CU_ASSERT_EQUAL(json_array_size(json_object_get(t.result, "targets")), 6);
    CU_ASSERT_STRING_EQUAL(e2e_text(e2e_target(&t, "recovery_time"), "of"), "get at client");
    expect_matrix(&t);
    expect_health(&t);
    CLEANUP_FREE char *text = e2e_read(t.out, "report.txt");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "they disagree: n2 saw get down for "));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "n2: on n2, which network.partition hit\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "its null server: "));
    e2e_end_clean(&t, 2);
}

/* Stopped while the probe is bad, and let go when the system has recovered: when that was, nobody
 * saw. */
static void test_a_stall_at_an_edge(void)
{
    struct e2e t;
    pid_t probers[PROBERS_MAX];
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "--set", "length=2s",
                                        "tests/e2e/small.yaml", NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"state\":\"bad\"", 30));
    CU_ASSERT_EQUAL_FATAL(probers_of(&t, probers), 1);
    (void)kill(probers[0], SIGSTOP);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"reverted\"", 30));
    e2e_sleep_ms(500);
    (void)kill(probers[0], SIGCONT);
    (void)e2e_wait(&t, 60);
    e2e_expect_verdict(&t, 3, "inconclusive");
    CU_ASSERT_STRING_EQUAL(
        e2e_text(t.result, "why"),
        "recovery_time of get: the prober itself stalled at an edge of the outage");
    CU_ASSERT_TRUE(
        e2e_number(json_array_get(json_object_get(only_trial(&t), "probers"), 0), "gaps") > 10);
    e2e_end_clean(&t, 2);
}

static const struct check_test tests[] = {
    {"three vantages", test_three_vantages},
    {"a prober that stalls at an edge", test_a_stall_at_an_edge},
};

CHECK_MAIN("vantages", tests)
