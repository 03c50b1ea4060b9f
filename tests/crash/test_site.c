/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call sites as the error sweep counts them: a loop is one, and two callers of it are two. */
#include "check.h"
#include "crash/injector.h"

#include <errno.h>
#include <signal.h>
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

static _Noreturn void live(const int line[2], int here, int there)
{
    char word;
    volatile int n = there;
    (void)!read(line[LINE_GO], &word, 1);
    call_often(here);
    call_from_elsewhere(&n);
    for (;;)
        (void)pause();
}

/* How many of its calls count, of `here` at one site and `there` at another. */
static unsigned count(int here, int there, bool by_site)
{
    int line[2];
    struct injector_child child;
    unsigned calls = 0;
    const struct injector_plan plan = {
        .error = EIO, .k = 1000, .by_site = by_site, .counts = counts};
    CU_ASSERT_EQUAL_FATAL(pipe(line), 0);
    pid_t pid = fork();
    if (pid == 0)
        live(line, here, there);
    CU_ASSERT_TRUE(injector_plan_start(&child, pid, &plan));
    (void)!write(line[LINE_DONE], "", 1);
    for (int tries = 0; tries < 400; tries++) {
        unsigned before = child.tally->calls;
        (void)usleep(10000);
        if (before != 0 && before == child.tally->calls)
            break;
    }
    (void)injector_finish(&child, &calls);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(line[0]);
    (void)close(line[1]);
    return calls;
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
};

CHECK_MAIN("crash/site", tests)
