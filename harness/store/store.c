/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file: opened, checked, locked; its statements. */
#include "base/cleanup.h"
#include "base/utf8.h"
#include "store/store_parts.h"

#include <errno.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The mend is for a file of ours alone: it moves the file away. */
static int damaged(const struct store *s, const char *why, struct err *err)
{
    if (!store_may_be_ours(s->file))
        return make_error(err, ERR_REFUSED, 0,
                          "%s is no store of runs (%.120s); name another file by --store", s->file,
                          why);
    return make_error(err, ERR_SYSTEM, 0,
                      "%s is damaged (%.120s); `blackstart history --rebuild --store %s` moves it "
                      "aside and makes it anew from the runs' folders",
                      s->file, why, s->file);
}

int store_failed(const struct store *s, const char *what, struct err *err)
{
    int code = sqlite3_extended_errcode(s->db);
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) /* its errno is not kept */
        return make_error(err, ERR_SYSTEM, 0, "%s %s: the disk is full or failing", what, s->file);
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return damaged(s, sqlite3_errmsg(s->db), err);
    case SQLITE_BUSY:
        return make_error(err, ERR_TIMEOUT, 0, "%s %s: another process has held it for %.1f s",
                          what, s->file, s->busy_ms / 1000.0);
    case SQLITE_FULL:
        return make_error(err, ERR_SYSTEM, ENOSPC, "%s %s", what, s->file);
    case SQLITE_READONLY:
        return make_error(err, ERR_SYSTEM, 0, "%s %s: it, or its directory, may not be written to",
                          what, s->file);
    default:
        return make_error(err, ERR_SYSTEM, sqlite3_system_errno(s->db), "%s %s: %s", what, s->file,
                          sqlite3_errmsg(s->db));
    }
}

int store_prepare(const struct store *s, const char *what, const char *sql,
                  struct store_statement *ret, struct err *err)
{
    *ret = (struct store_statement){.store = s, .what = what, .rc = SQLITE_OK};
    return sqlite3_prepare_v2(s->db, sql, -1, &ret->stmt, NULL) == SQLITE_OK
               ? 0
               : store_failed(s, what, err);
}

static void put_result(struct store_statement *st, int rc)
{
    if (rc != SQLITE_OK)
        st->rc = rc;
}

void store_put_text(struct store_statement *st, const char *text)
{
    put_result(st, text != NULL ? sqlite3_bind_text(st->stmt, ++st->n, text, -1, SQLITE_TRANSIENT)
                                : sqlite3_bind_null(st->stmt, ++st->n));
}

void store_put_int(struct store_statement *st, int64_t value)
{
    put_result(st, sqlite3_bind_int64(st->stmt, ++st->n, value));
}

void store_put_real(struct store_statement *st, double value)
{
    put_result(st, isfinite(value) ? sqlite3_bind_double(st->stmt, ++st->n, value)
                                   : sqlite3_bind_null(st->stmt, ++st->n));
}

int store_step(struct store_statement *st, struct err *err)
{
    int rc = st->rc == SQLITE_OK ? sqlite3_step(st->stmt) : st->rc;
    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        return store_failed(st->store, st->what, err);
    (void)sqlite3_reset(st->stmt);
    st->n = 0;
    return 0;
}

void store_finish(struct store_statement *st)
{
    (void)sqlite3_finalize(st->stmt); /* NULL is allowed */
    st->stmt = NULL;
}

const char *store_text(const struct store_statement *st, int column, struct arena *arena)
{
    const unsigned char *text = sqlite3_column_text(st->stmt, column);
    int len = sqlite3_column_bytes(st->stmt, column);
    char *copy = text != NULL ? arena_strndup(arena, (const char *)text, (size_t)len) : NULL;
    if (copy == NULL)
        return "";
    utf8_clean(copy, strlen(copy)); /* it may go to a terminal, and the file may be anyone's */
    return copy;
}

int64_t store_int(const struct store_statement *st, int column)
{
    return sqlite3_column_int64(st->stmt, column);
}

