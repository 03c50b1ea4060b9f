/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What faults on this kernel stand on and many others lack: netem, and the version 2 of control
 * groups with all its controllers. */
#include "lab/netns.h"
#include "vm/guest.h"

#include "base/clock.h"

#include <signal.h>

#define GROUP "/sys/fs/cgroup/test-kernel"

/* Milliseconds from sending a datagram from A to B's receiving it; -1: it did not come. */
static int64_t one_way_ms(void)
{
    int64_t start = clock_system(CLOCK_MONOTONIC);
    int rc = netns_pass(NETNS_A, NETNS_A_FOR_B, 0, NETNS_B, NETNS_B_IP, 5000, 3000);
    return rc == 1 ? (clock_system(CLOCK_MONOTONIC) - start) / NS_PER_MS : -1;
}

static void test_netem_delays(void)
{
    CU_ASSERT_EQUAL_FATAL(netns_make(), 0);
    CU_ASSERT_EQUAL(guest_run("tc qdisc add dev eth0 root netem delay 300ms"), 0);
    (void)one_way_ms(); /* the neighbour is found */
    int64_t with = one_way_ms();
    CU_ASSERT_TRUE(with >= 299);
    CU_ASSERT_EQUAL(guest_run("tc qdisc del dev eth0 root"), 0);
    int64_t without = one_way_ms();
    CU_ASSERT_TRUE(without >= 0 && without < 300);
    (void)printf("\n    figure: netem, 300 ms asked: %lld ms, without %lld ms\n    ",
                 (long long)with, (long long)without);
}

static pid_t start_in_group(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        for (;;)
            (void)pause();
    }
    CU_ASSERT_EQUAL(guest_run("echo %d >" GROUP "/cgroup.procs", (int)pid), 0);
    return pid;
}

static bool group_says(const char *word)
{
    char text[1024];
    for (int tries = 0; tries < 100; tries++, netns_sleep_ms(20))
        if (guest_read(GROUP "/cgroup.events", text, sizeof(text)) > 0 &&
            strstr(text, word) != NULL)
            return true;
    return false;
}

/* As on every current distribution: version 2 alone, with the controllers that limits need. */
static void test_cgroup_alone(void)
{
    static const char *const controllers[] = {"cpu", "memory", "io", "pids"};
    char text[1024];
    CU_ASSERT_TRUE_FATAL(guest_read("/sys/fs/cgroup/cgroup.controllers", text, sizeof(text)) > 0);
    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++)
        CU_ASSERT_PTR_NOT_NULL(strstr(text, controllers[i]));
    CU_ASSERT_NOT_EQUAL(access("/sys/fs/cgroup/unified", F_OK), 0);
    CU_ASSERT_NOT_EQUAL(access("/sys/fs/cgroup/memory", F_OK), 0);
}

static void test_cgroup_freezes_and_kills(void)
{
    int status = 0;
    CU_ASSERT_EQUAL_FATAL(guest_run("mkdir " GROUP), 0);
    pid_t pid = start_in_group();
    CU_ASSERT_EQUAL(guest_run("echo 1 >" GROUP "/cgroup.freeze"), 0);
    CU_ASSERT_TRUE(group_says("frozen 1"));
    CU_ASSERT_EQUAL(kill(pid, 0), 0);
    CU_ASSERT_EQUAL(guest_run("echo 1 >" GROUP "/cgroup.kill"), 0); /* frozen or not */
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CU_ASSERT_TRUE(group_says("populated 0"));
    CU_ASSERT_EQUAL(guest_run("rmdir " GROUP), 0);
}

static const struct check_test tests[] = {
    {"netem delays", test_netem_delays},
    {"control groups: version 2 alone", test_cgroup_alone},
    {"a control group freezes and kills", test_cgroup_freezes_and_kills},
};

GUEST_MAIN("vm/kernel", tests)
