/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `blackstart history` does to a store and to folders, and what it says; nothing is run. */
#include "e2e.h"
#include "store_rig.h"

struct place {
    struct e2e t;
    char runs[80], file[100];
};

static void place_make(struct place *p, int folders)
{
    char name[16];
    e2e_begin(&p->t);
    (void)snprintf(p->runs, sizeof(p->runs), "%s/runs", p->t.dir);
    (void)snprintf(p->file, sizeof(p->file), "%s/history.db", p->runs);
    CU_ASSERT_EQUAL(mkdir(p->runs, 0755), 0);
    for (int i = 0; i < folders; i++) {
        (void)snprintf(name, sizeof(name), "run-%d", i);
        store_rig_folder(p->runs, name, i);
    }
}

/* history --store FILE ARGS..., its exit status. */
static int history(struct place *p, const char *const *args)
{
    const char *all[E2E_ARGS_MAX] = {"history", "--store", p->file};
    for (size_t i = 0; args != NULL && args[i] != NULL && i + 4 < E2E_ARGS_MAX; i++)
        all[i + 3] = args[i];
    e2e_start(&p->t, all);
    return e2e_wait(&p->t, 20);
}
#define HISTORY(p, ...) history(p, (const char *const[]){__VA_ARGS__, NULL})

static size_t listed(struct place *p)
{
    CU_ASSERT_EQUAL(HISTORY(p, "--json"), 0);
    json_t *document = e2e_json(p->t.dir, "stdout");
    size_t n = json_array_size(json_object_get(document, "runs"));
    json_decref(document);
    return n;
}

static bool said(const struct place *p, const char *stream, const char *text)
{
    CLEANUP_FREE char *all = e2e_read(p->t.dir, stream);
    bool has = all != NULL && strstr(all, text) != NULL;
    if (!has)
        fprintf(stderr, "%s does not say \"%s\": %s\n", stream, text, all != NULL ? all : "");
    return has;
}

static bool is_there(const struct place *p, const char *name)
{
    char path[128];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", p->runs, name);
    return lstat(path, &st) == 0;
}

static void test_folders_are_read_by_themselves(void)
{
    struct place p;
    char path[160];
    place_make(&p, 3);
    (void)snprintf(path, sizeof(path), "%s/broken", p.runs);
    CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/broken/journal.ndjson", p.runs);
    CLEANUP_FILE FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL(f);
    (void)snprintf(path, sizeof(path), "%s/latest", p.runs);
    CU_ASSERT_EQUAL(symlink("run-2", path), 0);
    CU_ASSERT_EQUAL(history(&p, NULL), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "inconclusive  small "));
    CU_ASSERT_TRUE(said(&p, "stderr", "note: 1 folder holds no run that can be read"));
    CU_ASSERT_EQUAL(listed(&p), 3);
    store_rig_folder(p.runs, "late", 9);
    CU_ASSERT_EQUAL(listed(&p), 4);
    CU_ASSERT_EQUAL(HISTORY(&p, "--export", "csv"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "run,wall,scenario,"));
    CU_ASSERT_TRUE(said(&p, "stdout", "late,2026-03-01T12:00:09Z,small,"));
    CU_ASSERT_EQUAL(HISTORY(&p, "--verdict", "fail"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "no run like that"));
    e2e_end(&p.t);
}

static void test_pruned_runs_stay_away_until_asked_for(void)
{
    struct place p;
    place_make(&p, 4);
    CU_ASSERT_EQUAL(HISTORY(&p, "--prune", "--keep", "1", "--dry-run"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "3 of 4 runs would be forgotten"));
    CU_ASSERT_EQUAL(listed(&p), 4);
    /* Both must name a run. */
    CU_ASSERT_EQUAL(HISTORY(&p, "--prune", "--keep", "1", "--older-than", "2026-03-01T00:00Z"), 0);
    CU_ASSERT_EQUAL(listed(&p), 4);
    CU_ASSERT_EQUAL(HISTORY(&p, "--prune", "--keep", "1", "another-scenario"), 0);
    CU_ASSERT_EQUAL(listed(&p), 4);
    CU_ASSERT_EQUAL(HISTORY(&p, "--prune", "--keep", "1"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "run-2"));
    CU_ASSERT_EQUAL(listed(&p), 1);
    CU_ASSERT_TRUE(is_there(&p, "run-0") && is_there(&p, "run-3"));
    CU_ASSERT_EQUAL(HISTORY(&p, "--import", p.runs), 0);
    CU_ASSERT_EQUAL(listed(&p), 4);
    e2e_end(&p.t);
}

