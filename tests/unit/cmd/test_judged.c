/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with a run's folder is said once, with the folder's name. */
#include "cmd/judged.h"

#include "check.h"
#include "store_rig.h"

static char top[] = "/tmp/blackstart-judged-XXXXXX", dir[64];

static void journal_write(const char *text, size_t len)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/journal.ndjson", dir);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
}

static void expect_said(const char *what)
{
    CLEANUP_JUDGED struct judged j;
    struct err err = {.msg = ""};
    char head[80];
    CU_ASSERT_EQUAL(judged_load(dir, &j, &err), -1);
    (void)snprintf(head, sizeof(head), "%s: ", dir);
    const char *rest = strstr(err.msg, head);
    if (rest != err.msg || strstr(rest + 1, dir) != NULL || strstr(rest, what) == NULL) {
        (void)printf("\n  wanted \"%s%s\", got \"%s\"\n", head, what, err.msg);
        CU_FAIL("another message");
    }
}

static void test_broken_folders(void)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
    (void)snprintf(dir, sizeof(dir), "%s/run", top);
    store_rig_folder(top, "run", 0);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
    CLEANUP_JUDGED struct judged j;
    char path[128];
    struct err err = {.msg = ""};
    (void)snprintf(path, sizeof(path), "%s/journal.ndjson", dir);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(buf_read_fd(&text, fd, &err), 0);
    CU_ASSERT_EQUAL(judged_load(dir, &j, &err), 0);
    journal_write("", 0);
    expect_said("journal.ndjson has no whole line");
    journal_write("{\"ev\":garbage}\n", 15);
    expect_said("journal.ndjson:1:");
    char *probes = strstr(text.data, "probes:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(probes);
    probes[2] = 'X';
    journal_write(text.data, text.len);
    expect_said("the journal's scenario: ");
    store_rig_remove(top);
}

static const struct check_test tests[] = {
    {"broken folders", test_broken_folders},
};

CHECK_MAIN("judged", tests)
