/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store as its callers see it: what goes in comes out, once; what is refused, and how. */
#include "base/cleanup.h"
#include "store_place.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct story outage = {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1};

static void test_what_goes_in_comes_out_once(void)
{
    struct story_told t;
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct err err;
    begin();
    story_tell(&outage, &t);
    struct store *s = must_open();
    record(s, &t, "r1", "2026-03-01T12:00:00Z", "shop");
    record(s, &t, "r1", "2026-03-01T12:00:00Z", "shop");
    CU_ASSERT_EQUAL_FATAL(store_list(s, &(struct store_filter){.limit = 0}, &list, &err), 0);
    CU_ASSERT_EQUAL_FATAL(list.n, 1);
    const struct store_run *r = &list.runs[0];
    CU_ASSERT_STRING_EQUAL(r->run.run, "r1");
    CU_ASSERT_STRING_EQUAL(r->scenario, "shop");
    CU_ASSERT_STRING_EQUAL(r->folder, "folder-of-r1");
    CU_ASSERT_STRING_EQUAL(r->run.verdict, "pass");
    CU_ASSERT_EQUAL(r->run.trials, 1);
    CU_ASSERT_EQUAL(r->exit_status, 0);
    CU_ASSERT_EQUAL(r->took_ns, 90 * NS_PER_SEC);
    CU_ASSERT_FALSE(r->no_fault || r->dirty || r->aborted);
    CU_ASSERT_EQUAL_FATAL(r->run.n_targets, t.analysis->n_targets);
    CU_ASSERT_EQUAL(r->run.targets[0].lower, t.analysis->targets[0].lower);
    CU_ASSERT_EQUAL(r->run.targets[0].upper, t.analysis->targets[0].upper);
    CU_ASSERT_EQUAL(r->run.targets[0].limit, 5);
    json_t *trials = NULL;
    CU_ASSERT_EQUAL(store_trials(s, r->id, &trials, &err), 0);
    CU_ASSERT_EQUAL(json_array_size(trials), 1);
    json_decref(trials);
    store_close(s);
    story_free(&t);
    end();
}

