/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service that is a script whose children live for a few milliseconds: whenever it is looked at,
 * the child of that moment may not have loaded the library yet, or have ended. And one whose
 * program drops the library, which no patience mends.
 */
#include "rig.h"

static const char *const script_command[] = {"sh", "-c", "while :; do sleep 0.005; done"};
static const char *const bare_command[] = {"env", "-i", "/bin/sleep", "1000"};

#define SCRIPT(label, line)                                                                        \
    {                                                                                              \
        .name = label, .hosts = on_n1, .n_hosts = 1, .command = line, .n_command = COUNT(line),    \
        .ready = READY_NONE, .stop_signal = SIGTERM, .stop_timeout = {NS_PER_SEC},                 \
        .preload = true, .start = true                                                             \
    }
static const struct lab_service_spec scripts[] = {SCRIPT("script", script_command),
                                                  SCRIPT("bare", bare_command)};

enum { TIMES = 100 };

static int refusals(const char *service, int times)
{
    int n = 0;
    for (int i = 0; i < times; i++)
        if (prepare("fiu.delay",
                    GIVEN({"service", service}, {"points", "posix.open"}, {"delay", "1ms"}),
                    NS_PER_SEC) != 0) {
            if (n++ == 0)
                printf("%s; ", err.msg);
        }
    return n;
}

static void test_script(void)
{
    CU_ASSERT_EQUAL(refusals("script", TIMES), 0);
}

static void test_bare(void)
{
    CU_ASSERT_EQUAL(refusals("bare", 1), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "no process of bare has loaded the preload library"));
}

static const struct check_test tests[] = {
    {"a script with children that come and go", test_script},
    {"a cleared environment", test_bare},
};

int main(void)
{
    return rig_main("fiu and scripts", scripts, COUNT(scripts), tests, COUNT(tests));
}
