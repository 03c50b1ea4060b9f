/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads against a real redis and a real nginx: what they count, what a step changes, and what
 * becomes of a run whose load dies. */
#include "e2e.h"

enum { LOADS_MAX = 8 };

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

static size_t loads_of(const struct e2e *t, pid_t ret[LOADS_MAX])
{
    size_t n = 0;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        char path[300];
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        if (pid > 0 && n < LOADS_MAX && e2e_file_has(path, "blackstart-load") &&
            parent_of(parent_of(pid)) == t->pid)
            ret[n++] = pid;
    }
    return n;
}

static const json_t *load_of(const struct e2e *t, const char *name)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0), *one;
    size_t i;
    json_array_foreach(json_object_get(trial, "loads"), i, one)
    {
        if (strcmp(e2e_text(one, "name"), name) == 0)
            return one;
    }
    return NULL;
}

static double phase(const json_t *load, const char *name, const char *figure)
{
    const json_t *one;
    size_t i;
    json_array_foreach(json_object_get(load, "phases"), i, one)
    {
        if (strcmp(e2e_text(one, "phase"), name) == 0)
            return e2e_number(one, figure);
    }
    return -1;
}

/* 32 users on one key conflict more than 2 do, and each success takes them more attempts. */
static void expect_crowd(const struct e2e *t)
{
    const json_t *hot = load_of(t, "hot");
    double before = phase(hot, "before", "attempts_per_success");
    double during = phase(hot, "during", "attempts_per_success");
    printf("figure: 2 users on one key %.0f successes a second at %.2f attempts, 32 with full "
           "jitter %.0f at %.2f\n",
           phase(hot, "before", "per_second"), before, phase(hot, "during", "per_second"), during);
    CU_ASSERT_TRUE(phase(hot, "before", "ok") > 100);
    CU_ASSERT_TRUE(during > 1.3 && during > before);
    CU_ASSERT_TRUE(phase(hot, "during", "most_s") > phase(hot, "during", "p50_s"));
    CU_ASSERT_TRUE(phase(hot, "before", "cpu_share") > 0);
    CU_ASSERT_TRUE(json_array_size(json_object_get(hot, "course")) > 5);
}

/* 50 a second, of chance: as many as that within four deviations, in 6 s and more. */
static void expect_rate(const struct e2e *t)
{
    const json_t *readers = load_of(t, "readers");
    double length = phase(readers, "before", "length_s") + phase(readers, "during", "length_s");
    double ok = phase(readers, "before", "ok") + phase(readers, "during", "ok");
    CU_ASSERT_TRUE(length > 4);
    CU_ASSERT_TRUE(ok > 50 * length * 0.7 && ok < 50 * length * 1.3);
    CU_ASSERT_EQUAL(phase(readers, "during", "not_sent"), 0);
}

static void expect_injection(const struct e2e *t)
{
    const json_t *one = json_array_get(json_object_get(t->result, "injections"), 0);
    CU_ASSERT_STRING_EQUAL(e2e_text(one, "fault"), "load hot");
    CU_ASSERT_STRING_EQUAL(e2e_text(one, "host"), "client");
    CU_ASSERT_TRUE(json_is_true(json_object_get(one, "proven")));
}

static void test_loads(void)
{
    struct e2e t;
    pid_t loads[LOADS_MAX];
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/loads.yaml", NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"steady\"", 60));
    CU_ASSERT_EQUAL(loads_of(&t, loads), 2);
    (void)e2e_wait(&t, 60);
    e2e_expect_verdict(&t, 0, "pass");
    expect_crowd(&t);
    expect_rate(&t);
    expect_injection(&t);
    CLEANUP_FREE char *text = e2e_read(t.out, "report.txt");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "load hot (redis) from client: 2 users without a pause"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "32 of 32 users began "));
    CLEANUP_FREE char *page = e2e_read(t.out, "report.html");
    CU_ASSERT_PTR_NOT_NULL_FATAL(page);
    CU_ASSERT_PTR_NOT_NULL(strstr(page, "Successes and attempts of hot over time"));
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

/* What the step did ended with the process; the run says so and ends, and does not hang. */
static void test_a_load_that_dies(void)
{
    struct e2e t;
    pid_t loads[LOADS_MAX];
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "tests/e2e/loads.yaml", NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"applied\"", 60));
    size_t n = loads_of(&t, loads);
    CU_ASSERT_EQUAL(n, 2);
    for (size_t i = 0; i < n; i++)
        (void)kill(loads[i], SIGKILL);
    (void)e2e_wait(&t, 20);
    CU_ASSERT_TRUE(t.status > 1 && t.status < 128);
    CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "its process has ended"));
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static const struct check_test tests[] = {
    {"loads and a step that changes one", test_loads},
    {"a load that dies", test_a_load_that_dies},
};

CHECK_MAIN("e2e/loads", tests)
