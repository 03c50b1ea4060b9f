/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds, and ends before the end, in virtual time: at whatever moment, everything is put back. */
#include "engine_golden.h"

static void test_hold_stops_the_time_of_faults(void)
{
    leader_scenario();
    w.options.hold = true;
    w.go_on_ms = 20000;
    world_run(&w);
    expect_line("[  360] hold\n");
    expect_line("[20360] hold over: person\n");
    expect_line("[21357] revert i1 on n2");
    expect_line("[20353] renew n2");
    buf_free(&w.log);
}

static void held_scenario(void)
{
    leader_scenario();
    w.options.hold = true;
    w.options.hold_limit_ns = ms(30000).ns;
}

/* The leases are renewed for as long as it holds, however long that is. */
static void test_a_forgotten_hold_ends_at_its_limit(void)
{
    held_scenario();
    w.scenario.deadline = ms(20000);
    world_run(&w);
    for (int64_t t = 1353; t < 30360; t += 1000) {
        char line[40];
        (void)snprintf(line, sizeof(line), "[%5lld] renew n2\n", (long long)t);
        expect_line(line);
    }
    expect_line("[30360] hold over: limit\n");
    expect_line("[31357] revert i1 on n2\n");
    CU_ASSERT_TRUE(w.ended_ok); /* the deadline stood still, too */
    expect_put_back();
    buf_free(&w.log);
}

