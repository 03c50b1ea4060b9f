/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writer writes the reader reads; what a killed run leaves is read as far as it goes. */
#include "base/cleanup.h"
#include "check.h"
#include "journal/history.h"
#include "journal/journal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static struct clock now;

static void directory_make(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/blackstart-test-journal-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    clock_virtual(&now, 5);
}

static void directory_remove(void)
{
    static const char *const names[] = {JOURNAL_FILE, "samples-0000.bin", "samples-0001.bin",
                                        "samples-0002.bin", "samples-0001.tail"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static json_t *start_members(void)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:I, s:i}", "format", 1, "run", "r1", "text",
                     "version: 1\n", "file", "a.yaml", "sha256", "00", "seed", (json_int_t)42,
                     "trials", 2);
}

static struct sample sample_at(uint32_t trial, uint32_t slot)
{
    int64_t due = (int64_t)slot * 100;
    return (struct sample){
        .due_ns = due, .sent_ns = due + 1, .done_ns = due + 9, .slot = slot, .trial = trial};
}

static void run_write(uint32_t n, bool complete)
{
    struct err err;
    CLEANUP_JOURNAL struct journal *j = NULL;
    CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, &j, &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "run.start", start_members(), &err), 0);
    for (uint32_t t = 0; t < 2; t++) {
        CU_ASSERT_EQUAL(journal_append(j, "trial.start", json_pack("{s:i}", "trial", t), &err), 0);
        /* Backwards: the reader puts them in order. */
        for (uint32_t i = n; i-- > 0;) {
            struct sample s = sample_at(t, i);
            CU_ASSERT_EQUAL(journal_samples_add(j, t, &s, 1, &err), 0);
        }
        if (complete || t == 0)
            CU_ASSERT_EQUAL(journal_samples_end(j, &err), 0);
        CU_ASSERT_EQUAL(journal_append_at(j, 900, "trial.end", json_object(), &err), 0);
    }
    CU_ASSERT_EQUAL(journal_sync(j, &err), 0);
}

static void test_written_is_read(void)
{
    directory_make();
    run_write(7, true);
    struct err err = {.msg = ""};
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    if (h != NULL) {
        CU_ASSERT_STRING_EQUAL(h->text, "version: 1\n");
        CU_ASSERT_EQUAL(h->seed, 42);
        CU_ASSERT_EQUAL(h->n_trials, 2);
        CU_ASSERT_EQUAL(h->trials[1].n_samples, 7);
        CLEANUP_FREE struct sample *s = NULL;
        size_t n = 0;
        CU_ASSERT_EQUAL(history_samples_of(h, &h->trials[1], 0, &s, &n, &err), 0);
        CU_ASSERT_EQUAL_FATAL(n, 7);
        CU_ASSERT_EQUAL(s[3].slot, 3);
        CU_ASSERT_EQUAL(s[3].trial, 1);
        CU_ASSERT_EQUAL(h->trials[0].end_ns, 900);
        CU_ASSERT_EQUAL(h->files_unfinished, 0);
        CU_ASSERT_FALSE(h->torn);
    }
    struct journal *again = NULL;
    CU_ASSERT_EQUAL(journal_create(dir, &now, &again, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    directory_remove();
}

static void file_cut(const char *name, off_t by)
{
    char path[128];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
    CU_ASSERT_EQUAL(truncate(path, st.st_size - by), 0);
}

static void test_torn_tails_are_dropped(void)
{
    directory_make();
    run_write(7, false);
    file_cut("samples-0001.tail", 10);
    file_cut(JOURNAL_FILE, 3);
    struct err err = {.msg = ""};
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    if (h != NULL) {
        CU_ASSERT_TRUE(h->torn);
        CU_ASSERT_EQUAL(h->files_unfinished, 1);
        CU_ASSERT_EQUAL(h->trials[0].n_samples, 7);
        CU_ASSERT_EQUAL(h->trials[1].n_samples, 6);
        CU_ASSERT_EQUAL(h->trials[1].end_ns, HISTORY_UNKNOWN);
    }
    directory_remove();
}

static void test_a_changed_sample_file_is_noticed(void)
{
    directory_make();
    run_write(7, true);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/samples-0000.bin", dir);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(pwrite(fd, "x", 1, 16 + 40), 1);
    struct err err;
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "samples-0000.bin is not as it was"));
    directory_remove();
}

