/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bad/NAME.yaml and, in NAME.expect, the whole text that a person sees. A first line
 * "# set: name=value" stands for --set. BLACKSTART_UPDATE=yes writes the expectations anew, to be
 * read before they are committed.
 */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "check.h"
#include "scenario/scenario.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum { TEXT_MAX = 1 << 20, AT_LEAST = 60 };

static const char folder[] = SOURCE_DIR "/tests/unit/scenario/bad";

static void read_whole(const char *file, struct buf *out)
{
    struct err err;
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        CU_ASSERT_EQUAL(buf_read_fd(out, fd, &err), 0);
}

static void render(const char *file, struct buf *out)
{
    struct scenario *s = NULL;
    struct problems problems = {0};
    struct err err;
    CLEANUP_BUF struct buf yaml = BUF_INIT(TEXT_MAX);
    char name[64] = "", value[64] = "";
    read_whole(file, &yaml);
    int n_sets = sscanf(buf_text(&yaml), "# set: %63[^=]=%63[^\n]", name, value) == 2;
    const struct scenario_set set = {name, value};
    int failed = scenario_load(file, &fault_catalogue, &set, (size_t)n_sets, &s, &problems, &err);
    CU_ASSERT_EQUAL(failed, -1);
    CU_ASSERT_PTR_NULL(s);
    for (size_t i = 0; i < problems.n; i++)
        buf_puts(out, problems.list[i].text);
    if (problems.cut)
        buf_puts(out, "cut\n");
    scenario_free(s);
    problems_free(&problems);
}

static void update(const char *file, const struct buf *text)
{
    FILE *f CLEANUP_FILE = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    (void)fputs(buf_text(text), f);
}

static void check_one(const char *yaml)
{
    CLEANUP_BUF struct buf got = BUF_INIT(TEXT_MAX);
    CLEANUP_BUF struct buf want = BUF_INIT(TEXT_MAX);
    char expect[300];
    (void)snprintf(expect, sizeof(expect), "%.*s.expect", (int)strlen(yaml) - 5, yaml);
    render(yaml, &got);
    const char *again = getenv("BLACKSTART_UPDATE");
    if (again != NULL && strcmp(again, "yes") == 0)
        update(expect, &got);
    read_whole(expect, &want);
    CU_ASSERT_TRUE(got.len != 0);
    bool same = strcmp(buf_text(&got), buf_text(&want)) == 0;
    CU_ASSERT_TRUE(same);
    if (!same)
        (void)printf("\n%s: expected\n%s\ngot\n%s", yaml, buf_text(&want), buf_text(&got));
}

static void test_each(void)
{
    int n = 0;
    DIR *dir CLEANUP_DIR = opendir(folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    CU_ASSERT_EQUAL_FATAL(chdir(folder), 0);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        size_t len = strlen(e->d_name);
        if (len > 5 && strcmp(e->d_name + len - 5, ".yaml") == 0) {
            check_one(e->d_name);
            n++;
        }
    }
    CU_ASSERT_TRUE(n >= AT_LEAST);
    (void)printf("figure: %d wrong scenarios, each with its exact message\n", n);
}

static const struct check_test tests[] = {{"each", test_each}};

CHECK_MAIN("scenario/bad", tests)