static void test_an_interrupt_ends_a_hold(void)
{
    held_scenario();
    w.interrupt_ms = 5000;
    world_run(&w);
    expect_line("[ 5000] abort interrupt: stopped by the person\n"
                "[ 5000] hold over: stopped\n"
                "[ 5000] revert i1 on n2\n");
    expect_put_back();
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_an_agent_lost_in_a_hold(void)
{
    group_scenario();
    w.options.hold = true;
    w.lose_ms = 5000;
    world_run(&w);
    expect_line("[ 5000] abort agent lost: n2: link closed\n"
                "[ 5000] hold over: stopped\n"
                "[ 5000] revert i1 on n1\n"
                "[ 5000] revert i2 on n2\n"
                "[ 5000] revert i3 on n3\n");
    expect_no_line("[ 5353] renew n2");
    CU_ASSERT_EQUAL(w.n_ends, 1);
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_a_lease_that_lapses_in_a_hold(void)
{
    held_scenario();
    w.lapse_ms = 5000;
    world_run(&w);
    expect_line("[ 5000] hold over: stopped\n[ 5000] revert i1 on n2\n");
    expect_line("trial 0 aborted");
    expect_put_back();
    buf_free(&w.log);
}

/* Two of three applied, the third on its way: all three are reverted, and its late answer changes
 * nothing. */
static void test_an_interrupt_while_a_group_is_half_applied(void)
{
    group_scenario();
    w.slow_apply = 2;
    w.interrupt_ms = 400;
    world_run(&w);
    expect_line("[  352] apply i1 on n1\n[  352] apply i2 on n2\n[  352] apply i3 on n3\n"
                "[  400] abort interrupt: stopped by the person\n"
                "[  400] revert i1 on n1\n[  400] revert i2 on n2\n[  400] revert i3 on n3\n");
    expect_no_line("step 1 end");
    CU_ASSERT_EQUAL(w.n_reverted, 3);
    CU_ASSERT_EQUAL(w.n_open_at_abort, 3);
    expect_put_back();
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

/* What had been applied by then was there all the same: the system is waited for as after a whole
 * fault. */
static void test_a_group_half_applied_is_settled(void)
{
    group_scenario();
    w.slow_apply = 2;
    w.interrupt_ms = 400;
    w.bad_from = 380;
    w.bad_to = 1500;
    world_run(&w);
    expect_line("[  400] abort interrupt");
    expect_line("[  402] state recover\n");
    CU_ASSERT_STRING_EQUAL(w.awaited, "waiting until all probes are good for 300ms, at most 2.0 s");
    expect_line("[ 1850] state settle\n");
    expect_put_back();
    buf_free(&w.log);
}

/* The same where one of its hosts fails, or is lost. */
static void test_a_group_that_fails_half_applied_is_settled(void)
{
    for (int lost = 0; lost < 2; lost++) {
        group_scenario();
        w.fail_apply = lost ? 0 : 2;
        w.slow_apply = 2;
        w.lose_ms = lost ? 400 : 0;
        w.bad_from = 380;
        w.bad_to = 1500;
        world_run(&w);
        expect_line("[ 1850] state settle\n");
        buf_free(&w.log);
    }
}

static void test_a_second_interrupt_of_a_group_half_applied(void)
{
    group_scenario();
    w.slow_apply = 2;
    w.interrupt_ms = 400;
    w.interrupt2_ms = 600;
    w.bad_from = 380;
    w.bad_to = 1500;
    world_run(&w);
    expect_line("[  600] state settle\n");
    expect_put_back();
    buf_free(&w.log);
}

/* The same while they are being prepared: none is applied any more, and nothing is waited for. */
static void test_an_interrupt_while_a_group_is_prepared(void)
{
    group_scenario();
    w.interrupt_ms = 351;
    world_run(&w);
    expect_line("[  351] revert i1 on n1\n[  351] revert i2 on n2\n[  351] revert i3 on n3\n");
    expect_no_line("apply");
    expect_line("[  353] state recover\n[  353] state settle\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_a_host_that_died(void)
{
    group_scenario();
    w.die_ms = 700;
    world_run(&w);
    expect_line("[  700] abort host died: host n2 died\n"
                "[  700] revert i1 on n1\n[  700] revert i3 on n3\n");
    expect_no_line("revert i2"); /* nobody is left there to ask */
    CU_ASSERT_EQUAL(w.n_open_at_abort, 2);
    expect_line("[  702] state settle\n"); /* at once: what was on it does not recover */
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_nothing_is_open_before_the_fault(void)
{
    group_scenario();
    w.interrupt_ms = 200;
    world_run(&w);
    expect_line("[  200] abort interrupt");
    expect_no_line("revert");
    CU_ASSERT_EQUAL(w.n_open_at_abort, 0);
    buf_free(&w.log);
}

/* The end waits for the answer: a revert is not asked twice, nor given up. */
static void test_the_deadline_during_a_heal(void)
{
    leader_scenario();
    w.bad_to = 0;
    w.revert_ms = 1000;
    w.scenario.deadline = ms(1600);
    world_run(&w);
    expect_line("[ 1357] revert i1 on n2\n[ 1357] state heal\n"
                "[ 1600] abort deadline: the run's deadline has passed\n");
    CU_ASSERT_EQUAL(w.n_reverted, 1);
    expect_line("[ 2357] state recover\n");
    expect_put_back();
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_a_second_interrupt_during_a_heal(void)
{
    leader_scenario();
    w.revert_ms = 1000;
    w.interrupt_ms = 600;
    w.interrupt2_ms = 700;
    world_run(&w);
    expect_line("[  600] revert i1 on n2\n");
    expect_no_line("[  700] state settle"); /* not waited for is the recovery, the revert is */
    expect_line("[ 1600] state recover\n[ 1600] state settle\n");
    CU_ASSERT_EQUAL(w.n_reverted, 1);
    expect_put_back();
    buf_free(&w.log);
}

static const struct check_test tests[] = {
    {"hold stops the time of faults", test_hold_stops_the_time_of_faults},
    {"a forgotten hold ends at its limit", test_a_forgotten_hold_ends_at_its_limit},
    {"an interrupt ends a hold", test_an_interrupt_ends_a_hold},
    {"an agent lost in a hold", test_an_agent_lost_in_a_hold},
    {"a lease that lapses in a hold", test_a_lease_that_lapses_in_a_hold},
    {"an interrupt, a group half applied", test_an_interrupt_while_a_group_is_half_applied},
    {"a group half applied is settled", test_a_group_half_applied_is_settled},
    {"a group that fails half applied", test_a_group_that_fails_half_applied_is_settled},
    {"a second interrupt, half applied", test_a_second_interrupt_of_a_group_half_applied},
    {"an interrupt, a group being prepared", test_an_interrupt_while_a_group_is_prepared},
    {"a host that died", test_a_host_that_died},
    {"nothing is open before the fault", test_nothing_is_open_before_the_fault},
    {"the deadline during a heal", test_the_deadline_during_a_heal},
    {"a second interrupt during a heal", test_a_second_interrupt_during_a_heal},
};

CHECK_MAIN("engine end", tests)
