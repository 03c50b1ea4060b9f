/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/proc.h"
#include "check.h"

#include <stdio.h>

#define TAIL " 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 3 0 987654 10000 20 18446744073709551615\n"

static void check_stat(const char *head, const char *comm)
{
    char line[512];
    struct proc_stat stat;
    struct err err;
    int n = snprintf(line, sizeof(line), "%s S 42%s", head, TAIL);
    CU_ASSERT_EQUAL_FATAL(proc_parse_stat(line, (size_t)n, &stat, &err), 0);
    CU_ASSERT_EQUAL(stat.pid, 123);
    CU_ASSERT_EQUAL(stat.parent, 42);
    CU_ASSERT_EQUAL(stat.state, 'S');
    CU_ASSERT_EQUAL(stat.start, 987654);
    CU_ASSERT_STRING_EQUAL(stat.comm, comm);
}

static void test_names_that_look_like_the_rest(void)
{
    check_stat("123 (redis-server)", "redis-server");
    check_stat("123 (a) R 1)", "a) R 1");
    check_stat("123 (a) Z 9 9 9 (b)", "a) Z 9 9 9 (b");
    check_stat("123 ())", ")");
    check_stat("123 ()", "");
    check_stat("123 (two\nlines)", "two\nlines");
    check_stat("123 ((sd-pam))", "(sd-pam)");
}

static void test_cut_lines_are_errors(void)
{
    static const char *const lines[] = {"",
                                        "123",
                                        "123 (a",
                                        "123 (a)",
                                        "123 (a) ",
                                        "123 (a) S",
                                        "123 (a) S 4",
                                        "x (a) S 4" TAIL,
                                        "99999999999 (a) S 4" TAIL,
                                        ")123( S 1" TAIL};
    struct proc_stat stat;
    struct err err;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        CU_ASSERT_EQUAL(proc_parse_stat(lines[i], strlen(lines[i]), &stat, &err), -1);
}

static void test_every_cut_of_a_line_is_safe(void)
{
    const char *line = "123 (a b) S 42" TAIL;
    for (size_t n = 0; n < strlen(line); n++) {
        char copy[256];
        struct proc_stat stat;
        memcpy(copy, line, n);
        (void)!proc_parse_stat(copy, n, &stat, NULL);
    }
    CU_PASS("no read beyond the end");
}

static void test_status_fields(void)
{
    const char *text = "Name:\tNSpid:\t9\nState:\tt (tracing stop)\nTracerPid:\t77\n"
                       "NSpid:\t4711\t12\t1\nNSpgid:\t5\n";
    int32_t value = -1;
    CU_ASSERT_TRUE(proc_parse_status(text, "TracerPid:", &value));
    CU_ASSERT_EQUAL(value, 77);
    CU_ASSERT_TRUE(proc_parse_status(text, "NSpid:", &value));
    CU_ASSERT_EQUAL(value, 1);
    CU_ASSERT_FALSE(proc_parse_status(text, "NStgid:", &value));
    CU_ASSERT_FALSE(proc_parse_status("NSpid:\t\n", "NSpid:", &value));
    CU_ASSERT_FALSE(proc_parse_status("NSpid:\t4 -1\n", "NSpid:", &value));
    CU_ASSERT_TRUE(proc_parse_status("NSpid:\t4", "NSpid:", &value));
    CU_ASSERT_EQUAL(value, 4);
}

static void check_pid_file(const char *text, int32_t pid)
{
    struct err err;
    int32_t got = 0;
    int rc = proc_parse_pid_file(text, strlen(text), &got, &err);
    CU_ASSERT_EQUAL(rc, pid > 0 ? 0 : -1);
    CU_ASSERT_EQUAL(got, pid > 0 ? pid : 0);
}

static void test_pid_files(void)
{
    check_pid_file("42\n", 42);
    check_pid_file("42", 42);
    check_pid_file("  42\n/var/lib/postgresql\n5432\n", 42);
    check_pid_file("", 0);
    check_pid_file("0\n", 0);
    check_pid_file("-1\n", 0);
    check_pid_file("0x10\n", 0);
    check_pid_file("99999999999\n", 0);
    check_pid_file("18446744073709551617\n", 0);
    check_pid_file("nginx\n", 0);
}

