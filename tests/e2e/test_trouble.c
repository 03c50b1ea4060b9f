/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person reads when a run cannot do its work: the cause, in the verdict's own line. */
#include "e2e.h"

#include <sched.h>
#include <sys/mount.h>

#define SMALL  "tests/e2e/small.yaml"
#define PROVEN "\"proven\":true"

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (; text != NULL && (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

static void test_a_bad_baseline(void)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "--set", "path=nothing", "--set",
                                        "steady_within=2s", SMALL, NULL});
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 3, "invalid");
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"),
                                  "get was not good for 500ms within 2s: the last answers were: "));
    CLEANUP_FREE char *said = e2e_read(t.dir, "stdout");
    CU_ASSERT_EQUAL(count(said, "waiting for the steady state: get is bad ("), 1);
    e2e_end_clean(&t, 2);
}

/* A small file system of the test's own at `out`, in its own mount namespace. */
static bool mount_out(const struct e2e *t)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mkdir(t->out, 0700) == 0 && mount("tmpfs", t->out, "tmpfs", 0, "size=4m") == 0;
}

static void fill_out(const struct e2e *t)
{
    static const char zeros[4096];
    char path[120];
    (void)snprintf(path, sizeof(path), "%s/filler", t->out);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        ;
    CU_ASSERT_EQUAL(errno, ENOSPC);
}

static void expect_said(const struct e2e *t, const char *out, const char *errors)
{
    CLEANUP_FREE char *text = e2e_read(t->dir, "stdout"), *said = e2e_read(t->dir, "stderr");
    bool found =
        text != NULL && said != NULL && strstr(text, out) != NULL && strstr(said, errors) != NULL;
    if (!found)
        fprintf(stderr, "expected %s and %s, got\n%s%s", out, errors, text, said);
    CU_ASSERT_TRUE(found);
}

static void test_a_report_on_a_full_file_system(void)
{
    struct e2e t;
    e2e_begin(&t);
    CU_ASSERT_TRUE_FATAL(mount_out(&t));
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SMALL, NULL});
    (void)e2e_wait(&t, 40);
    e2e_expect_verdict(&t, 0, "pass");
    fill_out(&t);
    json_decref(t.result);
    e2e_start(&t, (const char *const[]){"report", t.out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 20), 3);
    expect_said(&t, "pass", "out/result.json: No space left on device");
    json_decref(t.result);
    e2e_start(&t, (const char *const[]){"report", "--json", t.out, NULL});
    CU_ASSERT_EQUAL(e2e_wait(&t, 20), 3);
    json_t *document = e2e_json(t.dir, "stdout"); /* one alone, that of the result */
    CU_ASSERT_STRING_EQUAL(e2e_text(document, "verdict"), "pass");
    json_decref(document);
    (void)umount(t.out);
    e2e_end(&t);
}

static void test_a_run_on_a_full_file_system(void)
{
    struct e2e t;
    e2e_begin(&t);
    CU_ASSERT_TRUE_FATAL(mount_out(&t));
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, SMALL, NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, "\"ev\":\"applied\"", 30));
    fill_out(&t);
    CU_ASSERT_EQUAL(e2e_wait(&t, 40), 3);
    expect_said(&t, "inconclusive", "out/result.json: No space left on device");
    expect_said(&t, "inconclusive", "blackstart run: ");
    e2e_expect_gone(&t, 5);
    (void)umount(t.out);
    e2e_end(&t);
}

/* Full before its first line, which leaves nothing to be judged, or before its first sample. */
static void test_no_room_from_the_start(void)
{
    static const char *const sizes[] = {"size=8k", "size=4k", "size=8k"};
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct e2e t;
        bool json = i % 2 != 0;
        e2e_begin(&t);
        CU_ASSERT_EQUAL_FATAL(unshare(CLONE_NEWNS), 0);
        CU_ASSERT_EQUAL_FATAL(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        CU_ASSERT_EQUAL_FATAL(mkdir(t.out, 0700), 0);
        CU_ASSERT_EQUAL_FATAL(mount("tmpfs", t.out, "tmpfs", 0, sizes[i / 2]), 0);
        if (i < 2)
            fill_out(&t);
        e2e_start(&t, (const char *const[]){"run", json ? "--json" : "--quiet", "--out", t.out,
                                            SMALL, NULL});
        CU_ASSERT_EQUAL(e2e_wait(&t, 40), 3);
        expect_said(&t, "", "No space left on device");
        if (i < 2)
            expect_said(&t, "", "blackstart: write to the journal: No space left on device; ");
        if (json || i >= 2)
            expect_said(&t, "No space left on device", "");
        e2e_expect_gone(&t, 5);
        (void)umount(t.out);
        e2e_end(&t);
    }
}

