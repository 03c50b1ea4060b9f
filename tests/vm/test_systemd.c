/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host as real ones are: systemd is process 1, and a daemon from Debian's package runs as a unit,
 * sandboxed by it. What systemd's own commands do to the unit is what faults on services may rely
 * on. */
#include "vm/guest.h"

#include <time.h>

#define UNIT "redis-server.service"
#define MANAGER                                                                                    \
    "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 "                              \
    "org.freedesktop.systemd1.Manager"

static bool becomes(const char *command)
{
    for (int tries = 0; tries < 100; tries++) {
        if (guest_run("%s", command) == 0)
            return true;
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

static bool answers(void)
{
    return becomes("redis-cli ping 2>/dev/null | grep -q PONG");
}

static bool is_silent(void)
{
    return becomes("! redis-cli ping >/dev/null 2>&1");
}

static long main_pid(void)
{
    char text[32];
    CU_ASSERT_EQUAL(guest_run("systemctl show -P MainPID " UNIT " >/tmp/pid"), 0);
    CU_ASSERT_TRUE(guest_read("/tmp/pid", text, sizeof(text)) > 0);
    return strtol(text, NULL, 10);
}

static void test_is_process_1(void)
{
    char name[32];
    CU_ASSERT_TRUE(guest_read("/proc/1/comm", name, sizeof(name)) > 0);
    CU_ASSERT_STRING_EQUAL(name, "systemd\n");
    CU_ASSERT_EQUAL(guest_run("grep -q '^0::/.*blackstart-tests.service' /proc/self/cgroup"), 0);
    CU_ASSERT_EQUAL(guest_run(MANAGER " StartUnit ss " UNIT " replace >/dev/null"), 0);
    CU_ASSERT_TRUE(answers());
}

static void test_comes_back_by_itself(void)
{
    long pid = main_pid();
    CU_ASSERT_TRUE(pid > 1);
    CU_ASSERT_EQUAL(guest_run("kill -KILL %ld", pid), 0);
    CU_ASSERT_TRUE(answers());
    CU_ASSERT_NOT_EQUAL(main_pid(), pid);
}

static void test_stopped_and_masked(void)
{
    CU_ASSERT_EQUAL(guest_run("systemctl stop " UNIT), 0);
    CU_ASSERT_TRUE(is_silent());
    CU_ASSERT_EQUAL(guest_run("systemctl --runtime mask " UNIT), 0);
    CU_ASSERT_NOT_EQUAL(guest_run("systemctl start " UNIT " 2>/dev/null"), 0);
    CU_ASSERT_TRUE(is_silent());
    CU_ASSERT_EQUAL(guest_run("systemctl --runtime unmask " UNIT), 0);
    CU_ASSERT_EQUAL(guest_run("systemctl start " UNIT), 0);
    CU_ASSERT_TRUE(answers());
}

static const struct check_test tests[] = {
    {"systemd is process 1 and runs redis", test_is_process_1},
    {"a killed unit comes back by itself", test_comes_back_by_itself},
    {"a unit is stopped, masked and started", test_stopped_and_masked},
};

GUEST_MAIN("vm/systemd", tests)
