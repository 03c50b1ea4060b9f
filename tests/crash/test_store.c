/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store of runs under a process that dies, and a disk that fails, at each call that changes
 * anything: afterwards it opens, is sound, has a run whole or not at all, and catches up from the
 * folders.
 */
#include "check.h"
#include "crash/injector.h"
#include "store_rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { POINTS_MAX = 2000, WHY_MAX = 4096, REFUSED = 9 };

struct rig {
    char dir[64], file[80];
    char *why; /* what the victim says; shared with it, since a write may be refused */
};

static void rig_begin(struct rig *r, bool made)
{
    struct err err = {.msg = ""};
    /* In memory: what a process that dies leaves is the same, and a flush costs nothing. */
    (void)snprintf(r->dir, sizeof(r->dir), "%s/blackstart-crash-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(r->dir) == NULL)
        abort();
    (void)snprintf(r->file, sizeof(r->file), "%s/history.db", r->dir);
    r->why = mmap(NULL, WHY_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CU_ASSERT_PTR_NOT_EQUAL_FATAL(r->why, MAP_FAILED);
    store_rig_folder(r->dir, "one", 1);
    if (!made)
        return;
    CU_ASSERT_EQUAL(store_rig_catch_up(r->file, r->dir, &err), 0);
    store_rig_folder(r->dir, "two", 2);
}

static void rig_end(struct rig *r)
{
    (void)munmap(r->why, WHY_MAX);
    store_rig_remove(r->dir);
}

/* A process that catches up once a byte comes. */
static pid_t victim_start(const struct rig *r, int line[2])
{
    if (pipe2(line, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    struct err err = {.msg = ""};
    char word;
    if (read(line[0], &word, 1) != 1)
        _exit(1);
    if (store_rig_catch_up(r->file, r->dir, &err) == 0)
        _exit(0);
    (void)snprintf(r->why, WHY_MAX, "%s", err.msg);
    _exit(REFUSED);
}

static bool fills(const struct injector_plan *plan, long number)
{
    (void)plan;
    return number == SYS_write || number == SYS_pwrite64 || number == SYS_fsync ||
           number == SYS_fdatasync || number == SYS_ftruncate || number == SYS_fallocate;
}

/* Between two of these a kill finds the same; the full form does not believe it. */
static bool changes(const struct injector_plan *plan, long number)
{
    const char *full = getenv("BLACKSTART_FULL");
    return fills(plan, number) || number == SYS_openat || number == SYS_unlink ||
           (full != NULL && strcmp(full, "yes") == 0);
}

/* The wait status; *ret_hit: the k-th call was reached. */
static int harm(const struct rig *r, const struct injector_plan *plan, bool *ret_hit)
{
    int line[2];
    pid_t pid = victim_start(r, line);
    CU_ASSERT_TRUE_FATAL(pid > 0);
    int status = injector_harm(pid, line, plan, ret_hit);
    CU_ASSERT_NOT_EQUAL_FATAL(status, -1);
    return status;
}

/* Nothing was lost, and nothing lies about. */
static bool is_well(const struct rig *r, int64_t before, int64_t after)
{
    struct err err = {.msg = ""};
    char journal[96];
    int64_t n = before;
    /* A file without tables is what a kill leaves that came before the first one. */
    if (store_rig_number(r->file, "SELECT count(*) FROM sqlite_schema") > 0)
        n = store_rig_runs(r->file);
    bool well =
        (n == before || n == after) && (access(r->file, F_OK) != 0 || store_rig_is_sound(r->file));
    (void)snprintf(journal, sizeof(journal), "%s-journal", r->file);
    well = well && store_rig_catch_up(r->file, r->dir, &err) == 0 &&
           store_rig_runs(r->file) == after && store_rig_is_sound(r->file) &&
           access(journal, F_OK) != 0;
    if (!well)
        printf("\n  runs %lld, not %lld or %lld: %s\n", (long long)n, (long long)before,
               (long long)after, err.msg);
    return well;
}

static void sweep_kills(bool made)
{
    unsigned k = 1, bad = 0;
    for (bool hit = true; hit && k < POINTS_MAX; k++) {
        const struct injector_plan plan = {.signal = SIGKILL, .k = k, .counts = changes};
        struct rig r = {.why = NULL};
        rig_begin(&r, made);
        int status = harm(&r, &plan, &hit);
        CU_ASSERT_EQUAL(hit, WIFSIGNALED(status));
        if (!is_well(&r, made ? 1 : 0, made ? 2 : 1)) {
            printf("  killed at call %u\n", k);
            bad++;
        }
        rig_end(&r);
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(k > 20);
    printf("\nfigure: store, %s: killed at %u calls, %u bad\n", made ? "one run more" : "new",
           k - 2, bad);
}

static void test_killed_while_it_is_made(void)
{
    sweep_kills(false);
}

static void test_killed_while_a_run_goes_in(void)
{
    sweep_kills(true);
}

/* SQLite does not say which error a flush had. */
static bool is_told(const struct rig *r, int error)
{
    return strstr(r->why, "the disk is full or failing") != NULL ||
           strstr(r->why, error == ENOSPC ? "No space left on device" : "disk I/O error") != NULL;
}

/* A failure is told, or did not matter. */
static void sweep_errors(int error, bool lasts)
{
    unsigned k = 1, bad = 0, told = 0;
    for (bool hit = true; hit && k < POINTS_MAX; k++) {
        const struct injector_plan plan = {.error = error, .k = k, .lasts = lasts, .counts = fills};
        struct rig r = {.why = NULL};
        rig_begin(&r, true);
        int status = harm(&r, &plan, &hit);
        bool refused = WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;
        told += refused;
        if (!(refused ? is_told(&r, error) : WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
            !is_well(&r, 1, 2)) {
            printf("  error %d at call %u: status %x, \"%s\"\n", error, k, (unsigned)status, r.why);
            bad++;
        }
        rig_end(&r);
    }
    CU_ASSERT_EQUAL(bad, 0);
    CU_ASSERT(told > 3);
    printf("\nfigure: store: error %d%s at %u calls, %u told, %u bad\n", error,
           lasts ? " from then on" : "", k - 2, told, bad);
}

static void test_a_full_disk(void)
{
    sweep_errors(ENOSPC, true);
}

static void test_a_full_disk_for_a_moment(void)
{
    sweep_errors(ENOSPC, false);
}

static void test_a_failing_disk(void)
{
    sweep_errors(EIO, true);
}

static const struct check_test tests[] = {
    {"killed while it is made", test_killed_while_it_is_made},
    {"killed while a run goes in", test_killed_while_a_run_goes_in},
    {"a full disk", test_a_full_disk},
    {"a full disk for a moment", test_a_full_disk_for_a_moment},
    {"a failing disk", test_a_failing_disk},
};

CHECK_MAIN("store under crashes", tests)
