/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A run's reports under a process that dies, and a disk that fails, at each call; and on a disk
 * that is full after each page. Afterwards each file is the one that was there before, or the new
 * one, byte for byte; whoever tries again has all of them.
 */
#include "../unit/reports/example.h"
#include "base/cleanup.h"
#include "crash/injector.h"
#include "store_rig.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { POINTS_MAX = 2000, REFUSED = 9, PAGES_STEP = 2 };

static struct example example;
static char dir[64];
/* What report_write() makes, and what stood there before. */
static struct buf fresh[REPORT_RENDERERS_MAX], old[REPORT_RENDERERS_MAX];

static struct report report_of(void)
{
    return (struct report){example.scenario, example.history, example.analysis, dir};
}

static void rig_begin(void)
{
    example_tell(&example);
    CU_ASSERT_PTR_NOT_NULL_FATAL(example.analysis);
    const struct report report = report_of();
    struct err err;
    for (size_t i = 0; i < report_n_renderers; i++) {
        fresh[i] = old[i] = BUF_INIT(REPORT_MAX);
        CU_ASSERT_EQUAL_FATAL(report_render(&report, &report_renderers[i], &fresh[i], &err), 0);
        buf_printf(&old[i], "an earlier %s", report_renderers[i].file);
    }
}

static void rig_end(void)
{
    example_free(&example);
    for (size_t i = 0; i < report_n_renderers; i++) {
        buf_free(&fresh[i]);
        buf_free(&old[i]);
    }
}

