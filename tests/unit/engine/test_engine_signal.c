/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals, which are no services, and the guard on the blast radius. */
#include "engine_golden.h"

/* The leader n2 is at fault from 350 ms to 1,352 ms; `read` weighs as much as `write` and `files`
 * together; `alert` is a signal. */
static void system_scenario(void)
{
    world_init(&w);
    w.probes[0].weight = 1;
    w.probes[1] = (struct scenario_probe){.name = "read", .every = ms(100), .weight = 2};
    w.probes[2] = (struct scenario_probe){.name = "files", .every = ms(100), .weight = 1};
    w.probes[3] = (struct scenario_probe){.name = "alert", .every = ms(100), .signal = true};
    w.scenario.n_probes = 4;
    world_add(&w, STEP_FAULT)->length = ms(1000);
    world_add(&w, STEP_WAIT)->length = ms(1000);
}

static void test_a_signal_is_awaited_by_its_target(void)
{
    static struct scenario_target target;
    target =
        (struct scenario_target){.kind = TARGET_DETECTION, .probe = "alert", .within = ms(5000)};
    for (int awaited = 0; awaited < 2; awaited++) {
        system_scenario();
        w.log_all = true;
        w.also[3].from = 2000;
        w.also[3].to = 2200;
        w.scenario.targets = &target;
        w.scenario.n_targets = awaited != 0;
        world_run(&w);
        /* Silent or not, it does not keep the others from being good. */
        expect_line(awaited != 0 ? "[ 2050] state settle" : "[ 1750] state settle");
        expect_put_back();
        CU_ASSERT_TRUE(w.ended_ok);
        buf_free(&w.log);
    }
}

static void test_a_signal_is_awaited_by_a_symptom(void)
{
    static struct scenario_target target;
    target =
        (struct scenario_target){.kind = TARGET_DETECTION, .probe = "alert", .within = ms(5000)};
    const struct scenario_symptom symptom = {.shows = "s", .targets = &target, .n_targets = 1};
    system_scenario();
    w.log_all = true;
    w.also[3].from = 2000;
    w.also[3].to = 2200;
    w.scenario.symptoms = &symptom;
    w.scenario.n_symptoms = 1;
    world_run(&w);
    expect_line("[ 2050] state settle");
    buf_free(&w.log);
}

static void test_a_signal_that_never_comes_is_not_awaited_for_ever(void)
{
    static struct scenario_target target;
    target =
        (struct scenario_target){.kind = TARGET_DETECTION, .probe = "alert", .within = ms(5000)};
    system_scenario();
    w.log_all = true;
    w.scenario.targets = &target;
    w.scenario.n_targets = 1;
    world_run(&w);
    expect_line("[ 3359] state settle"); /* what `observe` says, behind the heal */
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
    /* Nor at all where there is no fault. */
    system_scenario();
    w.log_all = true;
    w.options.no_fault = true;
    w.scenario.targets = &target;
    w.scenario.n_targets = 1;
    world_run(&w);
    expect_line("[ 1750] state settle");
    buf_free(&w.log);
}

static void test_a_signal_must_be_silent_first(void)
{
    system_scenario();
    w.also[3].to = 100000;
    world_run(&w);
    expect_line("steady not held: alert was not silent for 300ms within 2s");
    CU_ASSERT_EQUAL(w.n_prepared, 0);
    buf_free(&w.log);
}

static void test_the_blast_radius_aborts(void)
{
    static const struct scenario_guard guard = {.blast = {500000}};
    system_scenario();
    w.bad_from = w.also[1].from = 500;
    w.bad_to = 600;
    w.also[1].to = 100000;
    w.scenario.guards = &guard;
    w.scenario.n_guards = 1;
    world_run(&w);
    expect_line("[  550] abort guard: 75.0% of the services impacted, more than 50%: write, read\n"
                "[  550] revert i1 on n2\n");
    expect_put_back();
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

/* What was impacted once counts on; exactly the share is no reason yet; and a signal is none. */
static void test_the_blast_radius_grows(void)
{
    static const struct scenario_guard guard = {.blast = {500000}};
    system_scenario();
    w.bad_from = 500;
    w.bad_to = 600;
    w.also[2].from = 700;
    w.also[2].to = 800;
    w.also[3].from = 800;
    w.also[3].to = 900;
    w.scenario.guards = &guard;
    w.scenario.n_guards = 1;
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
    system_scenario();
    w.bad_from = 500;
    w.bad_to = 600;
    w.also[1].from = 900;
    w.also[1].to = 1000;
    w.scenario.guards = &guard;
    w.scenario.n_guards = 1;
    world_run(&w);
    expect_line(
        "[  950] abort guard: 75.0% of the services impacted, more than 50%: write, read\n");
    buf_free(&w.log);
}

/* A signal says all by being there once; a service must stay good. */
static void test_a_step_waits_for_a_signal(void)
{
    system_scenario();
    w.steps[1] = (struct scenario_step){
        .kind = STEP_WAIT_UNTIL, .probe = "alert", .good = true, .within = ms(5000)};
    w.log_all = true;
    w.also[3].from = 800;
    w.also[3].to = 900;
    world_run(&w);
    expect_line("[  850] step 2 end");
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
    /* Not where there is no fault that it could be the signal of. */
    system_scenario();
    w.steps[1] = (struct scenario_step){
        .kind = STEP_WAIT_UNTIL, .probe = "alert", .good = true, .within = ms(5000)};
    w.options.no_fault = true;
    w.log_all = true;
    world_run(&w);
    expect_line("step 2 skipped");
    CU_ASSERT_TRUE(w.ended_ok);
    buf_free(&w.log);
}

static const struct check_test tests[] = {
    {"a signal is awaited by a symptom", test_a_signal_is_awaited_by_a_symptom},
    {"a signal is awaited by its target", test_a_signal_is_awaited_by_its_target},
    {"not for ever", test_a_signal_that_never_comes_is_not_awaited_for_ever},
    {"a signal must be silent first", test_a_signal_must_be_silent_first},
    {"the blast radius aborts", test_the_blast_radius_aborts},
    {"the blast radius grows", test_the_blast_radius_grows},
    {"a step waits for a signal", test_a_step_waits_for_a_signal},
};

CHECK_MAIN("engine signal", tests)