static void test_never_recovered_stays_open(void)
{
    struct story_told t;
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct err err;
    begin();
    story_tell(
        &(struct story){"..............................xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                        .recovery_limit_ms = 1000, .blast_permille = -1},
        &t);
    struct store *s = must_open();
    record(s, &t, "r1", "w", "shop");
    CU_ASSERT_EQUAL_FATAL(store_list(s, &(struct store_filter){.limit = 0}, &list, &err), 0);
    CU_ASSERT_STRING_EQUAL(list.runs[0].run.verdict, "fail");
    CU_ASSERT_EQUAL(list.runs[0].exit_status, 1);
    CU_ASSERT_TRUE(isinf(list.runs[0].run.targets[0].upper));
    store_close(s);
    story_free(&t);
    end();
}

static void test_filters(void)
{
    struct story_told t, dry;
    begin();
    story_tell(&outage, &t);
    story_tell(&(struct story){"...........................................", .no_fault = true,
                               .blast_permille = -1},
               &dry);
    struct store *s = must_open();
    record(s, &t, "a", "2026-03-01T12:00:00Z", "shop");
    const json_t *was = t.history->start;
    json_t *naive = json_pack("{s:{s:s}}", "vars", "variant", "naive");
    t.history->start = naive;
    record(s, &t, "b", "2026-03-02T12:00:00Z", "shop");
    t.history->start = was;
    json_decref(naive);
    record(s, &t, "c", "2026-03-03T12:00:00Z", "bank");
    record(s, &dry, "d", "2026-03-04T12:00:00Z", "shop");
    static const struct {
        struct store_filter filter;
        size_t n;
    } rows[] = {
        {{.limit = 0}, 4},
        {{.scenario = "shop"}, 3},
        {{.scenario = "shop", .with_faults = true}, 2},
        {{.scenario = "shop", .variant = "naive"}, 1},
        {{.scenario = "shop", .variant = "fenced"}, 0},
        {{.scenario = "shop' OR 1 --"}, 0},
        {{.verdict = "fail"}, 0},
        {{.since = "2026-03-02T12:00:00Z"}, 3},
        {{.since = "2026-03-02T12:00:00Z", .before = "2026-03-03T00:00:00Z"}, 1},
        {{.limit = 3}, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CU_ASSERT_EQUAL(count(s, &rows[i].filter), rows[i].n);
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct earlier e;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(store_earlier(s, "shop", NULL, "x", &list, &e, &err), 0);
    CU_ASSERT_EQUAL_FATAL(e.n, 2);
    CU_ASSERT_STRING_EQUAL(e.runs[0].run, "a"); /* the oldest first */
    CU_ASSERT_STRING_EQUAL(e.runs[1].run, "b");
    CU_ASSERT_EQUAL(e.older, 0);
    store_close(s);
    story_free(&t);
    story_free(&dry);
    end();
}

/* Stopped before a trial with a fault had ended: listed, but no earlier run, and counted. */
static void test_stopped_runs(void)
{
    static const char *const each[] = {QUIET, OUTAGE, OUTAGE};
    struct story_told t, none, some;
    struct story s = {OUTAGE, .recovery_limit_ms = 5000, .blast_permille = -1, .stop = 1};
    struct err err;
    begin();
    story_tell(&outage, &t);
    story_tell(&s, &none);
    s.each = each;
    s.dry_first = true;
    s.trials = s.stop = 3;
    story_tell(&s, &some);
    struct store *st = must_open();
    record(st, &none, "a", "2026-03-01T12:00:00Z", "shop");
    record(st, &t, "b", "2026-03-02T12:00:00Z", "shop");
    record(st, &some, "c", "2026-03-03T12:00:00Z", "shop");
    record(st, &none, "d", "2026-03-04T12:00:00Z", "shop");
    record(st, &none, "e", "2026-03-04T12:00:00Z", "bank");
    CLEANUP_STORE_LIST struct store_list all = {.n = 0}, list = {.n = 0}, newest = {.n = 0};
    CU_ASSERT_EQUAL_FATAL(store_list(st, &(struct store_filter){.scenario = "shop"}, &all, &err),
                          0);
    CU_ASSERT_EQUAL_FATAL(all.n, 4);
    CU_ASSERT_EQUAL(all.stopped, 0); /* none was left out */
    CU_ASSERT_TRUE(all.runs[0].run.stopped && all.runs[0].aborted && all.runs[0].run.trials == 0);
    CU_ASSERT_TRUE(all.runs[1].run.stopped && all.runs[1].run.trials == 1);
    CU_ASSERT_FALSE(all.runs[2].run.stopped);
    CU_ASSERT_EQUAL(all.runs[1].run.targets[0].upper, t.analysis->targets[0].upper);
    struct store_filter filter = {.scenario = "shop", .with_faults = true};
    CU_ASSERT_EQUAL(store_list(st, &filter, &list, &err), 0);
    CU_ASSERT_EQUAL(list.n, 2);
    CU_ASSERT_EQUAL(list.stopped, 2);
    filter.limit = 1;
    CU_ASSERT_EQUAL(store_list(st, &filter, &newest, &err), 0);
    CU_ASSERT_EQUAL(newest.more, 1);
    CU_ASSERT_EQUAL(newest.stopped, 1); /* `a` is older than what is listed */
    CLEANUP_STORE_LIST struct store_list same = {.n = 0}, other = {.n = 0};
    struct earlier e;
    CU_ASSERT_EQUAL(store_earlier(st, "shop", NULL, all.runs[0].run.setup, &same, &e, &err), 0);
    CU_ASSERT_EQUAL(e.n, 2);
    CU_ASSERT_EQUAL(e.stopped, 2);
    CU_ASSERT_TRUE(e.runs[1].stopped);
    CU_ASSERT_EQUAL(store_earlier(st, "shop", NULL, "of another", &other, &e, &err), 0);
    CU_ASSERT_EQUAL(e.stopped, 0);
    store_close(st);
    story_free(&t);
    story_free(&none);
    story_free(&some);
    end();
}

/* A store of schema 5, whose runs have no folder any more: the words of their verdicts tell. */
static void test_stopped_runs_of_schema_5(void)
{
    static const char rows[] =
        "INSERT INTO runs (id, run, wall, folder, journal_size, journal_mtime_ns, scenario, file, "
        "sha256, setup, vars, seed, trials, no_fault, version, kernel, machine, verdict, why, "
        "exit_status, dirty, aborted, took_ns) VALUES "
        "(1, 'trial', 'w', 'a', 1, 2, 's', 'x', '0', '0', '{}', 1, 1, 0, '', '', '', "
        "'inconclusive', 'interrupted', 3, 0, 1, 9),"
        "(2, 'between', 'w', 'b', 1, 2, 's', 'x', '0', '0', '{}', 1, 3, 0, '', '', '', "
        "'inconclusive', 'stopped by the person', 3, 0, 1, 9),"
        "(3, 'guard', 'w', 'c', 1, 2, 's', 'x', '0', '0', '{}', 1, 1, 0, '', '', '', "
        "'fail', 'the guard on write fired', 1, 0, 1, 9),"
        "(4, 'series', 'w', 'd', 1, 2, 's', 'x', '0', '0', '{}', 1, 2, 0, '', '', '', "
        "'fail', 'trial 1: too late', 1, 0, 1, 9),"
        "(5, 'whole', 'w', 'e', 1, 2, 's', 'x', '0', '0', '{}', 1, 1, 0, '', '', '', "
        "'pass', '', 0, 0, 0, 9),"
        "(6, 'dry', 'w', 'f', 1, 2, 's', 'x', '0', '0', '{}', 1, 0, 0, '', '', '', "
        "'inconclusive', 'interrupted', 3, 0, 1, 9),"
        "(7, 'turns', 'w', 'g', 1, 2, 's', 'x', '0', '0', '{}', 1, 0, 0, '', '', '', "
        "'inconclusive', 'the run that it takes turns with has ended', 3, 0, 1, 9);"
        "INSERT INTO trials VALUES (1, 0, 0, 0, 0, 'inconclusive', 'interrupted'),"
        "(3, 0, 0, 0, 0, 'fail', ''), (4, 0, 1, 0, 0, 'pass', ''), (4, 1, 0, 0, 0, 'fail', ''),"
        "(4, 2, 0, 0, 0, 'inconclusive', 'interrupted'),"
        "(6, 0, 1, 0, 0, 'inconclusive', 'interrupted');"
        "INSERT INTO targets (run_id, place, measure, of, since, unit, lower, upper, verdict, why, "
        "trial, automatic) VALUES (1, 0, 'm', '', '', 's', 1, NULL, '', 'interrupted', 0, 1),"
        "(4, 0, 'm', '', '', 's', 7, 8, 'fail', 'too late', 1, 1);";
    struct store old = {.db = NULL};
    struct err err = {.msg = ""};
    begin();
    (void)snprintf(old.file, sizeof(old.file), "%s", file);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(file, &old.db), SQLITE_OK);
    CU_ASSERT_EQUAL(store_migrate(&old, 5, &err), 0);
    CU_ASSERT_EQUAL(sqlite3_exec(old.db, rows, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(old.db);
    struct store *s = must_open();
    CU_ASSERT_EQUAL(number(s, "PRAGMA user_version"), 6);
    CU_ASSERT_EQUAL(number(s, "SELECT sum(stopped * id * id) FROM runs"), 1 + 4 + 16 + 36 + 49);
    CU_ASSERT_EQUAL(number(s, "SELECT sum(trials * id * id) FROM runs"), 0 + 12 + 9 + 16 + 25);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM targets WHERE lower IS NULL"), 1);
    CU_ASSERT_EQUAL(number(s, "SELECT lower FROM targets WHERE run_id = 4"), 7);
    CU_ASSERT_EQUAL(number(s, "SELECT sum(journal_size = -1) FROM runs"), 6); /* read again */
    CU_ASSERT_EQUAL(count(s, &(struct store_filter){.with_faults = true}), 4);
    store_close(s);
    end();
}

/* All that belongs to a run goes with it; a folder that was pruned stays out until asked for. */
static void test_forgetting(void)
{
    struct story_told t;
    CLEANUP_STORE_LIST struct store_list list = {.n = 0};
    struct store_folder folder = {"folder-of-a", 5, 7}, changed = {"folder-of-a", 6, 7};
    struct err err;
    bool known = true;
    begin();
    story_tell(&outage, &t);
    struct store *s = must_open();
    CU_ASSERT_EQUAL(store_is_known(s, &folder, &known, &err), 0);
    CU_ASSERT_FALSE(known);
    record(s, &t, "a", "2026-03-01T12:00:00Z", "shop");
    record(s, &t, "b", "2026-03-02T12:00:00Z", "shop");
    CU_ASSERT_EQUAL(store_is_known(s, &changed, &known, &err), 0);
    CU_ASSERT_FALSE(known);
    CU_ASSERT_EQUAL_FATAL(store_list(s, &(struct store_filter){.limit = 0}, &list, &err), 0);
    CU_ASSERT_EQUAL(store_forget(s, &list.runs[1].id, 1, true, &err), 0);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM runs"), 1);
    CU_ASSERT_EQUAL(number(s, "SELECT count(DISTINCT run_id) FROM targets"), 1);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM trials"), 1);
    CU_ASSERT_EQUAL(number(s, "SELECT count(DISTINCT run_id) FROM figures"), 1);
    CU_ASSERT_EQUAL(store_is_known(s, &folder, &known, &err), 0);
    CU_ASSERT_TRUE(known);
    record(s, &t, "a", "2026-03-01T12:00:00Z", "shop");
    CU_ASSERT_EQUAL(count(s, &(struct store_filter){.limit = 0}), 2);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM forgotten"), 0);
    store_close(s);
    story_free(&t);
    end();
}

static void test_types_and_keys_are_strict(void)
{
    static const char *const wrong[] = {
        "INSERT INTO trials VALUES (99, 0, 0, 0, 0, 'pass', '')",
        "INSERT INTO forgotten VALUES ('x', 'many', 0)",
        "INSERT INTO forgotten VALUES (NULL, 1, 0)",
    };
    begin();
    struct store *s = must_open();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        CU_ASSERT_NOT_EQUAL(sqlite3_exec(s->db, wrong[i], NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(number(s, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql NOT "
                              "LIKE '%STRICT%'"),
                    0);
    store_close(s);
    end();
}

static void expect_refused(const char *says, enum err_code code)
{
    struct store *s = NULL;
    struct err err = {.msg = "accepted"};
    CU_ASSERT_EQUAL(store_open(file, STORE_MAKE, &s, &err), -1);
    CU_ASSERT_EQUAL(err.code, code);
    if (strstr(err.msg, says) == NULL) {
        printf("\n  wanted \"%s\", got \"%s\"\n", says, err.msg);
        CU_FAIL("another message");
    }
    store_close(s);
}

static void execute(const char *sql)
{
    sqlite3 *db = NULL;
    CU_ASSERT_EQUAL(sqlite3_open(file, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

static void write_file(const char *text, size_t len)
{
    CLEANUP_FD int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL(write(fd, text, len), (ssize_t)len);
}

static void test_what_is_refused(void)
{
    struct store *s = NULL;
    struct err err;
    begin();
    CU_ASSERT_EQUAL(store_open(file, STORE_IF_THERE, &s, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_NOT_EQUAL(access(file, F_OK), 0);
    store_close(must_open());
    execute("PRAGMA user_version = 7");
    expect_refused("is of a newer Blackstart: its schema is 7, this one knows up to 6",
                   ERR_UNSUPPORTED);
    (void)unlink(file);
    execute("CREATE TABLE cookies (x)");
    expect_refused("is another program's database", ERR_REFUSED);
    (void)unlink(file);
    static const char text[] = "Not a database at all, but a text that is longer than a header is, "
                               "which SQLite reads in its first hundred bytes.";
    write_file(text, sizeof(text));
    char mend[128];
    (void)snprintf(mend, sizeof(mend), "`blackstart history --rebuild --store %s`", file);
    expect_refused(mend, ERR_SYSTEM); /* it has the store's own name */
    (void)unlink(file);
    CU_ASSERT_EQUAL(mkdir(file, 0700), 0);
    expect_refused("is not a file", ERR_REFUSED);
    (void)rmdir(file);
    write_file("", 0); /* what a kill right after the file was made leaves */
    store_close(must_open());
    end();
}

/* By what a file begins with, or, where that says nothing, by its name. */
static void test_whose_a_file_is(void)
{
    static const char none[] = "a text";
    static const struct {
        const char *name, *begins;
        uint32_t id; /* at its place in the header */
        bool ours;
    } rows[] = {
        {"/history.db", "SQLite format 3", 1112757330, true},
        {"/other.db", "SQLite format 3", 1112757330, true},
        {"/other.db", "SQLite formaX 3", 1112757330, true},
        {"/history.db", "SQLite format 3", 0, false},
        {"/history.db", "SQLite format 3", 252006674, false},
        {"/history.db", none, 0, true},
        {"/other.db", none, 0, false},
        {"/myhistory.db", none, 0, false},
    };
    begin();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char header[100] = "";
        (void)snprintf(header, sizeof(header), "%s", rows[i].begins);
        for (int k = 0; k < 4; k++)
            header[68 + k] = (char)(rows[i].id >> (24 - 8 * k));
        (void)snprintf(file, sizeof(file), "%s%s", dir, rows[i].name);
        write_file(header, rows[i].begins == none ? strlen(none) : sizeof(header));
        CU_ASSERT_EQUAL(store_may_be_ours(file), rows[i].ours);
        (void)unlink(file);
        CU_ASSERT_FALSE(store_may_be_ours(file));
    }
    write_file("", 0);
    CU_ASSERT_TRUE(store_may_be_ours(file));
    (void)unlink(file);
    store_close(must_open()); /* what the store itself writes there */
    CU_ASSERT_TRUE(store_may_be_ours(file));
    write_file("not a database, and not named like one", 38);
    expect_refused("is no store of runs (file is not a database); name another file by --store",
                   ERR_REFUSED);
    end();
}

/* Garbage in any page: an error that names the mend, or nothing that matters was hit. */
static void test_damage(void)
{
    struct story_told t;
    unsigned told = 0;
    struct stat st;
    begin();
    story_tell(&outage, &t);
    struct store *s = must_open();
    for (int i = 0; i < 20; i++) {
        char run[8];
        (void)snprintf(run, sizeof(run), "r%d", i);
        record(s, &t, run, "2026-03-01T12:00:00Z", "shop");
    }
    store_close(s);
    CU_ASSERT_EQUAL_FATAL(stat(file, &st), 0);
    CLEANUP_FREE char *whole = malloc((size_t)st.st_size);
    CLEANUP_FD int fd = open(file, O_RDWR | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(read(fd, whole, (size_t)st.st_size), st.st_size);
    for (off_t at = 16; at + 64 < st.st_size; at += 509) {
        static const char noise[] = "\xff\x00\x81\x7f\xaa\xff\xff\xff\x00\x01\xfe\xff\x80\x80";
        struct err err = {.msg = ""};
        CU_ASSERT_EQUAL(pwrite(fd, noise, sizeof(noise), at), sizeof(noise));
        s = NULL;
        if (store_open(file, STORE_MAKE, &s, &err) == 0) {
            CLEANUP_STORE_LIST struct store_list list = {.n = 0};
            int rc = store_list(s, &(struct store_filter){.limit = 0}, &list, &err);
            CU_ASSERT_TRUE(rc == 0 || err.msg[0] != '\0');
        } else {
            bool named = strstr(err.msg, "--rebuild") != NULL ||
                         strstr(err.msg, "another program") != NULL ||
                         strstr(err.msg, "newer") != NULL;
            if (!named)
                printf("\n  at %lld: %s\n", (long long)at, err.msg);
            CU_ASSERT_TRUE(named);
            told++;
        }
        store_close(s);
        CU_ASSERT_EQUAL(pwrite(fd, whole, (size_t)st.st_size, 0), st.st_size);
    }
    CU_ASSERT(told > 5);
    story_free(&t);
    end();
}

/* "| `runs` | `id` | INTEGER |" for each column, and no line more. */
static void test_the_page_has_each_column(void)
{
    CLEANUP_BUF struct buf page = BUF_INIT(1 << 20);
    struct err err;
    size_t lines = 0, columns = 0;
    begin();
    CLEANUP_FD int fd = open(SOURCE_DIR "/docs/store.md", O_RDONLY | O_CLOEXEC);
    CU_ASSERT_EQUAL_FATAL(buf_read_fd(&page, fd, &err), 0);
    struct store *s = must_open();
    sqlite3_stmt *st = NULL;
    CU_ASSERT_EQUAL(sqlite3_prepare_v2(s->db,
                                       "SELECT t.name, c.name, c.type FROM sqlite_schema t JOIN "
                                       "pragma_table_info(t.name) c WHERE t.type = 'table'",
                                       -1, &st, NULL),
                    SQLITE_OK);
    for (; st != NULL && sqlite3_step(st) == SQLITE_ROW; columns++) {
        char line[200];
        (void)snprintf(line, sizeof(line), "\n| `%s` | `%s` | %s | ", sqlite3_column_text(st, 0),
                       sqlite3_column_text(st, 1), sqlite3_column_text(st, 2));
        if (strstr(buf_text(&page), line) == NULL) {
            printf("\n  docs/store.md has no line%s\n", line);
            CU_FAIL("a column without a line");
        }
    }
    (void)sqlite3_finalize(st);
    for (const char *at = buf_text(&page); (at = strstr(at, "\n| `")) != NULL; at++)
        lines++;
    CU_ASSERT(columns > 40);
    CU_ASSERT_EQUAL(lines, columns);
    store_close(s);
    end();
}

static void test_folders(void)
{
    struct store_folder folder;
    struct err err;
    char path[PATH_MAX], back[PATH_MAX], cwd[PATH_MAX];
    begin();
    struct store *s = must_open();
    (void)snprintf(path, sizeof(path), "%s/one", dir);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    CU_ASSERT_EQUAL(store_folder_look(s, path, &folder, &err), -1); /* no journal */
    (void)snprintf(file, sizeof(file), "%s/one/journal.ndjson", dir);
    write_file("12345", 5);
    CU_ASSERT_EQUAL(store_folder_look(s, path, &folder, &err), 0);
    CU_ASSERT_STRING_EQUAL(folder.path, "one");
    CU_ASSERT_EQUAL(folder.journal_size, 5);
    CU_ASSERT_EQUAL(store_folder_path(s, "one", back, &err), 0);
    CU_ASSERT_STRING_EQUAL(back, path);
    /* The same by another way to it; and one that is not below. */
    CU_ASSERT_PTR_NOT_NULL(getcwd(cwd, sizeof(cwd)));
    CU_ASSERT_EQUAL(chdir(path), 0);
    CU_ASSERT_EQUAL(store_folder_look(s, ".", &folder, &err), 0);
    CU_ASSERT_STRING_EQUAL(folder.path, "one");
    CU_ASSERT_EQUAL(chdir(cwd), 0);
    CU_ASSERT_EQUAL(store_folder_path(s, "/elsewhere/one", back, &err), 0);
    CU_ASSERT_STRING_EQUAL(back, "/elsewhere/one");
    store_close(s);
    end();
}

static const struct check_test tests[] = {
    {"what goes in comes out, once", test_what_goes_in_comes_out_once},
    {"never recovered stays open", test_never_recovered_stays_open},
    {"filters", test_filters},
    {"stopped runs", test_stopped_runs},
    {"stopped runs of schema 5", test_stopped_runs_of_schema_5},
    {"forgetting", test_forgetting},
    {"types and keys are strict", test_types_and_keys_are_strict},
    {"what is refused", test_what_is_refused},
    {"whose a file is", test_whose_a_file_is},
    {"damage", test_damage},
    {"the page has each column", test_the_page_has_each_column},
    {"folders", test_folders},
};

CHECK_MAIN("store", tests)