static void test_long_trials_go_on_in_the_next_file(void)
{
    directory_make();
    struct err err;
    {
        CLEANUP_JOURNAL struct journal *j = NULL;
        CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, &j, &err), 0);
        CU_ASSERT_EQUAL(journal_append(j, "run.start", start_members(), &err), 0);
        CU_ASSERT_EQUAL(journal_append(j, "trial.start", json_pack("{s:i}", "trial", 0), &err), 0);
        enum { N = JOURNAL_SAMPLE_FILE_MAX / 48 + 50 };
        struct sample *many = calloc(N, sizeof(*many));
        for (uint32_t i = 0; i < N; i++)
            many[i] = sample_at(0, i);
        CU_ASSERT_EQUAL(journal_samples_add(j, 0, many, N, &err), 0);
        CU_ASSERT_EQUAL(journal_samples_end(j, &err), 0);
        free(many);
    }
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    if (h != NULL) {
        CU_ASSERT_EQUAL(h->n_samples, JOURNAL_SAMPLE_FILE_MAX / 48 + 50);
        CU_ASSERT_EQUAL(h->files_unfinished, 0);
    }
    directory_remove();
}

static void test_members_that_are_no_json_are_refused(void)
{
    directory_make();
    struct err err;
    CLEANUP_JOURNAL struct journal *j = NULL;
    CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, &j, &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "log", json_pack("{s:s}", "what", "\xff\xfe"), &err), -1);
    CU_ASSERT_EQUAL(journal_append(j, "run.start", start_members(), &err), 0);
    directory_remove();
}

/* Also after this very process has read it meanwhile, as a series does between its trials. */
static void test_an_open_journal_is_known_to_be(void)
{
    directory_make();
    struct err err;
    struct journal *j = NULL;
    CLEANUP_HISTORY struct history *h = NULL;
    CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, &j, &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "run.start", start_members(), &err), 0);
    CU_ASSERT_TRUE(journal_is_open(dir));
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    CU_ASSERT_TRUE(journal_is_open(dir));
    journal_close(j);
    CU_ASSERT_FALSE(journal_is_open(dir));
    directory_remove();
    CU_ASSERT_FALSE(journal_is_open(dir));
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    CU_ASSERT_EQUAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file whose head found no room is not named: what is there can be read all the same. */
static void test_no_room_for_a_sample_file(void)
{
    struct err err = {.msg = ""};
    struct sample s = sample_at(0, 0);
    CLEANUP_JOURNAL struct journal *j = NULL;
    CLEANUP_HISTORY struct history *h = NULL;
    directory_make();
    (void)signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, &j, &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "run.start", start_members(), &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "trial.start", json_pack("{s:i}", "trial", 0), &err), 0);
    limit_files(4);
    CU_ASSERT_EQUAL(journal_samples_add(j, 0, &s, 1, &err), -1);
    limit_files(RLIM_INFINITY);
    s = sample_at(0, 1); /* there is room again, too late */
    CU_ASSERT_EQUAL(journal_samples_add(j, 0, &s, 1, &err), -1);
    CU_ASSERT_EQUAL(journal_samples_end(j, &err), 0);
    CU_ASSERT_EQUAL(journal_append(j, "run.end", json_pack("{s:b}", "aborted", 1), &err), 0);
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    if (err.msg[0] != '\0' && h == NULL)
        (void)printf("\n  %s\n", err.msg);
    char tail[128];
    (void)snprintf(tail, sizeof(tail), "%s/samples-0000.tail", dir);
    (void)unlink(tail);
    directory_remove();
}

static const struct check_test tests[] = {
    {"what is written is read", test_written_is_read},
    {"no room for a sample file", test_no_room_for_a_sample_file},
    {"torn tails are dropped", test_torn_tails_are_dropped},
    {"a changed sample file is noticed", test_a_changed_sample_file_is_noticed},
    {"long trials go on in the next file", test_long_trials_go_on_in_the_next_file},
    {"an open journal is known to be", test_an_open_journal_is_known_to_be},
    {"members that are no JSON are refused", test_members_that_are_no_json_are_refused},
};

CHECK_MAIN("journal", tests)
