/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders of runs that were copied, or hold what only looks like a run; nothing is run. */
#include "check.h"
#include "shell.h"
#include "store_rig.h"

#include <sys/wait.h>

static char top[64], said[65536];

/* The exit status of a line of shell in the folders' place, at most ten seconds; what it printed on
 * both outputs is in `said`. */
static int line(const char *text)
{
    char whole[1024];
    (void)snprintf(whole, sizeof(whole),
                   "cd %s && export BLACKSTART_STORE= PATH=" BINARY_DIR ":$PATH; { %s; } 2>&1", top,
                   text);
    int status = shell_read(whole, said, sizeof(said));
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect(const char *text, int status, const char *says)
{
    int got = line(text);
    if (got != status || strstr(said, says) == NULL)
        (void)printf("%s: %d: %s\n", text, got, said);
    CU_ASSERT_EQUAL(got, status);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, says));
}

/* Two runs, and copies of the first. */
static void begin(void)
{
    (void)snprintf(top, sizeof(top), "/tmp/blackstart-folders-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(top));
    store_rig_folder(top, "a", 0);
    store_rig_folder(top, "b", 1);
    expect("cp -r a a2; mkdir all; cp -r a all/a; cp -r a all/a2", 0, "");
}

static void test_a_copy_counts_once(void)
{
    begin();
    expect("blackstart outages --table a >one; blackstart outages --table a a2 all/a >two; "
           "cmp one two && blackstart outages --table all | cmp one -",
           0, "");
    expect("blackstart outages --table a b >two; cmp -s one two", 1, "");
    store_rig_remove(top);
}

static void test_a_run_on_both_sides(void)
{
    static const char *const lines[] = {"compare a a", "compare a a2", "compare a b -- a2",
                                        "compare --json a a2"};
    char text[100];
    begin();
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        (void)snprintf(text, sizeof(text), "blackstart %s", lines[i]);
        expect(text, 2, ": this run was given on both sides");
    }
    expect("blackstart compare a a2 -- b", 2, "a2: this run was given twice");
    expect("blackstart compare a b", 3, "");
    store_rig_remove(top);
}

static void test_what_is_no_file(void)
{
    static const char *const commands[] = {"report", "samples", "compare b", "outages --table",
                                           "send --otlp http://127.0.0.1:9"};
    char text[200];
    begin();
    expect("rm a/journal.ndjson; mkfifo a/journal.ndjson", 0, "");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        (void)snprintf(text, sizeof(text), "timeout 10 blackstart %s a", commands[i]);
        expect(text, 2, "blackstart: a: journal.ndjson is not a regular file\n");
    }
    expect("mkfifo b/samples-0000.bin; timeout 10 blackstart samples b", 0, "trial,probe,");
    expect("rm a/journal.ndjson; ln -s ../a2/journal.ndjson a; blackstart samples a", 0, "trial,");
    store_rig_remove(top);
}

/* A store that cannot be used is not the command line's fault, whatever it is instead. */
static void test_what_is_no_store(void)
{
    begin();
    expect("blackstart history --store /etc/passwd", 3, "/etc/passwd is no store of runs");
    expect("blackstart trend --store /etc/passwd small", 3, "/etc/passwd is no store of runs");
    expect("blackstart history --store a", 3, "the store a is not a file");
    expect("blackstart history --json --store /etc/passwd 2>/dev/null", 3, "\"exit\": 3,");
    expect("blackstart history --rebuild --store /etc/passwd", 2, "or add --force");
    expect("blackstart history", 2, "BLACKSTART_STORE is empty, which means no store");
    expect("blackstart trend small", 2, "; --store FILE names one");
    expect("blackstart history --rebuild", 2, "BLACKSTART_STORE is empty");
    expect("blackstart history --store ''", 2, "--store needs a file's name here");
    expect("blackstart history --rebuild --store ''", 2, "--store needs a file's name here");
    store_rig_remove(top);
}

static void test_import_of_copies(void)
{
    begin();
    expect("mkdir all/x; mkfifo all/x/y; mkdir all/z; : >all/z/journal.ndjson; mkdir s", 0, "");
    expect("blackstart history --store s/h.db --import all 2>/dev/null", 2,
           "1 run recorded in s/h.db; 1 folder holds a copy\n");
    expect("blackstart history --store s/h.db --import a --import a2 --import b", 0,
           "2 runs recorded in s/h.db; 1 folder holds a copy\n");
    expect("mkdir c; : >c/journal.ndjson; blackstart history --store h.db --import .", 2,
           "2 runs recorded in h.db; 1 folder holds a copy\n");
    const char *note = strstr(said, "note: ");
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "note: 1 folder holds no run that can be read"));
    CU_ASSERT_TRUE(note != NULL && strstr(note + 1, "note: ") == NULL); /* once */
    expect("blackstart history --store h.db --rebuild", 0, "2 runs recorded in h.db; 1 folder ");
    store_rig_remove(top);
}

static const struct check_test tests[] = {
    {"a copy counts once", test_a_copy_counts_once},
    {"a run on both sides", test_a_run_on_both_sides},
    {"what is no file", test_what_is_no_file},
    {"what is no store", test_what_is_no_store},
    {"an import of copies", test_import_of_copies},
};

CHECK_MAIN("folders", tests)