/* Whoever removes the folder of a run that goes on is told, and what became of the faults. */
static void test_the_folder_is_removed(void)
{
    static const char *const whens[] = {"\"ev\":\"lab.up\"", PROVEN};
    char line[160];
    for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
        struct e2e t;
        e2e_begin(&t);
        e2e_start(&t, (const char *const[]){"run", "--quiet", "--out", t.out, SMALL, NULL});
        CU_ASSERT_TRUE(e2e_wait_journal(&t, whens[i], 30));
        (void)snprintf(line, sizeof(line), "rm -rf %s", t.out);
        CU_ASSERT_EQUAL(shell_run(line), 0);
        CU_ASSERT_EQUAL(e2e_wait(&t, 40), 3);
        (void)snprintf(line, sizeof(line), "blackstart: the run's folder %s has vanished", t.out);
        expect_said(&t, "", line);
        expect_said(&t, "", "; no fault is on any more, and the hosts are clean\n");
        e2e_expect_gone(&t, 5);
        e2e_end(&t);
    }
}

/* The first child with this parent; 0: none. */
static pid_t child_of(pid_t parent)
{
    char path[64];
    int pid = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
    FILE *f = fopen(path, "re");
    if (f != NULL && fscanf(f, "%d", &pid) != 1)
        pid = 0;
    if (f != NULL)
        (void)fclose(f);
    return pid;
}

/* The run's lab, or its first host, is killed under the fault. */
static void kill_and_expect(bool host, const char *when, const char *why, const char *not_said)
{
    struct e2e t;
    e2e_begin(&t);
    e2e_start(&t, (const char *const[]){"run", "--out", t.out, "--set", "length=5s", SMALL, NULL});
    CU_ASSERT_TRUE(e2e_wait_journal(&t, when, 30));
    pid_t victim = child_of(t.pid);
    if (host && victim > 0)
        victim = child_of(victim);
    CU_ASSERT_FATAL(victim > 0);
    (void)kill(victim, SIGKILL);
    int64_t killed = clock_system(CLOCK_MONOTONIC);
    (void)e2e_wait(&t, 40);
    CU_ASSERT(clock_system(CLOCK_MONOTONIC) - killed < 4 * NS_PER_SEC);
    e2e_expect_verdict(&t, 3, "inconclusive");
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t.result, "why"), why));
    CLEANUP_FREE char *said = e2e_read(t.dir, "stdout");
    CU_ASSERT_EQUAL(count(said, not_said), 0);
    if (count(said, not_said) != 0 || strstr(e2e_text(t.result, "why"), why) == NULL)
        fprintf(stderr, "%s\n", said);
    e2e_expect_gone(&t, 12);
    e2e_end(&t);
}

static void test_the_lab_is_killed(void)
{
    kill_and_expect(false, PROVEN, "the lab ended", "CLEAN");
    kill_and_expect(false, PROVEN, "the lab ended", "PUT BACK");
}

static void test_a_host_is_killed(void)
{
    kill_and_expect(true, PROVEN, "host n1 died", "host n1 is clean");
    kill_and_expect(true, "\"ev\":\"applied\"", "host n1 died", "not proven");
    kill_and_expect(true, "\"ev\":\"steady\"", "host n1 died", "the agent of n1 is gone");
}

static const struct check_test tests[] = {
    {"a bad baseline", test_a_bad_baseline},
    {"the lab is killed", test_the_lab_is_killed},
    {"a host is killed", test_a_host_is_killed},
    {"a report on a full file system", test_a_report_on_a_full_file_system},
    {"a run on a full file system", test_a_run_on_a_full_file_system},
    {"no room from the start", test_no_room_from_the_start},
    {"the folder is removed", test_the_folder_is_removed},
};

CHECK_MAIN("trouble", tests)
