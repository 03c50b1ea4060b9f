/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's root is an overlay, as a container's is: what a lab can do there, and what it says
 * where it can do nothing. */
#include "lab/lab_check.h"
#include "lab/lab_etcd.h"
#include "vm/guest.h"

static const char *const one_name[] = {"n1"};
static const char *const idle_command[] = {"etcd", "--version"};
static const struct lab_service_spec idle = {.name = "idle",
                                             .hosts = one_name,
                                             .n_hosts = 1,
                                             .command = idle_command,
                                             .n_command = COUNT(idle_command)};
static const struct lab_spec with_packages = {.name = "overlay",
                                              .hosts = three_hosts,
                                              .n_hosts = 1,
                                              .services = &idle,
                                              .n_services = 1,
                                              .packages = etcd_packages,
                                              .n_packages = 1};

/* The cache with the packages lies on the root. */
static void test_packages_on_an_overlay(void)
{
    const struct lab_options options = lab_test_options("packages");
    struct lab *lab = NULL;
    OK(lab_up(&with_packages, &options, &lab, &err));
    CU_ASSERT_EQUAL(run_in(lab, "n1", "", "etcd --version"), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab_reply.data, "etcd Version"));
    OK(lab_down(lab, &err));
    lab_free(lab);
}

static void test_hosts_on_an_overlay(void)
{
    const struct lab_options options = {.id = "t-over", .state_dir = "/srv/t-over"};
    struct lab *lab = NULL;
    CU_ASSERT_NOT_EQUAL(lab_up(&with_packages, &options, &lab, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/srv/t-over is on an overlay"));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "mount a volume or a tmpfs there"));
    (void)printf("\n    %s\n    ", err.msg);
    CU_ASSERT_NOT_EQUAL(access(options.state_dir, F_OK), 0);
}

static const struct check_test tests[] = {
    {"packages on an overlay", test_packages_on_an_overlay},
    {"hosts on an overlay", test_hosts_on_an_overlay},
};

GUEST_MAIN("vm/overlay", tests)
