/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ledgers as people use them: a run that passes, one whose coordinator is killed and one whose
 * ledger is; what stands in their files is judged all the same; runs whose writes are read back
 * from two hosts, which see the same or do not. The long form does the shipped scenarios: redis
 * with asynchronous replication loses acknowledged writes, with WAIT none; etcd none; PostgreSQL
 * asynchronously some, synchronously none.
 */
#include "e2e.h"

enum { LIMIT_S = 90, LONG_S = 300 };

static const json_t *ledger_of(const struct e2e *t, const char *name)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0), *l;
    size_t i;
    json_array_foreach(json_object_get(trial, "ledgers"), i, l)
    {
        if (strcmp(e2e_text(l, "name"), name) == 0)
            return l;
    }
    return NULL;
}

static void start_small(struct e2e *t, const char *wait)
{
    char set[32];
    e2e_begin(t);
    (void)snprintf(set, sizeof(set), "wait=%s", wait);
    e2e_start(t, (const char *const[]){"run", "--store", "", "--set", set, "--out", t->out,
                                       "tests/e2e/ledger.yaml", NULL});
}

/* The process that writes this run's first ledger. */
static pid_t ledger_pid(const struct e2e *t)
{
    char file[128], path[300], to[PATH_MAX];
    (void)snprintf(file, sizeof(file), "%s/ledger-00.log", t->out);
    CLEANUP_DIR DIR *proc = opendir("/proc");
    for (const struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL;) {
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/1", pid);
        ssize_t n = pid > 1 ? readlink(path, to, sizeof(to) - 1) : -1;
        if (n > 0 && (size_t)n == strlen(file) && memcmp(to, file, (size_t)n) == 0)
            return pid;
    }
    return -1;
}

static void expect_pass(struct e2e *t)
{
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, 0, "pass");
    static const char *const names[] = {"orders", "commands"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *l = ledger_of(t, names[i]);
        CU_ASSERT(e2e_number(l, "acknowledged") > (i == 0 ? 50 : 5));
        CU_ASSERT(e2e_number(l, "at_risk") > 0);
        CU_ASSERT_EQUAL((int)e2e_number(l, "lost_upper"), 0);
        CU_ASSERT_EQUAL((int)e2e_number(l, "strange"), 0);
        CU_ASSERT_TRUE(json_is_true(json_object_get(l, "known")));
        CU_ASSERT_TRUE(json_is_true(json_object_get(l, "views_agree")));
    }
    CU_ASSERT_EQUAL(json_array_size(json_object_get(ledger_of(t, "orders"), "views")), 2);
    e2e_expect_clean(t, 1);
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

/* Nothing good is said of what was not read back; all that was acknowledged is counted. */
static void expect_unread(const struct e2e *t)
{
    const json_t *l = ledger_of(t, "orders"), *target = e2e_target(t, "data_loss");
    if (strcmp(e2e_text(t->result, "verdict"), "inconclusive") != 0)
        fprintf(stderr, "%d, %s: %s\n", t->status, e2e_text(t->result, "verdict"),
                e2e_text(t->result, "why"));
    CU_ASSERT_STRING_EQUAL(e2e_text(t->result, "verdict"), "inconclusive");
    CU_ASSERT_STRING_EQUAL(e2e_text(target, "verdict"), "inconclusive");
    CU_ASSERT(e2e_number(l, "acknowledged") > 20);
    CU_ASSERT_TRUE(json_is_false(json_object_get(l, "known")));
    CU_ASSERT_STRING_EQUAL(e2e_text(l, "why"), "it was never read back");
}

