/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables, as the list of changes that made them; docs/store.md describes them (tested). */
#include "base/cleanup.h"
#include "store/store_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID 1112757330 /* "BSTR": PRAGMA application_id */

/* The n-th leads from schema n to n + 1; a line that was released is never changed. */
static const char *const migrations[STORE_SCHEMA] = {
    "CREATE TABLE runs ("
    " id INTEGER PRIMARY KEY,"
    " run TEXT NOT NULL,"
    " wall TEXT NOT NULL,"
    " folder TEXT NOT NULL UNIQUE,"
    " journal_size INTEGER NOT NULL,"
    " journal_mtime_ns INTEGER NOT NULL,"
    " scenario TEXT NOT NULL,"
    " file TEXT NOT NULL,"
    " sha256 TEXT NOT NULL,"
    " setup TEXT NOT NULL,"
    " vars TEXT NOT NULL,"
    " seed INTEGER NOT NULL,"
    " trials INTEGER NOT NULL,"
    " no_fault INTEGER NOT NULL CHECK (no_fault IN (0, 1)),"
    " version TEXT NOT NULL,"
    " kernel TEXT NOT NULL,"
    " machine TEXT NOT NULL,"
    " verdict TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " exit_status INTEGER NOT NULL,"
    " dirty INTEGER NOT NULL CHECK (dirty IN (0, 1)),"
    " aborted INTEGER NOT NULL CHECK (aborted IN (0, 1)),"
    " took_ns INTEGER NOT NULL,"
    " UNIQUE (run, wall)"
    ") STRICT;"
    "CREATE INDEX runs_by_scenario ON runs (scenario, wall);"
    "CREATE TABLE targets ("
    " run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
    " place INTEGER NOT NULL,"
    " measure TEXT NOT NULL,"
    " of TEXT NOT NULL,"
    " since TEXT NOT NULL,"
    " unit TEXT NOT NULL,"
    " bound REAL,"
    " lower REAL,"
    " upper REAL,"
    " verdict TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " trial INTEGER NOT NULL,"
    " automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),"
    " PRIMARY KEY (run_id, place)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE trials ("
    " run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
    " trial INTEGER NOT NULL,"
    " fault_free INTEGER NOT NULL CHECK (fault_free IN (0, 1)),"
    " start_ns INTEGER,"
    " end_ns INTEGER,"
    " verdict TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " PRIMARY KEY (run_id, trial)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE figures ("
    " run_id INTEGER NOT NULL,"
    " trial INTEGER NOT NULL,"
    " place INTEGER NOT NULL,"
    " measure TEXT NOT NULL,"
    " of TEXT NOT NULL,"
    " since TEXT NOT NULL,"
    " unit TEXT NOT NULL,"
    " bound REAL,"
    " lower REAL,"
    " upper REAL,"
    " verdict TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " automatic INTEGER NOT NULL CHECK (automatic IN (0, 1)),"
    " PRIMARY KEY (run_id, trial, place),"
    " FOREIGN KEY (run_id, trial) REFERENCES trials (run_id, trial) ON DELETE CASCADE"
    ") STRICT, WITHOUT ROWID;",
    "ALTER TABLE runs ADD COLUMN node TEXT NOT NULL DEFAULT '';"
    "CREATE TABLE forgotten ("
    " folder TEXT NOT NULL PRIMARY KEY,"
    " journal_size INTEGER NOT NULL,"
    " journal_mtime_ns INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;",
    /* What older rows lack stands in the folders: they are read again. */
    "ALTER TABLE targets ADD COLUMN detail TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE targets ADD COLUMN side TEXT NOT NULL DEFAULT 'at most';"
    "ALTER TABLE figures ADD COLUMN detail TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE figures ADD COLUMN side TEXT NOT NULL DEFAULT 'at most';"
    "UPDATE runs SET journal_size = -1;",
    ("ALTER TABLE runs ADD COLUMN packages TEXT NOT NULL DEFAULT '';"
     "UPDATE runs SET journal_size = -1;"),
    "CREATE TABLE symptoms ("
    " run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
    " place INTEGER NOT NULL,"
    " shows TEXT NOT NULL,"
    " expects TEXT NOT NULL,"
    " state TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " trial INTEGER NOT NULL,"
    " judged INTEGER NOT NULL,"
    " shown INTEGER NOT NULL,"
    " without_fault TEXT,"
    " PRIMARY KEY (run_id, place)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE trial_symptoms ("
    " run_id INTEGER NOT NULL,"
    " trial INTEGER NOT NULL,"
    " place INTEGER NOT NULL,"
    " state TEXT NOT NULL,"
    " why TEXT NOT NULL,"
    " PRIMARY KEY (run_id, trial, place),"
    " FOREIGN KEY (run_id, trial) REFERENCES trials (run_id, trial) ON DELETE CASCADE"
    ") STRICT, WITHOUT ROWID;"
    "UPDATE runs SET journal_size = -1;",
    /* Runs that ended before their end are read again; of those without a folder the words of their
     * verdicts tell who was stopped. Of their targets the figure of a trial that was stopped may
     * hide another's, which is not known then. */
    "ALTER TABLE runs ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0 CHECK (stopped IN (0, 1));"
    "UPDATE runs SET stopped = 1 WHERE why IN ('stopped by the person',"
    " 'the run that it takes turns with has ended') OR id IN (SELECT run_id FROM trials WHERE why "
    "= 'interrupted');"
    "UPDATE runs SET trials = trials - (SELECT count(*) FROM trials t WHERE t.run_id = runs.id"
    " AND t.fault_free = 0 AND t.why = 'interrupted') WHERE stopped = 1;"
    "UPDATE targets SET lower = NULL, upper = NULL WHERE why = 'interrupted';"
    "UPDATE runs SET journal_size = -1 WHERE aborted = 1 OR stopped = 1;",
};

/* sqlite.org/fileformat.html, "The Database Header"; the number's first byte is the highest. */
bool store_may_be_ours(const char *file)
{
    static const char magic[16] = "SQLite format 3";
    enum { AT = 68, HEADER = 100 };
    unsigned char h[HEADER] = {0};
    const char *slash = strrchr(file, '/');
    CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, h, sizeof(h));
    if (n <= 0)
        return n == 0;
    if (((uint32_t)h[AT] << 24 | (uint32_t)h[AT + 1] << 16 | (uint32_t)h[AT + 2] << 8 |
         h[AT + 3]) == APPLICATION_ID)
        return true;
    return memcmp(h, magic, sizeof(magic)) != 0 &&
           strcmp(slash != NULL ? slash + 1 : file, STORE_FILE) == 0;
}

