/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sample files of both versions: what is in them is read, in order; what a killed run left of them,
 * or somebody changed, is read as far as it is sound. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "journal/block.h"
#include "journal/history.h"
#include "journal/journal.h"
#include "journal/samples_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EVERY = 10 * NS_PER_MS, PROBES = 3 };

static char dir[64];
static struct clock now;

static char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void directory_make(void)
{
    (void)snprintf(dir, sizeof(dir), "/dev/shm/blackstart-test-samples-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    clock_virtual(&now, 5);
}

static void directory_remove(void)
{
    static const char *const names[] = {JOURNAL_FILE, "samples-0000.bin", "samples-0000.tail",
                                        "samples-0001.bin"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unlink(path_of(names[i]));
    CU_ASSERT_EQUAL(rmdir(dir), 0);
}

/* Sample i of a run as it comes from the pipes: three probes in turn; each seventh answer is slow
 * and comes when forty others have. */
static struct sample sample_at(uint32_t i)
{
    uint32_t slot = i / PROBES;
    int64_t due = (int64_t)slot * EVERY + 1234567;
    return (struct sample){.due_ns = due,
                           .sent_ns = due + 7000,
                           .done_ns = due + 7000 + (slot % 7 == 0 ? 40 * EVERY : 250000),
                           .slot = slot,
                           .probe = (uint16_t)(i % PROBES),
                           .result = SAMPLE_GOOD,
                           .send_ns = 3000};
}

static int by_done(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (a->done_ns != b->done_ns)
        return a->done_ns < b->done_ns ? -1 : 1;
    return sample_compare(a, b);
}

static struct sample *samples_make(uint32_t n)
{
    struct sample *list = calloc(n, sizeof(*list));
    CU_ASSERT_PTR_NOT_NULL_FATAL(list);
    for (uint32_t i = 0; i < n; i++)
        list[i] = sample_at(i);
    qsort(list, n, sizeof(*list), by_done);
    return list;
}

static void journal_begin(struct journal **ret)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(journal_create(dir, &now, ret, &err), 0);
    CU_ASSERT_EQUAL(journal_append(*ret, "run.start",
                                   json_pack("{s:i, s:s, s:s, s:s, s:s}", "format", 1, "run", "r1",
                                             "text", "", "file", "a.yaml", "sha256", "00"),
                                   &err),
                    0);
    CU_ASSERT_EQUAL(journal_append(*ret, "trial.start", json_pack("{s:i}", "trial", 0), &err), 0);
}

/* In portions, as pipes give them. */
static void samples_add(struct journal *j, const struct sample *list, uint32_t n)
{
    struct err err = {.msg = ""};
    for (uint32_t at = 0, more; at < n; at += more) {
        more = n - at < 100 ? n - at : 100;
        CU_ASSERT_EQUAL(journal_samples_add(j, 0, list + at, more, &err), 0);
    }
    CU_ASSERT_STRING_EQUAL(err.msg, "");
}

static void run_write(uint32_t n, bool complete)
{
    CLEANUP_JOURNAL struct journal *j = NULL;
    CLEANUP_FREE struct sample *list = samples_make(n);
    struct err err;
    journal_begin(&j);
    samples_add(j, list, n);
    if (complete)
        CU_ASSERT_EQUAL(journal_samples_end(j, &err), 0);
}

static void file_write(const char *name, const void *data, size_t len)
{
    CLEANUP_FD int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL(write(fd, data, len), (ssize_t)len);
}

static void file_read(const char *name, struct buf *ret)
{
    struct err err;
    CLEANUP_FD int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(buf_read_fd(ret, fd, &err), 0);
}

/* How many of the first n samples of the run are there; each as it was, in order, and once. */
static uint32_t run_count(uint32_t n)
{
    CLEANUP_HISTORY struct history *h = NULL;
    struct err err = {.msg = ""};
    uint32_t seen = 0;
    CU_ASSERT_EQUAL(history_load(dir, &h, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
    for (size_t p = 0; h != NULL && p < PROBES; p++) {
        CLEANUP_FREE struct sample *list = NULL;
        size_t got = 0;
        CU_ASSERT_EQUAL(history_samples_of(h, &h->trials[0], p, &list, &got, &err), 0);
        CU_ASSERT_STRING_EQUAL(err.msg, "");
        for (size_t i = 0; i < got; i++) {
            struct sample s = sample_at(list[i].slot * PROBES + (uint32_t)p);
            CU_ASSERT_TRUE(sample_round(&s));
            CU_ASSERT_TRUE(list[i].slot * PROBES + p < n && memcmp(&s, &list[i], sizeof(s)) == 0);
            CU_ASSERT_TRUE(i == 0 || list[i - 1].slot < list[i].slot);
        }
        seen += (uint32_t)got;
    }
    return seen;
}

static void test_slow_answers_stand_in_their_slot(void)
{
    enum { N = 3 * BLOCK_SAMPLES_MAX + 777 };
    directory_make();
    run_write(N, true);
    CU_ASSERT_EQUAL(run_count(N), N);
    CU_ASSERT_EQUAL(access(path_of("samples-0000.tail"), F_OK), -1);
    directory_remove();
}

static void test_a_killed_run_loses_nothing(void)
{
    static const uint32_t counts[] = {0,
                                      1,
                                      99,
                                      BLOCK_SAMPLES_MAX - 1,
                                      BLOCK_SAMPLES_MAX,
                                      BLOCK_SAMPLES_MAX + 1,
                                      2 * BLOCK_SAMPLES_MAX + 500};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        directory_make();
        run_write(counts[i], false);
        CU_ASSERT_EQUAL(run_count(counts[i]), counts[i]);
        directory_remove();
    }
}

/* Killed when the blocks stand and the tail is not empty yet: what is in both counts once. */
static void test_killed_between_block_and_tail(void)
{
    enum { N = BLOCK_SAMPLES_MAX };
    struct err err;
    CLEANUP_BUF struct buf tail = BUF_INIT(4 << 20);
    CLEANUP_FREE struct sample *list = samples_make(N);
    directory_make();
    {
        CLEANUP_JOURNAL struct journal *j = NULL;
        journal_begin(&j);
        samples_add(j, list, N - 84);
        file_read("samples-0000.tail", &tail);
        CU_ASSERT_EQUAL(journal_samples_add(j, 0, list + N - 84, 84, &err), 0);
    }
    struct stat st;
    CU_ASSERT_EQUAL(stat(path_of("samples-0000.tail"), &st), 0);
    CU_ASSERT_EQUAL(st.st_size, 8);
    file_write("samples-0000.tail", tail.data, tail.len);
    CU_ASSERT_EQUAL(run_count(N), N);
    directory_remove();
}

/* Of a file that was cut after any number of bytes the whole blocks are read. */
static void test_torn_after_every_byte(void)
{
    enum { N = 300 };
    CLEANUP_BUF struct buf tail = BUF_INIT(1 << 20);
    directory_make();
    run_write(N, false);
    file_read("samples-0000.tail", &tail);
    uint32_t before = 0;
    for (size_t len = 0; len <= tail.len; len++) {
        struct samples_parts parts = {.list = NULL};
        struct samples_found found;
        struct err err;
        CU_ASSERT_EQUAL_FATAL(truncate(path_of("samples-0000.tail"), 0), 0);
        file_write("samples-0000.tail", tail.data, len);
        CLEANUP_FD int fd = open(path_of("samples-0000.tail"), O_RDONLY | O_CLOEXEC);
        int r = samples_file_scan(fd, 0, true, &parts, &found, &err);
        CU_ASSERT_EQUAL(r, len < 8 ? -1 : 0);
        CU_ASSERT_TRUE(parts.samples >= before && parts.samples <= N);
        /* Torn, unless the cut is where a block ends. */
        bool grown = parts.samples > before;
        CU_ASSERT_TRUE(r != 0 || found.torn != (grown || len == 8));
        before = (uint32_t)parts.samples;
        if (len % 97 == 0 || len == tail.len)
            CU_ASSERT_EQUAL(run_count(N), before);
        samples_parts_free(&parts);
    }
    CU_ASSERT_EQUAL(before, N);
    directory_remove();
}

static void test_a_changed_block_is_told_with_its_place(void)
{
    CLEANUP_BUF struct buf tail = BUF_INIT(1 << 20);
    directory_make();
    run_write(300, false);
    file_read("samples-0000.tail", &tail);
    tail.data[tail.len - 5] = (char)(tail.data[tail.len - 5] ^ 4);
    file_write("samples-0000.tail", tail.data, tail.len);
    struct samples_parts parts = {.list = NULL};
    struct samples_found found;
    struct err err;
    CLEANUP_FD int fd = open(path_of("samples-0000.tail"), O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL(samples_file_scan(fd, 0, true, &parts, &found, &err), 0);
    CU_ASSERT_TRUE(found.torn && parts.samples < 300 && parts.samples > 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(found.why.msg, "the block's check sum is wrong"));
    samples_parts_free(&parts);
    directory_remove();
}

/* What a run of an earlier version left: the same samples, and the same is read. */
static void test_version_1_is_read(void)
{
    enum { N = 20000 };
    static const uint32_t words[] = {sizeof(struct sample), 0x01020304};
    CLEANUP_FREE struct sample *list = samples_make(N);
    CLEANUP_BUF struct buf b = BUF_INIT(4 << 20);
    for (size_t i = 0; i < N; i++)
        CU_ASSERT_TRUE(sample_round(&list[i]));
    buf_add(&b, "BSTSAMP1", 8);
    buf_add(&b, words, sizeof(words));
    buf_add(&b, list, N * sizeof(*list));
    directory_make();
    run_write(0, false);
    file_write("samples-0000.bin", b.data, b.len);
    CU_ASSERT_EQUAL(run_count(N), N);
    file_write("samples-0000.bin", b.data, b.len - 5);
    CU_ASSERT_EQUAL(run_count(N), N - 1);
    directory_remove();
}

static const struct check_test tests[] = {
    {"slow answers stand in their slot", test_slow_answers_stand_in_their_slot},
    {"a killed run loses nothing", test_a_killed_run_loses_nothing},
    {"killed between block and tail", test_killed_between_block_and_tail},
    {"torn after every byte", test_torn_after_every_byte},
    {"a changed block is told with its place", test_a_changed_block_is_told_with_its_place},
    {"version 1 is read", test_version_1_is_read},
};

CHECK_MAIN("samples file", tests)