static void expect_killed_coordinator(struct e2e *t)
{
    CU_ASSERT_TRUE_FATAL(e2e_wait_journal(t, "\"applied\"", LIMIT_S));
    e2e_sleep_ms(300);
    CU_ASSERT_EQUAL(kill(t->pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(e2e_wait(t, 5), 128 + SIGKILL);
    CU_ASSERT_PTR_NULL(t->result);
    e2e_expect_gone(t, 10);
    e2e_start(t, (const char *const[]){"report", t->out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(t, LIMIT_S), 3);
    expect_unread(t);
    e2e_end(t);
}

static void expect_killed_ledger(struct e2e *t)
{
    CU_ASSERT_TRUE_FATAL(e2e_wait_journal(t, "\"applied\"", LIMIT_S));
    e2e_sleep_ms(300);
    pid_t pid = ledger_pid(t);
    CU_ASSERT_FATAL(pid > 1);
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(e2e_wait(t, LIMIT_S), 3);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e2e_text(t->result, "error"), "ledger orders: its process has ended"));
    expect_unread(t);
    /* Why it ended, what it left and what is known stand in the journal all the same. */
    CLEANUP_FREE char *journal = e2e_read(t->out, "journal.ndjson");
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "\"ev\":\"abort\",\"why\":\"error\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "\"ev\":\"trial.end\""));
    CU_ASSERT_PTR_NOT_NULL(strstr(journal, "\"ev\":\"ledger\",\"ledger\":\"commands\""));
    e2e_expect_clean(t, 1);
    /* The other one was read back, as far as it came. */
    CU_ASSERT_TRUE(json_is_true(json_object_get(ledger_of(t, "commands"), "known")));
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

/* --- from several hosts --- */

static void start_vantages(struct e2e *t, const char *stale, const char *at, const char *within)
{
    char sets[3][48];
    e2e_begin(t);
    (void)snprintf(sets[0], sizeof(sets[0]), "stale=%s", stale);
    (void)snprintf(sets[1], sizeof(sets[1]), "at=%s", at);
    (void)snprintf(sets[2], sizeof(sets[2]), "within=%s", within);
    e2e_start(t, (const char *const[]){"run", "--store", "", "--set", sets[0], "--set", sets[1],
                                       "--set", sets[2], "--out", t->out,
                                       "tests/e2e/ledger-vantages.yaml", NULL});
}

static const json_t *view_of(const json_t *ledger, const char *vantage)
{
    const json_t *v;
    size_t i;
    json_array_foreach(json_object_get(ledger, "views"), i, v)
    {
        if (strcmp(e2e_text(v, "vantage"), vantage) == 0)
            return v;
    }
    return NULL;
}

static void expect_agreed(const struct e2e *t, const char *name, size_t n_views)
{
    const json_t *l = ledger_of(t, name);
    CU_ASSERT(e2e_number(l, "at_risk") > 5);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(l, "views")), n_views);
    CU_ASSERT_TRUE(json_is_true(json_object_get(l, "known")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(l, "views_agree")));
    CU_ASSERT_EQUAL((int)e2e_number(l, "lost_upper"), 0);
    CU_ASSERT_EQUAL((int)e2e_number(l, "strange"), 0);
    CU_ASSERT(e2e_number(view_of(l, "far"), "present") >= e2e_number(l, "acknowledged"));
}

/* What one side alone sees is neither a loss for certain nor none. */
static void expect_divided(struct e2e *t)
{
    CU_ASSERT_EQUAL(e2e_wait(t, LIMIT_S), 3);
    const json_t *near = ledger_of(t, "nearest"), *local = ledger_of(t, "local");
    CU_ASSERT_STRING_EQUAL(e2e_text(t->result, "verdict"), "inconclusive");
    CU_ASSERT_TRUE(json_is_true(json_object_get(near, "known")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(near, "views_agree")));
    CU_ASSERT_EQUAL((int)e2e_number(near, "lost_lower"), 0);
    CU_ASSERT(e2e_number(near, "lost_upper") > 5);
    CU_ASSERT_EQUAL((int)e2e_number(view_of(near, "client"), "absent"), 0);
    CU_ASSERT_EQUAL(e2e_number(view_of(near, "far"), "absent"), e2e_number(near, "lost_upper"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e2e_text(near, "sentence"), "(1 of 2 views lack some; as a client from far lacks"));
    CU_ASSERT_TRUE(json_is_false(json_object_get(local, "known")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(view_of(local, "db1"), "read")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(view_of(local, "far"), "read")));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(e2e_text(local, "why"), "as a client from far could not be read: "));
    expect_agreed(t, "orders", 4);
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