double store_real(const struct store_statement *st, int column, double otherwise)
{
    return sqlite3_column_type(st->stmt, column) == SQLITE_NULL
               ? otherwise
               : sqlite3_column_double(st->stmt, column);
}

static int execute(const struct store *s, const char *what, const char *sql, struct err *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_failed(s, what, err);
}

/* The write lock at once: a reader that becomes a writer could meet another one and never get it.
 */
int store_begin(const struct store *s, struct err *err)
{
    return execute(s, "lock", "BEGIN IMMEDIATE", err);
}

int store_commit(const struct store *s, struct err *err)
{
    if (execute(s, "write", "COMMIT", err) == 0)
        return 0;
    store_roll_back(s);
    return -1;
}

void store_roll_back(const struct store *s)
{
    if (sqlite3_get_autocommit(s->db) == 0)
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* What a page's own checks do not show; some milliseconds for thousands of runs. */
static int check_pages(const struct store *s, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    CLEANUP_ARENA struct arena arena = ARENA_INIT(1 << 16);
    if (store_prepare(s, "read", "PRAGMA quick_check(1)", &st, err) != 0)
        return -1;
    int rc = store_step(&st, err);
    if (rc < 0)
        return -1;
    const char *says = rc == 1 ? store_text(&st, 0, &arena) : "it cannot be checked";
    if (strcmp(says, "ok") == 0)
        return 0;
    return damaged(s, says, err);
}

/*
 * A rollback journal, not a write-ahead log: the store is written once a run, a reader needs no
 * right to write, the store is one file between writes, and it may lie on a network's file system.
 * The schema of a file that somebody else gave may hold no code of theirs.
 */
static int set_up(struct store *s, struct err *err)
{
    store_set_patience(s, STORE_BUSY_MS);
    (void)sqlite3_extended_result_codes(s->db, 1);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 64 << 20);
    (void)sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
    return execute(s, "open",
                   "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;"
                   "PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;",
                   err);
}

static int find_dir(struct store *s, struct err *err)
{
    char copy[PATH_MAX];
    (void)snprintf(copy, sizeof(copy), "%s", s->file);
    const char *dir = dirname(copy);
    if (realpath(dir, s->dir) == NULL)
        return make_error(err, ERR_SYSTEM, errno, "the store's directory %s", dir);
    return 0;
}

int store_open(const char *file, enum store_mode mode, struct store **ret, struct err *err)
{
    struct stat st;
    CLEANUP_STORE struct store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return make_error(err, ERR_LIMIT, ENOMEM, "the store");
    if ((size_t)snprintf(s->file, sizeof(s->file), "%s", file) >= sizeof(s->file))
        return make_error(err, ERR_USAGE, 0, "%.60s...: the path is too long", file);
    bool there = stat(file, &st) == 0;
    if (!there && errno == ENOENT && mode == STORE_IF_THERE)
        return make_error(err, ERR_NOT_FOUND, 0, "%s is not there", file);
    if (there && !S_ISREG(st.st_mode))
        return make_error(err, ERR_REFUSED, 0, "the store %s is not a file", file);
    if (find_dir(s, err) != 0)
        return -1;
    int flags = SQLITE_OPEN_READWRITE | (mode == STORE_MAKE ? SQLITE_OPEN_CREATE : 0);
    int rc = sqlite3_open_v2(file, &s->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK)
        return s->db == NULL ? make_error(err, ERR_LIMIT, ENOMEM, "the store")
                             : store_failed(s, "open", err);
    s->made = !there;
    if (set_up(s, err) != 0 || store_migrate(s, STORE_SCHEMA, err) != 0 || check_pages(s, err) != 0)
        return -1;
    *ret = steal_ptr(&s);
    return 0;
}

void store_set_patience(struct store *s, int ms)
{
    s->busy_ms = ms;
    (void)sqlite3_busy_timeout(s->db, ms);
}

bool store_was_made(const struct store *s)
{
    return s->made;
}

const char *store_file(const struct store *s)
{
    return s->file;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    (void)sqlite3_close(s->db);
    free(s);
}

void store_close_at(struct store **s)
{
    store_close(*s);
}
