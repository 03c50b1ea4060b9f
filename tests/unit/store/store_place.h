/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A store in a directory of its own, for the tests of it. */
#ifndef BLACKSTART_TESTS_STORE_PLACE_H
#define BLACKSTART_TESTS_STORE_PLACE_H

#include "check.h"
#include "store/store_parts.h"

#include "../analysis/story.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OUTAGE                                                                                     \
    "..............................xxxxxxxxxxxxxxx........................................"        \
    "............................"

#define QUIET                                                                                      \
    "....................................................................................."        \
    "............................"

static char dir[] = "/tmp/blackstart-store-XXXXXX", file[64];

static inline void begin(void)
{
    (void)snprintf(dir, sizeof(dir), "/tmp/blackstart-store-XXXXXX");
    if (mkdtemp(dir) == NULL)
        abort();
    (void)snprintf(file, sizeof(file), "%s/history.db", dir);
}

static inline int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void end(void)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *must_open(void)
{
    struct store *s = NULL;
    struct err err = {.msg = ""};
    if (store_open(file, STORE_MAKE, &s, &err) != 0)
        printf("\n  %s\n", err.msg);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

/* The story under another name. */
static inline void record(struct store *s, struct story_told *t, const char *run, const char *wall,
                          const char *scenario)
{
    struct store_folder folder = {.journal_size = 5, .journal_mtime_ns = 7};
    struct err err = {.msg = ""};
    (void)snprintf(folder.path, sizeof(folder.path), "folder-of-%s", run);
    t->history->run = run;
    t->history->wall = wall;
    t->history->scenario = scenario;
    t->history->version = "0.1.0";
    CU_ASSERT_EQUAL(store_record(s, t->history, t->analysis, &folder, &err), 0);
    CU_ASSERT_STRING_EQUAL(err.msg, "");
}

static inline size_t count(struct store *s, const struct store_filter *f)
{
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct err err;
    CU_ASSERT_EQUAL(store_list(s, f, &list, &err), 0);
    return list.n;
}

static inline int64_t number(struct store *s, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    CU_ASSERT_EQUAL(sqlite3_prepare_v2(s->db, sql, -1, &st, NULL), SQLITE_OK);
    if (st != NULL && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    return n;
}

#endif