static void expect_same(struct e2e *t)
{
    (void)e2e_wait(t, LIMIT_S);
    e2e_expect_verdict(t, 0, "pass");
    expect_agreed(t, "nearest", 2);
    expect_agreed(t, "local", 2);
    expect_agreed(t, "orders", 4);
    e2e_expect_clean(t, 3);
    e2e_expect_gone(t, 5);
    e2e_end(t);
}

/* All of them at the same time. */
static void test_small(void)
{
    struct e2e passes, coordinator, ledger, same, divided;
    start_small(&passes, "2s");
    start_small(&coordinator, "60s");
    start_small(&ledger, "60s");
    start_vantages(&same, "ping", "db1", "20s");
    start_vantages(&divided, "replicaof no one", "127.0.0.1", "2s");
    expect_killed_coordinator(&coordinator);
    expect_killed_ledger(&ledger);
    expect_pass(&passes);
    expect_divided(&divided);
    expect_same(&same);
}

/* --- the shipped ones --- */

static const struct shipped {
    const char *file, *set;
    bool loses;
} shipped[] = {
    {"etcd", NULL, false},
    {"redis", NULL, true},
    {"redis", "wait_for=1", false},
    {"postgres", NULL, true},
    {"postgres", "sync=ANY 1 (pg2)", false},
};
enum { N_SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

static void run_shipped(const struct shipped *s)
{
    struct e2e t;
    char file[80];
    e2e_begin(&t);
    (void)snprintf(file, sizeof(file), "scenarios/ledgers/%s.yaml", s->file);
    e2e_start(&t, (const char *const[]){"run", "--store", "", "--out", t.out, file,
                                        s->set != NULL ? "--set" : NULL, s->set, NULL});
    (void)e2e_wait(&t, LONG_S);
    const json_t *l = ledger_of(&t, "orders");
    int lost = (int)e2e_number(l, "lost_lower");
    printf("\n    figure: %s%s%s: %d of %d acknowledged writes lost, %d unknown, %d rounds\n    ",
           s->file, s->set != NULL ? " " : "", s->set != NULL ? s->set : "", lost,
           (int)e2e_number(l, "acknowledged"), (int)e2e_number(l, "unknown"),
           (int)e2e_number(l, "rounds"));
    e2e_expect_verdict(&t, s->loses ? 1 : 0, s->loses ? "fail" : "pass");
    CU_ASSERT_EQUAL(lost > 0, s->loses);
    CU_ASSERT_EQUAL((int)e2e_number(l, "lost_upper"), lost);
    CU_ASSERT_EQUAL((int)e2e_number(l, "phantoms"), 0);
    CU_ASSERT_EQUAL((int)e2e_number(l, "strange"), 0);
    CU_ASSERT_TRUE(json_is_true(json_object_get(l, "views_agree")));
    e2e_expect_gone(&t, 5);
    e2e_end(&t);
}

static void test_shipped(void)
{
    const char *full = getenv("BLACKSTART_FULL"), *only = getenv("LEDGER_SCENARIO");
    if ((full == NULL || strcmp(full, "yes") != 0) && only == NULL)
        return;
    for (size_t i = 0; i < N_SHIPPED; i++)
        if (only == NULL || strcmp(only, shipped[i].file) == 0)
            run_shipped(&shipped[i]);
}

static void test_none_is_forgotten(void)
{
    CLEANUP_DIR DIR *dir = opendir(SOURCE_DIR "/scenarios/ledgers");
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        bool found = strstr(e->d_name, ".yaml") == NULL;
        for (size_t i = 0; i < N_SHIPPED; i++)
            found = found || strncmp(e->d_name, shipped[i].file, strlen(shipped[i].file)) == 0;
        CU_ASSERT_TRUE(found);
    }
}

int main(void)
{
    static const struct check_test tests[] = {
        {"none is forgotten", test_none_is_forgotten},
        {"runs, and what is left of killed ones", test_small},
        {"shipped scenarios", test_shipped},
    };
    return check_main("ledgers", tests, sizeof(tests) / sizeof(tests[0]));
}
