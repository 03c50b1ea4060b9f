/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store among several processes, and on a file system that is really full. */
#include "check.h"
#include "store_rig.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { PROCESSES = 4, EACH = 6, FOLDERS = 100 };

static char top[64], file[80];

static void begin(void)
{
    (void)snprintf(top, sizeof(top), "/tmp/blackstart-store-together-XXXXXX");
    if (mkdtemp(top) == NULL)
        abort();
    (void)snprintf(file, sizeof(file), "%s/history.db", top);
}

static void folder_name(char out[256], int process, int n)
{
    (void)snprintf(out, 256, "%s/p%d/r%d-%d", top, process, process, n);
}

/* One coordinator after the other, as far as the store can tell. */
static int record_each(int process)
{
    struct err err = {.msg = ""};
    char dir[256];
    for (int n = 0; n < EACH; n++) {
        folder_name(dir, process, n);
        if (store_rig_catch_up(file, dir, &err) != 0) {
            printf("\n  process %d: %s\n", process, err.msg);
            (void)fflush(stdout);
            return 1;
        }
    }
    return 0;
}

/* Reads until it is told to stop: what it sees is whole, and never an error. */
static int read_on(int stop)
{
    char word;
    size_t least = 0;
    while (read(stop, &word, 1) < 0) {
        CLEANUP_STORE struct store *s = NULL;
        CLEANUP_STORE_LIST struct store_list list = {.n = 0};
        struct err err = {.msg = ""};
        if (store_open(file, STORE_MAKE, &s, &err) != 0 ||
            store_list(s, &(struct store_filter){.limit = 0}, &list, &err) != 0 || list.n < least) {
            printf("\n  reader: %s\n", err.msg);
            (void)fflush(stdout);
            return 1;
        }
        for (size_t i = 0; i < list.n; i++)
            if (list.runs[i].run.n_targets != 2)
                return 1;
        least = list.n;
        (void)usleep(2000);
    }
    return 0;
}

/* Several make the store and fill it at the same moment. */
static void test_several_at_once(void)
{
    int go[2], stop[2];
    pid_t pids[PROCESSES + 1];
    char dir[256];
    begin();
    for (int p = 0; p < PROCESSES; p++) {
        (void)snprintf(dir, sizeof(dir), "%s/p%d", top, p);
        CU_ASSERT_EQUAL(mkdir(dir, 0755), 0);
        for (int n = 0; n < EACH; n++) {
            (void)snprintf(dir, sizeof(dir), "p%d/r%d-%d", p, p, n);
            store_rig_folder(top, dir, n);
        }
    }
    CU_ASSERT_EQUAL(pipe2(go, O_CLOEXEC), 0);
    CU_ASSERT_EQUAL(pipe2(stop, O_CLOEXEC | O_NONBLOCK), 0);
    for (int p = 0; p <= PROCESSES; p++) {
        pids[p] = fork();
        if (pids[p] != 0)
            continue;
        char word;
        (void)close(go[1]);
        (void)!read(go[0], &word, 1); /* the end of file is the word */
        _exit(p < PROCESSES ? record_each(p) : read_on(stop[0]));
    }
    (void)close(go[1]);
    for (int p = 0; p <= PROCESSES; p++) {
        int status = -1;
        if (p == PROCESSES)
            (void)!write(stop[1], "", 1);
        CU_ASSERT_EQUAL(waitpid(pids[p], &status, 0), pids[p]);
        CU_ASSERT_EQUAL(status, 0);
    }
    CU_ASSERT_EQUAL(store_rig_runs(file), PROCESSES * EACH);
    CU_ASSERT_TRUE(store_rig_is_sound(file));
    (void)close(go[0]);
    (void)close(stop[0]);
    (void)close(stop[1]);
    store_rig_remove(top);
}

/* A lock that is never let go is told, and the run is in the folder still. */
static void test_one_that_does_not_let_go(void)
{
    struct err err = {.msg = ""};
    sqlite3 *other = NULL;
    char dir[256];
    begin();
    store_rig_folder(top, "one", 1);
    store_rig_folder(top, "two", 2);
    (void)snprintf(dir, sizeof(dir), "%s/one", top);
    CU_ASSERT_EQUAL(store_rig_catch_up(file, dir, &err), 0);
    CU_ASSERT_EQUAL(sqlite3_open(file, &other), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct store *s = NULL;
    CLEANUP_CAUGHT_UP struct cmd_caught_up c = {.added = 0};
    CU_ASSERT_EQUAL_FATAL(store_open(file, STORE_MAKE, &s, &err), 0);
    store_set_patience(s, 200);
    CU_ASSERT_EQUAL(cmd_store_catch_up(s, top, false, &c, &err), -1);
    store_close(s);
    CU_ASSERT_EQUAL(err.code, ERR_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "another process has held it"));
    (void)sqlite3_close(other);
    CU_ASSERT_EQUAL(store_rig_catch_up(file, top, &err), 0);
    CU_ASSERT_EQUAL(store_rig_runs(file), 2);
    store_rig_remove(top);
}

/* On a file system of 112 KiB runs go in until it is full; nothing of those before is harmed, and
 * with room again the rest comes in. */
static void test_a_full_file_system(void)
{
    char disk[80], store[100], name[16];
    struct err err = {.msg = ""};
    begin();
    (void)snprintf(disk, sizeof(disk), "%s/disk", top);
    (void)snprintf(store, sizeof(store), "%s/history.db", disk);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir(disk, 0755) != 0 || mount("tmpfs", disk, "tmpfs", 0, "size=112k") != 0) {
        printf("\nnote: no mounts here; not run\n");
        store_rig_remove(top);
        return;
    }
    for (int n = 0; n < FOLDERS; n++) {
        (void)snprintf(name, sizeof(name), "r%d", n);
        store_rig_folder(top, name, n);
    }
    CU_ASSERT_EQUAL(store_rig_catch_up(store, top, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "No space left on device"));
    CU_ASSERT_TRUE(store_rig_is_sound(store));
    int64_t before = store_rig_runs(store);
    CU_ASSERT(before > 0 && before < FOLDERS);
    CU_ASSERT_EQUAL(mount(NULL, disk, NULL, MS_REMOUNT, "size=4m"), 0);
    CU_ASSERT_EQUAL(store_rig_catch_up(store, top, &err), 0);
    CU_ASSERT_EQUAL(store_rig_runs(store), FOLDERS);
    CU_ASSERT_TRUE(store_rig_is_sound(store));
    printf("\nnote: the store took %lld of %d runs before the file system was full\n",
           (long long)before, FOLDERS);
    CU_ASSERT_EQUAL(umount(disk), 0);
    store_rig_remove(top);
}

static const struct check_test tests[] = {
    {"several at once", test_several_at_once},
    {"one that does not let go", test_one_that_does_not_let_go},
    {"a full file system", test_a_full_file_system},
};

CHECK_MAIN("store together", tests)