static int number(const struct store *s, const char *pragma, int64_t *ret, struct err *err)
{
    CLEANUP_STATEMENT struct store_statement st = {.stmt = NULL};
    if (store_prepare(s, "read", pragma, &st, err) != 0)
        return -1;
    int rc = store_step(&st, err);
    if (rc == 1)
        *ret = store_int(&st, 0);
    return rc < 0 ? -1 : 0;
}

/* Of another program's database not a byte is changed. */
static int check_ours(const struct store *s, int64_t *ret_version, struct err *err)
{
    int64_t id = 0, tables = 0;
    if (number(s, "PRAGMA application_id", &id, err) != 0 ||
        number(s, "SELECT count(*) FROM sqlite_schema", &tables, err) != 0 ||
        number(s, "PRAGMA user_version", ret_version, err) != 0)
        return -1;
    if (id != APPLICATION_ID && (id != 0 || tables != 0 || *ret_version != 0))
        return make_error(err, ERR_REFUSED, 0,
                          "%s is another program's database; name another file by --store",
                          s->file);
    if (*ret_version > STORE_SCHEMA)
        return make_error(err, ERR_UNSUPPORTED, 0,
                          "%s is of a newer Blackstart: its schema is %lld, this one knows up to "
                          "%d; use the newer one, or another file by --store",
                          s->file, (long long)*ret_version, STORE_SCHEMA);
    return 0;
}

static int execute(const struct store *s, const char *sql, struct err *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : store_failed(s, "make the tables of", err);
}

int store_migrate(const struct store *s, int version, struct err *err)
{
    int64_t now = 0;
    char mark[96];
    if (check_ours(s, &now, err) != 0)
        return -1;
    if (now >= version)
        return 0;
    /* Another process may have been faster: looked at again with the lock held. */
    if (store_begin(s, err) != 0)
        return -1;
    int rc = check_ours(s, &now, err);
    for (int64_t at = now; rc == 0 && at < version; at++)
        rc = execute(s, migrations[at], err);
    (void)snprintf(mark, sizeof(mark), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION_ID, version);
    if (rc == 0 && now < version)
        rc = execute(s, mark, err);
    if (rc == 0)
        return store_commit(s, err);
    store_roll_back(s);
    return -1;
}
