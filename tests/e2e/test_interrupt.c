/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C, and SIGKILL of the coordinator, at each phase of a run: what was injected is put back,
 * and nothing is left on the machine.
 */
#include "e2e.h"

#define SMALL "tests/e2e/small.yaml"

/* Lines of the journal at which the run is stopped, in the order in which they come. */
static const char *const phases[] = {
    "\"ev\":\"run.start\"", "\"ev\":\"lab.up\"",  "\"ev\":\"trial.start\"", "\"ev\":\"steady\"",
    "\"ev\":\"apply\"",     "\"ev\":\"applied\"", "\"ev\":\"evidence\"",    "\"ev\":\"revert\"",
    "\"ev\":\"reverted\"",  "\"ev\":\"prober\"",
};
enum { N_PHASES = sizeof(phases) / sizeof(phases[0]), INJECTED_FROM = 4 };

static void start_small(struct e2e *t)
{
    e2e_begin(t);
    e2e_start(t, (const char *const[]){"run", "--out", t->out, SMALL, NULL});
}

/* Each `apply` has its `reverted` with ok. */
static void expect_reverted(const struct e2e *t)
{
    CLEANUP_FREE char *text = e2e_read(t->out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    unsigned applied = 0, reverted = 0;
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (*line == '\0')
            continue;
        json_t *o = json_loads(line, 0, NULL);
        CU_ASSERT_PTR_NOT_NULL(o);
        const char *ev = e2e_text(o, "ev");
        applied += strcmp(ev, "apply") == 0;
        reverted += strcmp(ev, "reverted") == 0 && json_is_true(json_object_get(o, "ok"));
        json_decref(o);
    }
    CU_ASSERT(reverted >= applied);
}

static void test_ctrl_c(void)
{
    for (unsigned i = 0; i < N_PHASES; i++) {
        struct e2e t;
        start_small(&t);
        CU_ASSERT_TRUE(e2e_wait_journal(&t, phases[i], 30));
        (void)kill(t.pid, SIGINT);
        (void)e2e_wait(&t, 40);
        /* At the very end all was judged already. */
        if (i + 1 < N_PHASES)
            e2e_expect_verdict(&t, 3, "inconclusive");
        expect_reverted(&t);
        if (i >= INJECTED_FROM)
            e2e_expect_clean(&t, 2);
        e2e_expect_gone(&t, 5);
        e2e_end(&t);
    }
}

/* A terminal that is closed: everything is put back and reported. */
static void test_hangup(void)
{
    struct e2e t;
    start_small(&t);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"applied\"", 30));
    (void)kill(t.pid, SIGHUP);
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 3, "inconclusive");
    expect_reverted(&t);
    e2e_end_clean(&t, 2);
}

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

/* The lab's process starts it, and the run starts that. */
static pid_t prober_of(const struct e2e *t)
{
    pid_t found = 0;
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        char path[300];
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        if (pid > 0 && e2e_file_has(path, "blackstart-prob") && parent_of(parent_of(pid)) == t->pid)
            found = pid;
    }
    return found;
}

/* A prober that stands still holds the run up for some seconds, not for good. */
static void test_a_stopped_prober(void)
{
    struct e2e t;
    start_small(&t);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"proven\":true", 30));
    e2e_find_run(&t);
    pid_t prober = prober_of(&t);
    CU_ASSERT_FATAL(prober > 0);
    (void)kill(prober, SIGSTOP);
    (void)e2e_wait(&t, 60);
    e2e_expect_verdict(&t, 3, "inconclusive");
    CU_ASSERT_STRING_EQUAL(e2e_text(t.result, "why"),
                           "the prober at client did not answer for 10 s: its measurement is not "
                           "complete");
    expect_reverted(&t);
    e2e_end_clean(&t, 2);
}

/* The second one does not wait for the settle, but never skips the revert. */
static void test_ctrl_c_twice(void)
{
    struct e2e t;
    start_small(&t);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"applied\"", 30));
    (void)kill(t.pid, SIGINT);
    e2e_sleep_ms(20);
    (void)kill(t.pid, SIGINT);
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 3, "inconclusive");
    expect_reverted(&t);
    e2e_end_clean(&t, 2);
}

