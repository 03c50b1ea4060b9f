/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Package layers: built once by two runs at once, kept, and errors that say what to do. */
#include "lab/lab_internal.h"
#include "lab/layer.h"
#include "lab_check.h"
#include "lab_etcd.h"

#include <sys/stat.h>

static char cache[128];

static void fresh_cache(const char *name)
{
    char command[300];
    (void)snprintf(cache, sizeof(cache), "/var/tmp/blackstart-layer-%d-%s", (int)getpid(), name);
    (void)snprintf(command, sizeof(command), "rm -rf %s", cache);
    CU_ASSERT_EQUAL(machine_run(command, NULL, 0), 0);
}

static const char *const small_packages[] = {"redis-tools"};
static const struct lab_spec small = {.name = "small", .packages = small_packages, .n_packages = 1};

static size_t n_said, n_told;
static char told[600]; /* the last that was said of where the packages come from */
static void count_words(void *ctx, const char *text)
{
    (void)ctx;
    if (strncmp(text, "packages for the lab: ", 22) == 0) {
        n_told++;
        (void)snprintf(told, sizeof(told), "%s", text);
    }
    if (strncmp(text, "unpacking", 9) == 0)
        n_said++;
}

static int open_layer(const struct lab_spec *spec, char *out)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    CU_ASSERT_PTR_NOT_NULL_FATAL(lab);
    lab->progress = count_words;
    int rc = layer_open(spec, cache, lab, out, PATH_MAX, &err);
    free(lab);
    return rc;
}

/* Once, whether the layer was made or was there: whoever looks on sees that nothing is installed.
 */
static void expect_told(const char *how)
{
    char expected[300];
    (void)snprintf(expected, sizeof(expected), "packages for the lab: redis-tools; %s%s", how,
                   cache);
    CU_ASSERT_EQUAL(n_told, 1);
    CU_ASSERT_EQUAL(strncmp(told, expected, strlen(expected)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(told, ", nothing is installed"));
}

/* The child's answer is the number of packages that it unpacked itself; 100 for a failure. */
static pid_t open_in_child(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        char path[PATH_MAX];
        int rc = open_layer(&small, path);
        if (rc != 0)
            (void)fprintf(stderr, "    %s\n", err.msg);
        _exit(rc != 0 ? 100 : (int)n_said);
    }
    return pid;
}

static void test_two_runs_build_once(void)
{
    int a = 0, b = 0;
    char path[PATH_MAX], again[PATH_MAX], command[4 * PATH_MAX];
    fresh_cache("two");
    pid_t one = open_in_child(), two = open_in_child();
    CU_ASSERT_EQUAL(waitpid(one, &a, 0), one);
    CU_ASSERT_EQUAL(waitpid(two, &b, 0), two);
    CU_ASSERT_TRUE(WEXITSTATUS(a) < 100 && WEXITSTATUS(b) < 100);
    CU_ASSERT_TRUE(WEXITSTATUS(a) == 0 || WEXITSTATUS(b) == 0);
    int64_t begin = clock_system(CLOCK_MONOTONIC);
    OK(open_layer(&small, path));
    CU_ASSERT_TRUE(clock_system(CLOCK_MONOTONIC) - begin < 20 * NS_PER_MS); /* no tool is run */
    n_told = 0;
    OK(open_layer(&small, again));
    CU_ASSERT_STRING_EQUAL(path, again);
    expect_told("as unpacked before in ");
    /* Nothing half built stays, no links are replaced by directories. */
    (void)snprintf(command, sizeof(command),
                   "test ! -e %s/building && test -d %s && { test ! -e %s/bin || test -L %s/bin; }",
                   cache, path, path, path);
    CU_ASSERT_EQUAL(machine_run(command, NULL, 0), 0);
    fresh_cache("two");
}

/* A build that was killed leaves only what the next one clears away. */
static void test_a_killed_build(void)
{
    char path[PATH_MAX], command[400];
    fresh_cache("killed");
    pid_t pid = open_in_child();
    pause_ms(300);
    (void)kill(pid, SIGKILL);
    CU_ASSERT_EQUAL(waitpid(pid, NULL, 0), pid);
    (void)snprintf(command, sizeof(command),
                   "mkdir -p %s/building/root/usr/bin && "
                   "touch %s/building/root/usr/bin/stale",
                   cache, cache);
    CU_ASSERT_EQUAL(machine_run(command, NULL, 0), 0);
    n_told = 0;
    OK(open_layer(&small, path));
    expect_told("unpacked into ");
    (void)snprintf(command, sizeof(command), "! find %s -name stale | grep -q .", cache);
    CU_ASSERT_EQUAL(machine_run(command, NULL, 0), 0);
    fresh_cache("killed");
}

static void test_no_such_package(void)
{
    static const char *const names[] = {"blackstart-no-such-package"};
    const struct lab_spec spec = {.name = "none", .packages = names, .n_packages = 1};
    char path[PATH_MAX];
    fresh_cache("none");
    CU_ASSERT_NOT_EQUAL(open_layer(&spec, path), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "packages for the lab"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "Unable to locate package blackstart-no-such-package"));
    fresh_cache("none");
}

static void test_plan(void)
{
    struct layer_package list[4];
    size_t n = 0;
    OK(layer_parse_plan("Reading...\n"
                        "Inst libjemalloc2 (5.3.0-1 Debian:12.11/stable [amd64])\n"
                        "Inst tool [1.0-1] (1.0-2 Debian:12.11/stable [amd64])\n"
                        "Conf libjemalloc2 (5.3.0-1 Debian:12.11/stable [amd64])\n",
                        list, 4, &n, &err));
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(list[0].text, "libjemalloc2=5.3.0-1");
    CU_ASSERT_STRING_EQUAL(list[1].text, "tool=1.0-2");
    CU_ASSERT_NOT_EQUAL(layer_parse_plan("Inst a (1\nInst b (1\n", list, 1, &n, &err), 0);
}

static const struct check_test tests[] = {
    {"two runs build once", test_two_runs_build_once},
    {"a killed build", test_a_killed_build},
    {"no such package", test_no_such_package},
    {"plan", test_plan},
};

CHECK_MAIN("lab/layer", tests)
