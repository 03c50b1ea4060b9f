/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Faults that are over as soon as they are done, and what is asked of hosts before a fault. */
#include "engine_golden.h"

static const struct fault world_kill = {
    .name = "test.kill", .lifetime = LIFETIME_INSTANT, .args_size = sizeof(struct world_args)};

/* The last step ends n1's service, which its own policy starts again or does not. */
static void kill_scenario(enum restart_policy restart)
{
    static const char *const hosts[] = {"n1"};
    static const struct selector n1 = {.kind = SELECT_NAMES, .names = hosts, .n_names = 1};
    static struct lab_service_spec service;
    service = (struct lab_service_spec){.name = "web", .hosts = hosts, .n_hosts = 1};
    service.restart = restart;
    world_init(&w);
    w.lab.services = &service;
    w.lab.n_services = 1;
    struct scenario_step *kill = world_add(&w, STEP_FAULT);
    kill->fault = &world_kill;
    kill->hosts = &n1;
    w.bad_from = 360;
    w.bad_to = 800;
}

static void test_a_service_comes_back_before_it_is_started(void)
{
    kill_scenario(RESTART_ON_FAILURE);
    w.log_all = true;
    world_run(&w);
    expect_line("[  354] state recover\n"); /* nothing is removed at the steps' end */
    expect_line("[ 1150] evidence i1\n[ 1150] revert i1 on n1\n");
    expect_line("[ 1152] state settle\n");
    expect_put_back();
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
}

static void test_a_service_that_stays_away_is_started_at_last(void)
{
    kill_scenario(RESTART_ON_FAILURE);
    w.bad_to = 4000;
    world_run(&w);
    expect_line(
        "[ 1350] renew n1\n[ 2350] renew n1\n"); /* it is still ours, so that its lease goes on */
    expect_line("[ 2354] revert i1 on n1\n");
    expect_line("[ 4350] state settle\n"); /* and has its time to recover then */
    expect_put_back();
    buf_free(&w.log);
}

static void test_nothing_is_waited_for_where_nothing_restarts(void)
{
    kill_scenario(RESTART_NEVER);
    w.log_all = true;
    world_run(&w);
    expect_line("[  354] evidence i1\n[  354] revert i1 on n1\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_an_abort_soon_after_a_kill(void)
{
    kill_scenario(RESTART_ALWAYS);
    world_add(&w, STEP_WAIT)->length = ms(5000);
    w.interrupt_ms = 400;
    world_run(&w);
    expect_line("[  400] abort interrupt: stopped by the person\n[  400] state recover\n");
    expect_line("[ 1150] revert i1 on n1\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_a_second_interrupt_waits_for_no_policy(void)
{
    kill_scenario(RESTART_ALWAYS);
    world_add(&w, STEP_WAIT)->length = ms(5000);
    w.interrupt_ms = 400;
    w.interrupt2_ms = 500;
    world_run(&w);
    expect_line("[  500] revert i1 on n1\n[  502] state settle\n");
    expect_put_back();
    buf_free(&w.log);
}

/* Whom a probe asks is known only from the role, with and without a fault. */
static void test_a_probe_of_a_role_is_followed_without_a_fault(void)
{
    kill_scenario(RESTART_ALWAYS);
    w.probes[0].endpoints = ENDPOINTS_ROLE;
    w.probes[0].role = "leader";
    w.options.no_fault = true;
    w.bad_to = 0;
    world_run(&w);
    expect_line("[  353] role select: n2\n[  353] step 1 skipped\n");
    expect_no_line("prepare");
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
}

static void test_who_claims_a_role_is_told(void)
{
    leader_scenario();
    w.holders = 5;
    world_run(&w);
    expect_line("step 1 failed: no single host has the role leader (n1, n3 say so)\n");
    buf_free(&w.log);
    leader_scenario();
    w.holders = 0;
    world_run(&w);
    expect_line("step 1 failed: no single host has the role leader (nobody says so)\n");
    buf_free(&w.log);
}

static const struct check_test tests[] = {
    {"a service comes back first", test_a_service_comes_back_before_it_is_started},
    {"a service stays away", test_a_service_that_stays_away_is_started_at_last},
    {"nothing restarts", test_nothing_is_waited_for_where_nothing_restarts},
    {"an abort soon after a kill", test_an_abort_soon_after_a_kill},
    {"a second interrupt", test_a_second_interrupt_waits_for_no_policy},
    {"a probe of a role, no fault", test_a_probe_of_a_role_is_followed_without_a_fault},
    {"who claims a role", test_who_claims_a_role_is_told},
};

CHECK_MAIN("engine kill", tests)
