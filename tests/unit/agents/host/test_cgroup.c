/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/host/cgroup.h"
#include "check.h"

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

static const struct check_test tests[] = {
    {"a path ends at the service", test_path_up_to_the_service},
    {"no other group", test_no_other_group},
    {"room for the path", test_room},
};

CHECK_MAIN("host/cgroup", tests)
