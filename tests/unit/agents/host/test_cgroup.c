/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/cgroup.h"
#include "base/cleanup.h"
#include "check.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char hybrid[] = "9:name=systemd:/system.slice/web.service\n"
                             "4:memory:/blackstart-r1/n1.web\n"
                             "1:cpu,cpuacct:/blackstart-r1/n1.web/inner\n"
                             "2:cpuset:/blackstart-r1/n1.cpu\n"
                             "0::/system.slice/we:b/web.service/n1.web.not\n";

static void expect(const char *controller, const char *part, const char *path)
{
    char out[64] = "";
    bool found = cgroup_parse_path(hybrid, controller, part, out, sizeof(out));
    CU_ASSERT_EQUAL(found, path != NULL);
    CU_ASSERT_STRING_EQUAL(out, path != NULL ? path : "");
}

static void test_path_up_to_the_service(void)
{
    expect("memory", "n1.web", "/blackstart-r1/n1.web");
    expect("cpu", "n1.web", "/blackstart-r1/n1.web");
    expect("cpuacct", "n1.web", "/blackstart-r1/n1.web");
    expect(NULL, "web.service", "/system.slice/we:b/web.service");
}

/* A group that holds more than the service, or another, is never taken. */
static void test_no_other_group(void)
{
    expect("memory", "web", NULL);
    expect("memory", "n1.we", NULL);
    expect("memory", "n1", NULL);
    expect("cp", "n1.web", NULL);
    expect("pids", "n1.web", NULL);
    expect(NULL, "n1.web", NULL);
    expect("systemd", "web.service", NULL);
    expect("cpuset", "n1.web", NULL);
}

static void test_room(void)
{
    char out[8];
    CU_ASSERT_FALSE(cgroup_parse_path("1:cpu:/12345678\n", "cpu", "12345678", out, sizeof(out)));
    CU_ASSERT_TRUE(cgroup_parse_path("1:cpu:/123456\n", "cpu", "123456", out, sizeof(out)));
    CU_ASSERT_FALSE(cgroup_parse_path("no such line", "cpu", "a", out, sizeof(out)));
    CU_ASSERT_FALSE(cgroup_parse_path("", NULL, "a", out, sizeof(out)));
}

/* A directory that looks like version 2 where the kernel has cpu, io, memory and pids. */
#define ROOT "/tmp/blackstart-cgroup-XXXXXX"
static char root[sizeof(ROOT)];
static const char *const parts[] = {"cgroup.procs",
                                    "cgroup.controllers",
                                    "cgroup.subtree_control",
                                    "blackstart-a/cgroup.subtree_control",
                                    "user.slice/cgroup.subtree_control",
                                    "system.slice/cgroup.subtree_control",
                                    "blackstart-a",
                                    "user.slice",
                                    "system.slice"};
enum { N_PARTS = sizeof(parts) / sizeof(parts[0]), DIRS = 3 };

static void tree_write(const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", root, name);
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void tree_make(void)
{
    char path[128];
    memcpy(root, ROOT, sizeof(root));
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
    for (size_t i = N_PARTS - DIRS; i < N_PARTS; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, parts[i]);
        CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < N_PARTS - DIRS; i++)
        tree_write(parts[i], "");
    tree_write("cgroup.controllers", "cpuset cpu io memory pids\n");
}

static void tree_remove(void)
{
    char path[128];
    for (size_t i = 0; i < N_PARTS; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", root, parts[i]);
        CU_ASSERT_EQUAL(remove(path), 0);
    }
    CU_ASSERT_EQUAL(rmdir(root), 0);
}

/* What a group has is what all groups above it hand down. */
static void test_handed_down(void)
{
    tree_make();
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, true), CGROUP_KEPT_BY_ROOT);
    tree_write("cgroup.subtree_control", "memory pids\n");
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, true), CGROUP_KEPT_BY_ROOT);
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_MEMORY, true), CGROUP_KEPT_BELOW);
    tree_write("cgroup.subtree_control", "cpu io memory pids\n");
    tree_write("blackstart-a/cgroup.subtree_control", "io memory\n");
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, true), CGROUP_REACHES);
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_CPU, true), CGROUP_KEPT_BELOW); /* not cpuset */
    /* On a real host a lab says nothing of units; one slice that has it is enough. */
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, false), CGROUP_KEPT_BELOW);
    tree_write("system.slice/cgroup.subtree_control", "io\n");
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, false), CGROUP_REACHES);
    tree_write("cgroup.controllers", "hugetlb\n");
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, true), CGROUP_ABSENT);
    tree_remove();
    CU_ASSERT_EQUAL(cgroup_reach(root, CGROUP_IO, true), CGROUP_ABSENT);
}

static const struct check_test tests[] = {
    {"a path ends at the service", test_path_up_to_the_service},
    {"no other group", test_no_other_group},
    {"room for the path", test_room},
    {"a controller that is handed down", test_handed_down},
};

CHECK_MAIN("host/cgroup", tests)
