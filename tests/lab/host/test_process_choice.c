/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes a fault takes: one, a share or all of those that match; by cgroup and unit. */
#include "lab/cgroup.h"
#include "lab/host/kind.h"

static void other(struct rig *r)
{
    atomic_fetch_add(&r->counters[0], 1); /* it is there */
    rig_count(r, 1);
}

static uint32_t count_processes(const char *name)
{
    struct err err;
    struct proc_set set = {.n = 0};
    CHECK_OK(proc_find_by(&rig.host, name, 0, &set, &err), err);
    return set.n;
}

static void check_choice(const char *which, const char *share, uint32_t left)
{
    begin("process.kill", "process", "victim");
    rig_set(row, args, "which", which);
    if (share != NULL)
        rig_set(row, args, "share", share);
    for (int i = 0; i < 5; i++)
        (void)rig_spawn(&rig, one, "victim");
    put_on();
    CU_ASSERT_EQUAL(count_of("ended"), 5 - left);
    CU_ASSERT_EQUAL(count_processes("victim"), left);
    (void)take_off();
    end();
}

static void test_one_of_many(void)
{
    struct err err;
    check_choice("all", NULL, 0);
    check_choice("one", NULL, 4);
    check_choice("share", "40%", 3);
    check_choice("share", "41%", 2);
    begin("process.kill", "process", "victim");
    rig_set(row, args, "share", "40%");
    CU_ASSERT_EQUAL(row->check(args, &err), -1); /* of which nothing says that it holds */
    rig_set(row, args, "which", "share");
    CHECK_OK(row->check(args, &err), err);
    end();
}

static void check_cgroup(const char *dir, const char *param, const char *value)
{
    begin("process.kill", param, value);
    (void)rig_spawn(&rig, one, "victim");
    (void)rig_spawn(&rig, other, "other");
    cgroup_put(dir, pid_of("victim"));
    put_on();
    CU_ASSERT_EQUAL(count_processes("victim"), 0);
    CU_ASSERT_TRUE(rig_runs(&rig, 1, 200));
    (void)take_off();
    end();
}

static void test_by_cgroup(void)
{
    char name[64], path[80], dir[128];
    (void)snprintf(name, sizeof(name), "bs-test8.2-%d.service", (int)getpid());
    (void)snprintf(path, sizeof(path), "/%s", name);
    CU_ASSERT_TRUE_FATAL(cgroup_make(dir, sizeof(dir), name));
    check_cgroup(dir, "cgroup", path);
    check_cgroup(dir, "unit", name);
    path[strlen(path) - strlen(".service")] = '\0';
    check_cgroup(dir, "unit", path + 1);
    bool gone = false;
    for (int i = 0; i < 100 && !gone; i++, rig_sleep_ms(10))
        gone = rmdir(dir) == 0; /* until the last of them has been reaped */
    CU_ASSERT_TRUE(gone);
}

static const struct check_test tests[] = {
    {"one, a share, all", test_one_of_many},
    {"by cgroup and unit", test_by_cgroup},
};

CHECK_MAIN("lab/host/process_choice", tests)
