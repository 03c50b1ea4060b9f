/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Run folders as a run that was cut off leaves them, made by the journal's own writer on a shipped
 * scenario, and a look at a store that knows nothing of the store's code: is it sound, and is each
 * run in it whole?
 */
#ifndef BLACKSTART_TESTS_STORE_RIG_H
#define BLACKSTART_TESTS_STORE_RIG_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "cmd/cmd_store.h"
#include "journal/journal.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* TOP/NAME, a run that died in its first trial before anything was injected. */
static inline void store_rig_folder(const char *top, const char *name, int second)
{
    static struct clock clock;
    CLEANUP_FD int fd = open(SOURCE_DIR "/tests/e2e/small.yaml", O_RDONLY | O_CLOEXEC);
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 16);
    CLEANUP_JOURNAL struct journal *j = NULL;
    struct err err = {.msg = ""};
    char dir[256], wall[32];
    (void)snprintf(dir, sizeof(dir), "%s/%s", top, name);
    (void)snprintf(wall, sizeof(wall), "2026-03-01T12:%02d:%02dZ", second / 60, second % 60);
    clock_virtual(&clock, 0);
    bool ok =
        mkdir(dir, 0755) == 0 && buf_read_fd(&text, fd, &err) == 0 &&
        journal_create(dir, &clock, &j, &err) == 0 &&
        journal_append(j, "run.start",
                       json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:{}}", "format", 1, "run",
                                 name, "wall", wall, "scenario", "small", "file", "small.yaml",
                                 "text", buf_text(&text), "sha256", "0", "vars"),
                       &err) == 0 &&
        journal_append(j, "trial.start", json_pack("{s:i, s:b}", "trial", 0, "fault_free", 0),
                       &err) == 0;
    CU_ASSERT_TRUE(ok);
}

/* The first column of the first row; -1 when it cannot be read. */
static inline int64_t store_rig_number(const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_busy_timeout(db, 5000) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    (void)sqlite3_finalize(st);
    (void)sqlite3_close(db);
    return n;
}

static inline bool store_rig_is_sound(const char *file)
{
    return store_rig_number(file, "SELECT integrity_check = 'ok' FROM pragma_integrity_check") ==
               1 &&
           store_rig_number(file, "SELECT count(*) FROM pragma_foreign_key_check") == 0;
}

/* Runs in it; -1 when one is there in part. */
static inline int64_t store_rig_runs(const char *file)
{
    int64_t whole =
        store_rig_number(file, "SELECT count(*) FROM runs r WHERE "
                               "(SELECT count(*) FROM targets t WHERE t.run_id = r.id) = 2 AND "
                               "(SELECT count(*) FROM trials t WHERE t.run_id = r.id) = 1 AND "
                               "(SELECT count(*) FROM figures f WHERE f.run_id = r.id) = 2");
    return whole == store_rig_number(file, "SELECT count(*) FROM runs") ? whole : -1;
}

/* What `blackstart history` does first. */
static inline int store_rig_catch_up(const char *file, const char *dir, struct err *err)
{
    CLEANUP_STORE struct store *s = NULL;
    CLEANUP_CAUGHT_UP struct cmd_caught_up c = {.added = 0};
    if (store_open(file, STORE_MAKE, &s, err) != 0)
        return -1;
    return cmd_store_catch_up(s, dir, false, &c, err);
}

static inline int store_rig_remove_one(const char *path, const struct stat *st, int flag,
                                       struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static inline void store_rig_remove(const char *dir)
{
    (void)nftw(dir, store_rig_remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

#endif
