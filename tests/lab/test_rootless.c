/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other lab tests once more as an ordinary user, where the kernel gives one user namespaces. */
#include "lab_check.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

enum { ORDINARY = 31337 };

#define HOME_DIR "/var/tmp/blackstart-test-home"

static int run_as_ordinary(const char *program, const char *only)
{
    pid_t pid = fork();
    if (pid == 0) {
        if (setgroups(0, NULL) != 0 || setresgid(ORDINARY, ORDINARY, ORDINARY) != 0 ||
            setresuid(ORDINARY, ORDINARY, ORDINARY) != 0 || setenv("HOME", HOME_DIR, 1) != 0 ||
            setenv("TEST_NAME", only, 1) != 0)
            _exit(125);
        if (program == NULL)
            _exit(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : 1);
        (void)execl(program, program, (char *)NULL);
        _exit(126);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_program(const char *name, const char *only)
{
    char program[256];
    if (geteuid() != 0)
        return; /* then the tests themselves run as an ordinary user */
    if (run_as_ordinary(NULL, "") != 0) {
        (void)fprintf(stderr, "    skipped: no user namespaces for an ordinary user here\n");
        return;
    }
    (void)mkdir(HOME_DIR, 0755);
    CU_ASSERT_EQUAL(chown(HOME_DIR, ORDINARY, ORDINARY), 0);
    (void)snprintf(program, sizeof(program), "%s/tests/%s", BINARY_DIR, name);
    int status = run_as_ordinary(program, only);
    if (status == 126)
        (void)fprintf(stderr, "    skipped: the build directory is closed to other users\n");
    else
        CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_EQUAL(machine_run("rm -rf " HOME_DIR, NULL, 0), 0);
}

static void test_etcd(void)
{
    check_program("lab_test_etcd", "");
}

static void test_hosts(void)
{
    check_program("lab_test_hosts", "");
}

static void test_services(void)
{
    check_program("lab_test_services", "user");
}

static void test_end(void)
{
    check_program("lab_test_end", "killed");
}

static const struct check_test tests[] = {
    {"etcd", test_etcd},
    {"hosts", test_hosts},
    {"services", test_services},
    {"end", test_end},
};

CHECK_MAIN("lab/rootless", tests)