static void test_folders_go_when_asked_for(void)
{
    struct place p;
    char path[160];
    place_make(&p, 3);
    (void)snprintf(path, sizeof(path), "%s/latest", p.runs);
    CU_ASSERT_EQUAL(symlink("run-1", path), 0);
    store_rig_folder(p.t.dir, "elsewhere", 0); /* as --out made it: not ours to remove */
    (void)snprintf(path, sizeof(path), "%s/elsewhere", p.t.dir);
    CU_ASSERT_EQUAL(HISTORY(&p, "--import", path), 0);
    (void)snprintf(path, sizeof(path), "%s/.pruned-before", p.runs);
    CU_ASSERT_EQUAL(mkdir(path, 0755), 0);
    CU_ASSERT_EQUAL(HISTORY(&p, "--prune", "--keep", "1", "--with-folders"), 0);
    CU_ASSERT_EQUAL(listed(&p), 1);
    CU_ASSERT_TRUE(is_there(&p, "run-2") && is_there(&p, "../elsewhere"));
    CU_ASSERT_FALSE(is_there(&p, "run-0") || is_there(&p, "run-1") || is_there(&p, "latest"));
    CU_ASSERT_FALSE(is_there(&p, ".pruned-before") || is_there(&p, ".pruned-run-0"));
    e2e_end(&p.t);
}

static void overwrite(const struct place *p, const char *text)
{
    CLEANUP_FD int fd = open(p->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    CU_ASSERT_EQUAL(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void test_a_damaged_store_is_made_anew(void)
{
    struct place p;
    char path[160];
    place_make(&p, 2);
    store_rig_folder(p.t.dir, "elsewhere", 5);
    (void)snprintf(path, sizeof(path), "%s/elsewhere", p.t.dir);
    CU_ASSERT_EQUAL(HISTORY(&p, "--import", path), 0);
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 0); /* of a sound one nothing is lost */
    CU_ASSERT_TRUE(said(&p, "stdout", "3 runs recorded"));
    overwrite(&p, "this was a store");
    CU_ASSERT_EQUAL(history(&p, NULL), 3);
    CU_ASSERT_TRUE(said(&p, "stderr", "is damaged"));
    CU_ASSERT_TRUE(said(&p, "stderr", "`blackstart history --rebuild --store /tmp/"));
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "history.db.old-2"));
    CU_ASSERT_TRUE(said(&p, "stdout", "2 runs recorded"));
    CU_ASSERT_TRUE(is_there(&p, "history.db.old-1"));
    CLEANUP_FREE char *old = e2e_read(p.runs, "history.db.old-2");
    CU_ASSERT_PTR_NOT_NULL_FATAL(old);
    CU_ASSERT_EQUAL(strncmp(old, "this was a store", 16), 0);
    CU_ASSERT_EQUAL(listed(&p), 2);
    e2e_end(&p.t);
}

static void test_what_is_no_store_is_not_moved(void)
{
    struct place p;
    place_make(&p, 1);
    (void)snprintf(p.file, sizeof(p.file), "%s/notes.txt", p.runs);
    overwrite(&p, "what a person wrote");
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 2);
    CU_ASSERT_TRUE(said(&p, "stderr", "is no store of runs"));
    CU_ASSERT_TRUE(said(&p, "stderr", "or add --force to move it aside"));
    CU_ASSERT_TRUE(is_there(&p, "notes.txt"));
    CU_ASSERT_FALSE(is_there(&p, "notes.txt.old-1"));
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild", "--force"), 0);
    CU_ASSERT_TRUE(is_there(&p, "notes.txt.old-1"));
    /* Another program's database has the store's name. */
    (void)snprintf(p.file, sizeof(p.file), "%s/history.db", p.runs);
    overwrite(&p, "");
    CU_ASSERT_EQUAL(store_rig_number(p.file, "CREATE TABLE urls (url)"), -1);
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 2);
    CU_ASSERT_TRUE(said(&p, "stderr", "is another program's database"));
    CU_ASSERT_FALSE(is_there(&p, "history.db.old-1"));
    /* A directory and a device stay whatever is added. */
    (void)snprintf(p.file, sizeof(p.file), "%s/run-0", p.runs);
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild", "--force"), 2);
    CU_ASSERT_TRUE(said(&p, "stderr", "is not a file"));
    CU_ASSERT_TRUE(is_there(&p, "run-0"));
    p.file[0] = '\0';
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 2);
    CU_ASSERT_TRUE(said(&p, "stderr", "--store needs a file's name here"));
    e2e_end(&p.t);
}

static void test_a_newer_store_is_left_alone(void)
{
    struct place p;
    place_make(&p, 1);
    CU_ASSERT_EQUAL(listed(&p), 1);
    CU_ASSERT_EQUAL(store_rig_number(p.file, "PRAGMA user_version = 99"), -1);
    CU_ASSERT_EQUAL(history(&p, NULL), 3);
    CU_ASSERT_TRUE(said(&p, "stderr", "is of a newer Blackstart"));
    CU_ASSERT_EQUAL(HISTORY(&p, "--rebuild"), 3);
    CU_ASSERT_FALSE(is_there(&p, "history.db.old-1"));
    e2e_end(&p.t);
}

