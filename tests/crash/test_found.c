/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Points at which a sweep once found something, and the calls around them: each run tries them. */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "crash/calls.h"

#include <errno.h>
#include <signal.h>

/* Stopped at rest, without an injection, a guardian outlived the agent whose link had closed. A
 * stopped server of a packet queue kept what came for as long as its lease was renewed. Killed
 * between two bits that it put back, privside left the file's time to nobody. */
static const struct {
    const char *kind;
    enum sweep_phase phase;
    enum sweep_victim victim;
    int signal;
    unsigned first, last;
} found[] = {
    {"process.kill", SWEEP_REVERT, SWEEP_GUARDIAN, SIGSTOP, 8, 11},
    {"network.delay", SWEEP_HOLD, SWEEP_BEARER, SIGSTOP, 1, 2},
    {"disk.fill", SWEEP_HOLD, SWEEP_BEARER, SIGSTOP, 2, 2},
    {"file.corrupt", SWEEP_REVERT, SWEEP_PRIVSIDE, SIGKILL, 5, 7},
};

static void try_points(struct sweep *s, const struct kinds *kinds, size_t i)
{
    struct err err;
    unsigned ignored;
    struct sweep_point p = {.kind = &kinds->v[0],
                            .phase = found[i].phase,
                            .victim = found[i].victim,
                            .signal = found[i].signal,
                            .by_change = found[i].signal == SIGKILL};
    for (p.k = found[i].first; p.k <= found[i].last; p.k++)
        if (sweep_try(s, &p, &ignored, &err) < 0) {
            (void)printf("    %s\n", err.msg);
            CU_FAIL("the rig");
            return;
        }
}

static void test_found(void)
{
    static struct kinds kinds;
    static struct sweep s;
    struct sweep_tally tally = {0};
    struct addrs peers;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(sweep_open(&s, "found", BINARY_DIR "/blackstart-agent", &err), 0);
    s.tally = &tally;
    rig_peers(&s.rig, &peers);
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        CU_ASSERT_EQUAL_FATAL(kinds_make(&kinds, &fault_catalogue, &peers, found[i].kind, &err), 0);
        try_points(&s, &kinds, i);
        kinds_free(&kinds);
    }
    (void)printf("%s", buf_text(&s.notes));
    CU_ASSERT(tally.points > 0);
    CU_ASSERT_EQUAL(tally.leaks, 0);
    sweep_close(&s);
}

/* A call of that name returns an error, once. */
#define ONCE(call)                                                                                 \
    {                                                                                              \
        .word = "EIO", .error = EIO, .victim = SWEEP_PRIVSIDE, .begin = calls_begin,               \
        .end = calls_end, .only = (call)                                                           \
    }

/* A look at /proc that failed passed for the end of an heir, which kept its limit. What had become
 * of the tree made in a deleted one's place was not seen, and the directory above kept the time of
 * its making. A directory that could not be listed at the end let its files pass for gone. */
static void test_found_errors(void)
{
    static const struct errors_spot spots[] = {
        {"resource.descriptors", PHASE_REVERT, 7, 8, ONCE("openat")},
        {"resource.descriptors", PHASE_REVERT, 10, 11, ONCE("read")},
        {"environment.delete (recreate)", PHASE_APPLY, 2, 4, ONCE("newfstatat")},
        {"environment.delete (recreate)", PHASE_REVERT, 6, 8, ONCE("newfstatat")},
        {"environment.delete (recreate)", PHASE_REVERT, 2, 2, ONCE("readlinkat")},
        {"environment.delete (recreate)", PHASE_REVERT, 2, 2, ONCE("statx")},
        {"access.deny", PHASE_REVERT, 7, 8, ONCE("openat")},
        {"access.deny", PHASE_REVERT, 1, 2, ONCE("getdents64")},
    };
    errors_try(NULL, spots, sizeof(spots) / sizeof(spots[0]));
}

static const struct check_test tests[] = {
    {"what was found once", test_found},
    {"what errors once found", test_found_errors},
};

CHECK_MAIN("crash/found", tests)
