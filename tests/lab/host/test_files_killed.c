/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/host/environment.h"

#include <sys/ptrace.h>

/* Runs apply or revert in a process that is killed as it enters its k-th system call. True when it
 * came to its end before. */
static bool run_and_kill(int (*step)(void), long k, struct undo *shared)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        (void)ptrace(PTRACE_TRACEME, 0, 0, 0);
        (void)raise(SIGSTOP);
        _exit(step() == 0 ? 0 : 1);
    }
    (void)waitpid(pid, &status, 0);
    for (long stops = 0; stops < 2 * k; stops++) {
        (void)ptrace(PTRACE_SYSCALL, pid, 0, 0);
        (void)waitpid(pid, &status, 0);
        if (WIFEXITED(status)) {
            CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
            undo = *shared;
            return true;
        }
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    return false;
}

static struct undo *shared_undo;

/* What apply notes is in the record only when it came to its end. */
static int step_apply(void)
{
    struct err err;
    struct undo mine = undo;
    if (row->apply(&rig.host, args, &mine, &err) != 0)
        return -1;
    *shared_undo = mine;
    return 0;
}

static int step_revert(void)
{
    struct err err;
    struct revert_report report;
    return row->revert(&rig.host, &undo, &report, &err);
}

static long sweep(void (*make_args)(void), bool kill_revert)
{
    struct err err;
    bool ended = false;
    long k = 0;
    for (; !ended && k < 5000; k++) {
        make_args();
        CHECK_OK(row->prepare(&rig.host, args, &undo, &err), err);
        *shared_undo = undo;
        if (!kill_revert) {
            ended = run_and_kill(step_apply, k, shared_undo);
        } else {
            CHECK_OK(row->apply(&rig.host, args, &undo, &err), err);
            *shared_undo = undo;
            ended = run_and_kill(step_revert, k, shared_undo);
        }
        CU_ASSERT_FALSE(take_off());
        bool clean = is_as_before();
        if (!clean)
            printf("    killed at call %ld of %s\n", k, kill_revert ? "revert" : "apply");
        CU_ASSERT_TRUE_FATAL(clean);
    }
    CU_ASSERT_TRUE(ended);
    return k;
}

static void check_sweep(const char *fault, void (*make_args)(void))
{
    shared_undo =
        mmap(NULL, sizeof(*shared_undo), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    begin(fault);
    long apply = sweep(make_args, false), revert = sweep(make_args, true);
    printf("\n    figure: %s%s killed at each of %ld calls of apply and %ld of revert: clean\n",
           fault, overlay ? " on an overlay" : "", apply - 1, revert - 1);
    end();
    (void)munmap(shared_undo, sizeof(*shared_undo));
}

static void test_killed_at_every_call(void)
{
    check_sweep("config.push", edit_args);
    check_sweep("environment.delete", delete_args);
}

static void test_sweep_on_overlay(void)
{
    on_overlay(test_killed_at_every_call);
}

static const struct check_test tests[] = {
    {"killed at every call", test_killed_at_every_call},
    {"killed at every call, on an overlay", test_sweep_on_overlay},
};

int main(void)
{
    return environment_main("lab/host/files_killed", tests, sizeof(tests) / sizeof(tests[0]));
}
