/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which calls the sweeps count. Call sites: a loop is one, and two callers of it are two. Changes:
 * of a row of calls that only look, the first and the last. */
#include "check.h"
#include "crash/injector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_GO = 0, LINE_DONE = 1 };

static bool counts(const struct injector_plan *plan, long number)
{
    (void)plan;
    return number == SYS_fchdir;
}

/* noinline: a call of its own on the stack. */
static __attribute__((noinline)) void call_often(int n)
{
    for (volatile int i = 0; i < n; i++)
        (void)!fchdir(-1);
}

static __attribute__((noinline)) void call_from_elsewhere(volatile int *n)
{
    call_often(*n);
    *n = 0;
}

static void call_at_two_sites(int here, int there)
{
    volatile int n = there;
    call_often(here);
    call_from_elsewhere(&n);
}

static void look_change_look(int before, int after)
{
    struct stat ignored;
    for (volatile int i = 0; i < before; i++)
        (void)fstat(0, &ignored);
    (void)unlinkat(-1, "nothing", 0);
    for (volatile int i = 0; i < after; i++)
        (void)fstat(0, &ignored);
}

/* Says on `over` that it has acted. */
static _Noreturn void live(const int line[2], int over, void (*act)(int here, int there), int here,
                           int there)
{
    char word;
    (void)!read(line[LINE_GO], &word, 1);
    act(here, there);
    (void)!write(over, "", 1);
    for (;;)
        (void)pause();
}

static unsigned count_of(const struct injector_plan *plan, void (*act)(int here, int there),
                         int here, int there)
{
    int line[2], over[2];
    struct injector_child child;
    unsigned calls = 0;
    CU_ASSERT_EQUAL_FATAL(pipe(line), 0);
    CU_ASSERT_EQUAL_FATAL(pipe(over), 0);
    pid_t pid = fork();
    if (pid == 0)
        live(line, over[1], act, here, there);
    CU_ASSERT_TRUE(injector_plan_start(&child, pid, plan));
    (void)!write(line[LINE_DONE], "", 1);
    struct pollfd acted = {.fd = over[0], .events = POLLIN};
    CU_ASSERT_EQUAL(poll(&acted, 1, 20000), 1);
    (void)injector_finish(&child, &calls);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(line[0]);
    (void)close(line[1]);
    (void)close(over[0]);
    (void)close(over[1]);
    return calls;
}

static unsigned count(int here, int there, bool by_site)
{
    const struct injector_plan plan = {
        .error = EIO, .k = 1000, .by_site = by_site, .counts = counts};
    return count_of(&plan, call_at_two_sites, here, there);
}

static bool counts_two(const struct injector_plan *plan, long number)
{
    (void)plan;
    return number == SYS_newfstatat || number == SYS_fstat || number == SYS_unlinkat;
}

static void test_changes(void)
{
    struct injector_plan plan = {.error = EIO, .k = 1000, .counts = counts_two};
    CU_ASSERT_EQUAL(count_of(&plan, look_change_look, 9, 9), 19);
    plan.by_change = true;
    CU_ASSERT_EQUAL(count_of(&plan, look_change_look, 9, 9), 3); /* first look, change, look */
    CU_ASSERT_EQUAL(count_of(&plan, look_change_look, 9, 0), 2);
}

static void test_sites(void)
{
    CU_ASSERT_EQUAL(count(20, 0, false), 20);
    CU_ASSERT_EQUAL(count(1, 0, true), 1);
    CU_ASSERT_EQUAL(count(20, 0, true), 5);   /* 1, 2, 4, 8, 16 */
    CU_ASSERT_EQUAL(count(20, 20, true), 10); /* the same, called from elsewhere */
}

static const struct check_test tests[] = {
    {"call sites", test_sites},
    {"changes", test_changes},
};

CHECK_MAIN("crash/points", tests)