static void dir_make(void)
{
    (void)snprintf(dir, sizeof(dir), "%s/blackstart-crash-reports-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(dir) == NULL)
        abort();
}

static void old_write(void)
{
    struct err err;
    for (size_t i = 0; i < report_n_renderers; i++)
        CU_ASSERT_EQUAL_FATAL(
            report_write_file(dir, report_renderers[i].file, buf_text(&old[i]), old[i].len, &err),
            0);
}

static bool is_text(const struct buf *is, const struct buf *want)
{
    return is->len == want->len && memcmp(is->data, want->data, want->len) == 0;
}

/* How many are the new one; -1: one is neither that nor what was there before. */
static int count_new(bool had)
{
    int n = 0;
    for (size_t i = 0; i < report_n_renderers; i++) {
        CLEANUP_BUF struct buf is = BUF_INIT(REPORT_MAX);
        char path[128];
        struct err err;
        (void)snprintf(path, sizeof(path), "%s/%s", dir, report_renderers[i].file);
        CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool there = fd >= 0 && buf_read_fd(&is, fd, &err) == 0;
        if (there && is_text(&is, &fresh[i]))
            n++;
        else if (there ? !had || !is_text(&is, &old[i]) : had) {
            printf("\n  %s: %s of %zu bytes, neither the new one (%zu) nor the old\n",
                   report_renderers[i].file, there ? "one" : "none", is.len, fresh[i].len);
            return -1;
        }
    }
    return n;
}

/* Nothing but reports. */
static bool is_tidy(void)
{
    CLEANUP_DIR DIR *d = opendir(dir);
    size_t n = 0;
    for (const struct dirent *e; d != NULL && (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    return d != NULL && n <= report_n_renderers;
}

/* A process that writes all of them once a byte comes. */
static pid_t victim_start(int line[2])
{
    if (pipe2(line, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    const struct report report = report_of();
    struct err err;
    char word;
    if (read(line[0], &word, 1) != 1)
        _exit(1);
    _exit(report_write(&report, REPORT_ALL, &err) == 0 ? 0 : REFUSED);
}

/* Between two of these a kill finds the same. */
static bool changes(const struct injector_plan *plan, long number)
{
    (void)plan;
    return number == SYS_openat || number == SYS_write || number == SYS_fsync ||
           number == SYS_close || number == SYS_renameat || number == SYS_rename ||
           number == SYS_unlinkat || number == SYS_ftruncate;
}

static bool fills(const struct injector_plan *plan, long number)
{
    (void)plan;
    return number == SYS_write || number == SYS_fsync || number == SYS_renameat;
}

static int harm(const struct injector_plan *plan, bool *ret_hit)
{
    int line[2];
    pid_t pid = victim_start(line);
    CU_ASSERT_TRUE_FATAL(pid > 0);
    int status = injector_harm(pid, line, plan, ret_hit);
    CU_ASSERT_NOT_EQUAL_FATAL(status, -1);
    return status;
}

/* Harmed at the k-th call; *ret_new: how many came to be the new one. */
static bool is_well(const struct injector_plan *plan, bool had, bool *ret_hit, int *ret_new)
{
    const int all = (int)report_n_renderers;
    const struct report report = report_of();
    struct err err;
    int status = harm(plan, ret_hit);
    bool refused = WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;
    *ret_new = count_new(had);
    if (*ret_new < 0 || *ret_hit != (plan->signal != 0 ? WIFSIGNALED(status) : refused) ||
        (!*ret_hit && *ret_new != all))
        return false;
    /* A process that was killed cannot take away what it was writing beside. */
    if (plan->signal == 0 && !is_tidy())
        return false;
    return report_write(&report, REPORT_ALL, &err) == 0 && count_new(had) == all;
}

static void sweep(const char *what, const struct injector_plan *plan, bool had)
{
    unsigned k = 1, bad = 0, none = 0;
    for (bool hit = true; hit && k < POINTS_MAX; k++) {
        struct injector_plan p = *plan;
        int n = 0;
        p.k = k;
        dir_make();
        if (had)
            old_write();
        if (!is_well(&p, had, &hit, &n)) {
            printf("  %s at call %u: %d new\n", what, k, n);
            bad++;
        }
        none += n == 0;
        store_rig_remove(dir);
    }
    CU_ASSERT_EQUAL(bad, 0);
    /* An error of a moment meets one file only. */
    CU_ASSERT(k > 2 * report_n_renderers && (none > 2 || (plan->signal == 0 && !plan->lasts)));
    printf("\n    figure: reports, %s: %s at %u calls, %u bad\n    ",
           had ? "earlier ones there" : "none before", what, k - 2, bad);
}

static void test_killed(void)
{
    const struct injector_plan plan = {.signal = SIGKILL, .counts = changes};
    rig_begin();
    sweep("killed", &plan, true);
    sweep("killed", &plan, false);
    rig_end();
}

static void test_a_failing_disk(void)
{
    const struct injector_plan full = {.error = ENOSPC, .lasts = true, .counts = fills};
    const struct injector_plan moment = {.error = ENOSPC, .counts = fills};
    const struct injector_plan broken = {.error = EIO, .lasts = true, .counts = fills};
    rig_begin();
    sweep("full from then on", &full, true);
    sweep("full for a moment", &moment, true);
    sweep("broken from then on", &broken, false);
    rig_end();
}

/* In a mount namespace of its own: a disk of so many pages, which takes a write in part. */
static int fill_disk(unsigned pages)
{
    const struct report report = report_of();
    char size[48];
    struct err err = {.msg = ""};
    (void)snprintf(size, sizeof(size), "size=%u", pages * 4096);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", dir, "tmpfs", 0, size) != 0)
        return 1;
    old_write();
    int r = report_write(&report, REPORT_ALL, &err), n = count_new(true);
    if (n < 0 || !is_tidy() || (r == 0) != (n == (int)report_n_renderers) ||
        (r != 0 && strstr(err.msg, "No space left on device") == NULL))
        return printf("\n  %u pages: %d, %d new: %s\n", pages, r, n, err.msg), 2;
    return r == 0 ? 0 : REFUSED;
}

static void test_a_full_disk(void)
{
    unsigned pages = (unsigned)report_n_renderers + 1, refused = 0;
    int status = REFUSED << 8;
    rig_begin();
    dir_make();
    for (; WIFEXITED(status) && WEXITSTATUS(status) == REFUSED; pages += PAGES_STEP) {
        (void)fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            int r = fill_disk(pages);
            (void)fflush(stdout);
            _exit(r);
        }
        CU_ASSERT_EQUAL_FATAL(waitpid(pid, &status, 0), pid);
        refused += status == REFUSED << 8;
    }
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT(refused > 5);
    printf("\n    figure: reports: disks of %zu to %u pages too small, and told\n    ",
           report_n_renderers + 1, pages - 2 * PAGES_STEP);
    store_rig_remove(dir);
    rig_end();
}

static const struct check_test tests[] = {
    {"killed", test_killed},
    {"a failing disk", test_a_failing_disk},
    {"a full disk", test_a_full_disk},
};

CHECK_MAIN("reports under crashes", tests)
