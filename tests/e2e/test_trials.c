/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Series of trials, steps in hosts, guards, an agent that dies: short runs of a small lab. */
#include "shipped.h"

#include <sched.h>

#define SMALL "tests/e2e/small.yaml"
enum { LIMIT_S = 60 };

/* A fault-free trial and two more; the report says what two passes prove. */
static void test_series(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--trials", "2", "--seed", "7", "--out", t.out,
                                        SMALL, NULL});
    (void)e2e_wait(&t, LIMIT_S);
    e2e_expect_verdict(&t, 0, "pass");
    CU_ASSERT_STRING_EQUAL(e2e_text(t.result, "why"), "every target was met");
    const json_t *trials = json_object_get(t.result, "trials");
    CU_ASSERT_EQUAL(json_array_size(trials), 3);
    for (size_t i = 0; i < 3; i++) {
        const json_t *one = json_array_get(trials, i);
        CU_ASSERT_EQUAL(json_is_true(json_object_get(one, "fault_free")), i == 0);
    }
    CU_ASSERT_EQUAL(json_array_size(json_object_get(t.result, "injections")), 4);
    CU_ASSERT(json_array_size(json_object_get(t.result, "proves")) >= 1);
    CU_ASSERT_EQUAL(e2e_number(t.result, "seed"), 7);
    e2e_end_clean(&t, 2);
}

/* The pid of the run's agent process of this kind on n1, by its command line and parent. */
static pid_t find_agent(const struct e2e *t)
{
    CLEANUP_DIR DIR *proc = opendir("/proc");
    pid_t first = -1;
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        char path[300];
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
        if (pid > 0 && e2e_file_has(path, "blackstart-agent") && e2e_file_has(path, t->run) &&
            e2e_file_has(path, "agent-n1") && (first < 0 || pid < first))
            first = pid;
    }
    return first;
}

/* An agent killed while its fault is on: the run is aborted, a new agent finds the host clean. */
static void test_agent_dies(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--set", "length=20s", "--out", t.out, SMALL, NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"evidence\"", 30));
    e2e_find_run(&t);
    pid_t agent = find_agent(&t);
    CU_ASSERT(agent > 0);
    if (agent > 0)
        (void)kill(agent, SIGKILL);
    (void)e2e_wait(&t, LIMIT_S);
    CU_ASSERT_EQUAL(t.status, 3);
    CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "\"why\":\"agent lost\""));
    e2e_end_clean(&t, 2);
}

/* The scenario of many steps, with another value for a variable; NULL: as it is. */
static void run_steps(struct e2e *t, const char *set, int status, const char *verdict)
{
    e2e_begin(t);
    e2e_start(t, (const char *const[]){"run", "--out", t->out, "tests/e2e/steps.yaml",
                                       set != NULL ? "--set" : NULL, set, NULL});
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, status, verdict);
}

static void test_steps(void)
{
    struct e2e t;
    run_steps(&t, NULL, 0, "pass");
    CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "\"output\":\"n2\\n\""));
    e2e_end_clean(&t, 2);
}

/* Peers that are no hosts: the client's network, which is cut, and one that nobody is in. */
static void test_networks(void)
{
    static const struct {
        const char *peers;
        int status;
        const char *verdict;
    } rows[] = {{"peers=10.77.0.0/24", 0, "pass"}, {"peers=10.78.0.0/16", 3, "invalid"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct e2e t;
        e2e_begin(&t);
        e2e_start(
            &t, (const char *const[]){"run", "--set", rows[i].peers, "--out", t.out, SMALL, NULL});
        (void)e2e_wait(&t, LIMIT_S);
        e2e_expect_verdict(&t, rows[i].status, rows[i].verdict);
        CU_ASSERT_TRUE(i != 0 || shipped_was_felt(&t));
        CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
        CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
        CU_ASSERT_PTR_NOT_NULL(strstr(journal, rows[i].peers + strlen("peers=")));
        e2e_end_clean(&t, 2);
    }
}

static void test_guard(void)
{
    struct e2e t;
    run_steps(&t, "bad_for=300ms", 1, "fail");
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), "get"));
    e2e_end_clean(&t, 2);
}

/* A command that fails ends the trial, and says so. */
static void test_failing_command(void)
{
    struct e2e t;
    run_steps(&t, "command=/bin/false", 3, "inconclusive");
    CLEANUP_FREE char *journal = e2e_read(t.out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "exit status 1"));
    e2e_end_clean(&t, 2);
}

/* What a command had said before it was killed is told, at once and in the report. */
static void test_command_that_does_not_end(void)
{
    struct e2e t;
    run_steps(&t, "command=sh -c 'echo so far; sleep 60'", 3, "inconclusive");
    CLEANUP_FREE char *report = e2e_read(t.out, "report.txt"), *live = e2e_read(t.dir, "stdout");
    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(live);
    CU_ASSERT_PTR_NOT_NULL(strstr(report, "did not end in time and was killed: failed\n"
                                          "               | so far\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(live, "  | so far\n"));
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static void test_refusals(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "no-such-file.yaml", NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 10), 2);
    e2e_start(&t, (const char *const[]){"run", "--trials", "many", SMALL, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 10), 2);
    CU_ASSERT_EQUAL(mkdir(t.out, 0755), 0);
    char path[120];
    (void)snprintf(path, sizeof(path), "%s/journal.ndjson", t.out);
    CLEANUP_FILE FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL(f);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SMALL, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 10), 2);
    CLEANUP_FREE char *errors = e2e_read(t.dir, "stderr");
    CU_ASSERT_PTR_NOT_NULL_FATAL(errors);
    CU_ASSERT_PTR_NOT_NULL(strstr(errors, "holds another run already"));
    e2e_end(&t);
}

/* Does this kernel let an ordinary user make a user namespace? */
static bool user_namespaces(uid_t user)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0 ||
              unshare(CLONE_NEWUSER) < 0);
    int status = 1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void test_ordinary_user(void)
{
    enum { NOBODY = 65534 };
    struct e2e t;
    if (geteuid() == 0 && !user_namespaces(NOBODY)) {
        printf("note: no user namespaces for ordinary users here; not run\n");
        return;
    }
    e2e_begin(&t);
    t.user = geteuid() == 0 ? NOBODY : 0;
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SMALL, NULL});
    (void)e2e_wait(&t, LIMIT_S);
    e2e_expect_verdict(&t, 0, "pass");
    e2e_end_clean(&t, 2);
}

static const struct check_test tests[] = {
    {"series", test_series},
    {"ordinary user", test_ordinary_user},
    {"agent dies", test_agent_dies},
    {"steps", test_steps},
    {"a command that does not end", test_command_that_does_not_end},
    {"networks as peers", test_networks},
    {"guard", test_guard},
    {"failing command", test_failing_command},
    {"refusals", test_refusals},
};

CHECK_MAIN("trials", tests)
