/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sweep itself under test: agents whose faults are broken on purpose must be found out. */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "crash/walk.h"

#include <signal.h>

/* Until the first leak; a host that was left dirty is no use for another point. */
static unsigned leaks_of(const char *agent, const char *fault, unsigned stride)
{
    static struct kinds kinds;
    struct sweep s;
    struct sweep_tally tally = {0};
    struct addrs peers;
    struct err err = {0};
    int rc = sweep_open(&s, "mutant", agent, &err);
    if (rc == 0) {
        s.tally = &tally;
        rig_peers(&s.rig, &peers);
        rc = kinds_make(&kinds, &fault_catalogue, &peers, fault, &err);
    }
    if (rc == 0)
        rc = walk_all(&s, &kinds.v[0], SIGKILL, stride, 1, &err);
    if (rc != 0 && tally.leaks == 0) {
        (void)printf("    %s\n", err.msg);
        CU_FAIL("the rig");
    }
    (void)printf("figure: %s: found after %u points%s\n", fault, tally.points,
                 tally.leaks == 0 ? ": NOT found" : "");
    kinds_free(&kinds);
    sweep_close(&s);
    return tally.leaks;
}

static void test_a_revert_that_does_nothing(void)
{
    CU_ASSERT(leaks_of(BINARY_DIR "/tests/agent-mutant-revert", "network.partition", 7) > 0);
    CU_ASSERT(leaks_of(BINARY_DIR "/tests/agent-mutant-revert", "config.push (restart", 7) > 0);
    CU_ASSERT(leaks_of(BINARY_DIR "/tests/agent-mutant-revert", "environment.delete (stop", 7) > 0);
}

static void test_a_record_that_is_written_late(void)
{
    CU_ASSERT(leaks_of(BINARY_DIR "/tests/agent-mutant-late", "config.push (restart", 3) > 0);
    CU_ASSERT(leaks_of(BINARY_DIR "/tests/agent-mutant-late", "environment.delete (stop", 3) > 0);
}

static const struct check_test tests[] = {
    {"a revert that does nothing is found", test_a_revert_that_does_nothing},
    {"a record that is written late is found", test_a_record_that_is_written_late},
};

CHECK_MAIN("crash/mutants", tests)
