/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test program that runs itself again under the preload library, in a directory of its own with
 * "in" and "out" beneath it, and is then both: victim, and the agent that arms the page. Each
 * arming is another's, as injections are.
 */
#ifndef BLACKSTART_TESTS_LAB_FIU_PRELOADED_H
#define BLACKSTART_TESTS_LAB_FIU_PRELOADED_H

#include "agents/fiu/victim.h"
#include "base/clock.h"
#include "check.h"
#include "lab/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64]; /* work directory, by its real name; "in" and "out" lie beneath it */
static int page = -1;
static uint64_t owner; /* of the rule armed last; each arming is another's, as injections are */

static inline int64_t now(void)
{
    return clock_system(CLOCK_BOOTTIME);
}

static inline void arm_rule(struct fiu_rule rule, const char *prefix, int64_t lease_ns)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(victim_disarm(page, owner, &err), 0);
    owner++;
    rule.deadline = now() + lease_ns;
    rule.owner = owner;
    rule.ppm = 1000000;
    (void)snprintf(rule.prefix, sizeof(rule.prefix), "%s", prefix);
    rule.prefix_len = (uint32_t)strlen(rule.prefix);
    CU_ASSERT_EQUAL_FATAL(victim_arm(page, &rule, &err), 0);
}

static inline void arm(uint64_t points, int error, const char *prefix, int64_t lease_ns)
{
    arm_rule((struct fiu_rule){.points = points, .error = error}, prefix, lease_ns);
}

static inline void disarm(void)
{
    struct err err;
    CU_ASSERT_EQUAL_FATAL(victim_disarm(page, owner, &err), 0);
}

static inline struct victim_counts counts(void)
{
    struct err err;
    struct victim_counts c = {.calls = 0};
    CU_ASSERT_EQUAL(victim_counts(page, owner, &c, &err), 0);
    return c;
}

static inline const char *in(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/in/%s", dir, name);
    return path;
}

/* Fails with exactly this errno; without the rule it works. */
#define FAILS(call)                                                                                \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CU_ASSERT_EQUAL((long)(call), -1);                                                         \
        CU_ASSERT_EQUAL(errno, EDQUOT);                                                            \
    } while (0)
#define WORKS(call) CU_ASSERT_NOT_EQUAL((long)(call), -1)

static inline int run_under_preload(char **argv)
{
    static char work[] = "/tmp/blackstart-calls-XXXXXX";
    char path[128];
    if (mkdtemp(work) == NULL || chdir(work) != 0)
        return 2;
    (void)snprintf(path, sizeof(path), "%s/page", work);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, FIU_PAGE_SIZE) != 0)
        return 2;
    struct fiu_page *made = mmap(NULL, FIU_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (made == MAP_FAILED)
        return 2;
    fiu_page_init(made);
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        (void)setenv("LD_PRELOAD", BINARY_DIR "/" FIU_LIBRARY, 1);
        (void)setenv(FIU_ENV_PAGE, path, 1);
        execv("/proc/self/exe", argv);
        _exit(127);
    }
    (void)waitpid(child, &status, 0);
    struct err err;
    return tree_remove(work, &err) != 0 || !WIFEXITED(status) ? 2 : WEXITSTATUS(status);
}

/* All of a program's main. */
static inline int preloaded_main(char **argv, const char *name, const struct check_test *tests,
                                 size_t n)
{
    const char *path = getenv(FIU_ENV_PAGE);
    if (path == NULL)
        return run_under_preload(argv);
    page = open(path, O_RDWR | O_CLOEXEC);
    if (page < 0 || getcwd(dir, sizeof(dir)) == NULL || mkdir("in", 0700) != 0 ||
        mkdir("out", 0700) != 0)
        return 2;
    return check_main(name, tests, n);
}

#define PRELOADED_MAIN(name, tests)                                                                \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        (void)argc;                                                                                \
        return preloaded_main(argv, name, tests, sizeof(tests) / sizeof((tests)[0]));              \
    }

#endif