static void test_kill(void)
{
    unsigned points = 0;
    for (unsigned i = 0; i < N_PHASES; i++) {
        struct e2e t;
        start_small(&t);
        CU_ASSERT_TRUE(e2e_wait_journal(&t, phases[i], 30));
        e2e_find_run(&t);
        if (i >= INJECTED_FROM && i + 1 < N_PHASES)
            CU_ASSERT(e2e_count_processes(&t) > 6); /* else "nothing left" would show nothing */
        (void)kill(t.pid, SIGKILL);
        points += e2e_wait(&t, 5) == 128 + SIGKILL;
        e2e_expect_gone(&t, 12);
        e2e_end(&t);
    }
    CU_ASSERT(points >= N_PHASES - 1);
    printf("figure: coordinator killed at %u phases, nothing left\n", points);
}

/* What a killed run wrote is enough for a report, and a run after it starts cleanly. */
static void test_report_of_a_killed_run(void)
{
    struct e2e t, next;
    start_small(&t);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"evidence\"", 30));
    (void)kill(t.pid, SIGKILL);
    (void)e2e_wait(&t, 5);
    start_small(&next);
    (void)e2e_wait(&next, 60);
    e2e_expect_verdict(&next, 0, "pass");
    e2e_expect_clean(&next, 2);
    e2e_start(&t, (const char *const[]){"report", t.out, NULL});
    int status = e2e_wait(&t, 30);
    CU_ASSERT(status == 3 || status == 4);
    CU_ASSERT_PTR_NOT_NULL(t.result);
    CU_ASSERT_STRING_EQUAL(e2e_text(t.result, "why"), "the journal ends before the run does");
    e2e_expect_gone(&t, 12);
    e2e_expect_gone(&next, 5);
    e2e_end(&t);
    e2e_end(&next);
}

static void test_hold_where_no_key_can_come(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--hold", "--out", t.out, SMALL, NULL});
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static void test_hold(void)
{
    int ends[2];
    struct e2e t;
    e2e_begin(&t);
    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    e2e_start_in(&t, (const char *const[]){"run", "--hold", "--out", t.out, SMALL, NULL}, ends[0]);
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"applied\"", 30));
    e2e_sleep_ms(2500);
    CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NULL(strstr(journal, "\"ev\":\"revert\"")); /* `for` of a second stands still */
    e2e_find_run(&t);
    struct e2e look;
    e2e_begin(&look);
    e2e_start(&look,
              (const char *const[]){"lab", "exec", "--name", t.run, "n1", "--", "hostname", NULL});
    CU_ASSERT_EQUAL(e2e_wait(&look, 10), 0);
    CLEANUP_FREE char *said = e2e_read(look.dir, "stdout");
    CU_ASSERT_STRING_EQUAL(said, "n1\n");
    e2e_end(&look);
    CU_ASSERT_EQUAL(write(ends[1], "\n", 1), 1);
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 0, "pass");
    e2e_expect_clean(&t, 2);
    const json_t *one = json_array_get(json_object_get(t.result, "injections"), 0);
    CU_ASSERT(e2e_number(one, "reverted_s") - e2e_number(one, "active_s") > 3);
    CLEANUP_FREE char *printed = e2e_read(t.dir, "stdout");
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "lab exec"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "30 minutes at most"));
    CU_ASSERT_PTR_NOT_NULL(strstr(printed, "a line on the standard input, or its end, goes on"));
    e2e_expect_gone(&t, 5);
    (void)close(ends[0]);
    (void)close(ends[1]);
    e2e_end(&t);
}

static const struct check_test tests[] = {
    {"ctrl-c at each phase", test_ctrl_c},
    {"hold where no key can come", test_hold_where_no_key_can_come},
    {"ctrl-c twice", test_ctrl_c_twice},
    {"a stopped prober", test_a_stopped_prober},
    {"a hangup puts back and reports", test_hangup},
    {"kill at each phase", test_kill},
    {"report of a killed run", test_report_of_a_killed_run},
    {"hold", test_hold},
};

CHECK_MAIN("interrupt", tests)