static void test_one_way_of_naming(void)
{
    struct err err;
    struct proc_query none = {.service = "", .name = ""}, two = {.service = "web", .name = "nginx"},
                      one = {.service = "", .pid_file = "/run/x.pid", .tree = true},
                      unit = {.unit = "nginx.service"}, cgroup = {.cgroup = "/system.slice"};
    CU_ASSERT_EQUAL(proc_check_query(&unit, &err), 0);
    CU_ASSERT_EQUAL(proc_check_query(&cgroup, &err), 0);
    CU_ASSERT_EQUAL(proc_check_query(&none, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_INPUT);
    CU_ASSERT_EQUAL(proc_check_query(&two, &err), -1);
    CU_ASSERT_EQUAL(proc_check_query(&one, &err), 0);
}

static void test_cgroups(void)
{
    static const char text[] = "12:memory:/user.slice\n1:name=systemd:/system.slice/nginx.service\n"
                               "0::/blackstart-r1/n1.web\n";
    CU_ASSERT_TRUE(proc_parse_cgroup(text, "nginx.service"));
    CU_ASSERT_TRUE(proc_parse_cgroup(text, "n1.web"));
    CU_ASSERT_TRUE(proc_parse_cgroup(text, "/system.slice"));
    CU_ASSERT_TRUE(proc_parse_cgroup(text, "/system.slice/nginx.service"));
    CU_ASSERT_TRUE(proc_parse_cgroup(text, "/"));
    CU_ASSERT_FALSE(proc_parse_cgroup(text, "ginx.service"));
    CU_ASSERT_FALSE(proc_parse_cgroup(text, "nginx.servic"));
    CU_ASSERT_FALSE(proc_parse_cgroup(text, "web"));
    CU_ASSERT_FALSE(proc_parse_cgroup(text, "/system.slic"));
    CU_ASSERT_FALSE(proc_parse_cgroup(text, "name=systemd"));
    CU_ASSERT_FALSE(proc_parse_cgroup("0:", "x"));
    CU_ASSERT_FALSE(proc_parse_cgroup("", "/"));
    CU_ASSERT_TRUE(proc_parse_cgroup("0::/a:b/c", "a:b"));
}

static void fill_set(struct proc_set *set, uint32_t n)
{
    set->n = n;
    for (uint32_t i = 0; i < n; i++)
        set->v[i] = (struct proc_id){
            .pid = (int32_t)(100 + i), .host_pid = (int32_t)(10 + i), .start = 1000 + i % 7};
}

/* The share is rounded up; nobody is taken twice; the order of /proc does not matter. */
static void test_choice(void)
{
    static const struct {
        uint32_t n, ppm, kept;
    } cases[] = {{10, 300000, 3}, {10, 310000, 4}, {1, 1, 1},      {7, 1000000, 7},
                 {3, 500000, 2},  {0, 500000, 0},  {200, 5000, 1}, {200, 5001, 2}};
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        struct proc_set set, turned;
        fill_set(&set, cases[k].n);
        turned.n = set.n;
        for (uint32_t i = 0; i < set.n; i++)
            turned.v[i] = set.v[set.n - 1 - i];
        proc_choose(&set, PROC_SHARE, cases[k].ppm, 9);
        proc_choose(&turned, PROC_SHARE, cases[k].ppm, 9);
        CU_ASSERT_EQUAL(set.n, cases[k].kept);
        CU_ASSERT_EQUAL_FATAL(turned.n, set.n);
        for (uint32_t i = 0; i < set.n; i++) {
            CU_ASSERT_EQUAL(set.v[i].pid, turned.v[i].pid);
            for (uint32_t j = 0; j < i; j++)
                CU_ASSERT_NOT_EQUAL(set.v[i].pid, set.v[j].pid);
        }
    }
}

/* Over many seeds everybody is drawn. */
static void test_choice_of_one(void)
{
    unsigned seen = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        struct proc_set set;
        fill_set(&set, 5);
        proc_choose(&set, PROC_ONE, 0, seed);
        CU_ASSERT_EQUAL_FATAL(set.n, 1);
        seen |= 1U << (set.v[0].pid - 100);
        fill_set(&set, 5);
        proc_choose(&set, PROC_ALL, 0, seed);
        CU_ASSERT_EQUAL(set.n, 5);
    }
    CU_ASSERT_EQUAL(seen, 31);
}

static const struct check_test tests[] = {
    {"names that look like the rest", test_names_that_look_like_the_rest},
    {"cut lines are errors", test_cut_lines_are_errors},
    {"every cut of a line is safe", test_every_cut_of_a_line_is_safe},
    {"status fields", test_status_fields},
    {"pid files", test_pid_files},
    {"one way of naming", test_one_way_of_naming},
    {"cgroups", test_cgroups},
    {"the choice of a share", test_choice},
    {"the choice of one", test_choice_of_one},
};

CHECK_MAIN("host/proc_parse", tests)