static void test_what_cannot_be_asked(void)
{
    static const struct {
        const char *args[6];
        const char *says;
    } rows[] = {
        {{"--prune"}, "--prune needs --keep N or --older-than WHEN"},
        {{"--keep", "3"}, "--keep belongs to --prune"},
        {{"--prune", "--keep", "1", "--rebuild"}, "are two things to do"},
        {{"--force"}, "--force belongs to --rebuild"},
        {{"--export", "xml"}, "expected csv or json"},
        {{"--since", "yesterday"}, "expected an age such as 90d or a date"},
        {{"--verdict", "good"}, "expected pass, inconclusive, invalid or fail"},
        {{"--limit", "0"}, "expected a number from 1"},
        {{"--import", "/no/such/place"}, "/no/such/place"},
    };
    struct place p;
    place_make(&p, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CU_ASSERT_EQUAL(history(&p, rows[i].args), 2);
        CU_ASSERT_TRUE(said(&p, "stderr", rows[i].says));
    }
    e2e_end(&p.t);
}

/* blackstart ARGS in a directory without runs, its exit status. */
static int alone(struct place *p, const char *args)
{
    char line[400];
    (void)snprintf(line, sizeof(line),
                   "cd %s && mkdir -p alone && cd alone && env -u BLACKSTART_STORE %s/blackstart "
                   "%s >%s/stdout 2>%s/stderr",
                   p->t.dir, BINARY_DIR, args, p->t.dir, p->t.dir);
    return WEXITSTATUS(shell_run(line));
}

/* `history` and `trend` say the same of a scenario that has no run, for people and programs. */
static void test_a_scenario_without_runs(void)
{
    static const char *const commands[] = {"history", "trend"};
    struct place p;
    place_make(&p, 1);
    for (size_t i = 0; i < 2; i++) {
        char line[40];
        e2e_start(&p.t, (const char *const[]){commands[i], "--store", p.file, "smal", NULL});
        CU_ASSERT_EQUAL(e2e_wait(&p.t, 20), 3);
        CU_ASSERT_TRUE(said(&p, "stderr",
                            "has no run of a scenario \"smal\"; did you mean "
                            "\"small\"?"));
        e2e_start(&p.t, (const char *const[]){commands[i], "--store", p.file, "--json", "x", NULL});
        CU_ASSERT_EQUAL(e2e_wait(&p.t, 20), 3);
        json_t *document = e2e_json(p.t.dir, "stdout");
        CU_ASSERT_EQUAL(e2e_number(document, "exit"), 3);
        CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(document, "error"), "of a scenario \"x\""));
        json_decref(document);
        (void)snprintf(line, sizeof(line), "%s small", commands[i]);
        CU_ASSERT_EQUAL(alone(&p, line), 3);
        CU_ASSERT_TRUE(said(&p, "stderr", "no runs yet: "));
    }
    /* It has some, though none like that. */
    CU_ASSERT_EQUAL(HISTORY(&p, "--verdict", "fail", "small"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "no run like that"));
    e2e_end(&p.t);
}

/* Without a store there is nothing to list, in whatever form it is asked for. */
static void test_no_store(void)
{
    struct place p;
    place_make(&p, 0);
    CU_ASSERT_EQUAL(alone(&p, "history"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "no runs yet: `blackstart run` records each in runs/"));
    CU_ASSERT_EQUAL(alone(&p, "history --json"), 0);
    json_t *document = e2e_json(p.t.dir, "stdout");
    CU_ASSERT_TRUE(json_is_array(json_object_get(document, "runs")));
    json_decref(document);
    CU_ASSERT_EQUAL(alone(&p, "history --export csv"), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "run,wall,scenario,"));
    CU_ASSERT_EQUAL(alone(&p, "history --import /tmp"), 3);
    e2e_end(&p.t);
}

/* What root makes for a person belongs to that person; and a scenario may be named by its file. */
static void test_under_sudo(void)
{
    enum { NOBODY = 65534 };
    struct place p;
    struct stat st;
    char command[400];
    place_make(&p, 1);
    (void)snprintf(
        command, sizeof(command),
        "SUDO_UID=%d SUDO_GID=%d %s/blackstart history --store %s %s/tests/e2e/small.yaml "
        ">%s/stdout 2>&1",
        NOBODY, NOBODY, BINARY_DIR, p.file, SOURCE_DIR, p.t.dir);
    CU_ASSERT_EQUAL(shell_run(command), 0);
    CU_ASSERT_TRUE(said(&p, "stdout", "  small "));
    CU_ASSERT_EQUAL(stat(p.file, &st), 0);
    CU_ASSERT_EQUAL(st.st_uid, geteuid() == 0 ? NOBODY : geteuid());
    e2e_end(&p.t);
}

static const struct check_test tests[] = {
    {"folders are read by themselves", test_folders_are_read_by_themselves},
    {"pruned runs stay away until asked for", test_pruned_runs_stay_away_until_asked_for},
    {"folders go when asked for", test_folders_go_when_asked_for},
    {"a damaged store is made anew", test_a_damaged_store_is_made_anew},
    {"what is no store is not moved", test_what_is_no_store_is_not_moved},
    {"a newer store is left alone", test_a_newer_store_is_left_alone},
    {"under sudo", test_under_sudo},
    {"what cannot be asked", test_what_cannot_be_asked},
    {"a scenario without runs", test_a_scenario_without_runs},
    {"no store", test_no_store},
};

CHECK_MAIN("history", tests)
