/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waves and phases in virtual time: whole timelines, line by line. */
#include "engine_golden.h"

static const struct selector all = {.kind = SELECT_ALL};

/* One host after the other, with a second between, through a gate on the probe. */
static struct scenario_step *waves_scenario(void)
{
    world_init(&w);
    struct scenario_step *s = world_add(&w, STEP_FAULT);
    s->hosts = &all;
    s->length = ms(500);
    s->waves = (struct scenario_waves){
        .size = 1, .bake = ms(1000), .probe = "write", .good = true, .last = ms(300)};
    w.options.lease_ns = 60000 * NS_PER_MS;
    return s;
}

static void test_all_waves(void)
{
    (void)waves_scenario();
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_log("[    0] trial 0\n"
               "[    0] state steady\n"
               "[  350] steady held\n"
               "[  350] state hold\n"
               "[  350] step 1 begin\n"
               "[  350] rollout wave 1\n"
               "[  350] prepare i1 on n1\n"
               "[  350] state inject\n"
               "[  352] apply i1 on n1\n"
               "[  354] state hold\n"
               "[ 1450] rollout wave 2\n"
               "[ 1450] prepare i2 on n2\n"
               "[ 1450] state inject\n"
               "[ 1452] apply i2 on n2\n"
               "[ 1454] state hold\n"
               "[ 2550] rollout wave 3\n"
               "[ 2550] prepare i3 on n3\n"
               "[ 2550] state inject\n"
               "[ 2552] apply i3 on n3\n"
               "[ 2554] rollout done 3\n"
               "[ 2554] step 1 end\n"
               "[ 2554] state hold\n"
               "[ 3054] revert i1 on n1\n"
               "[ 3054] revert i2 on n2\n"
               "[ 3054] revert i3 on n3\n"
               "[ 3054] state heal\n"
               "[ 3056] state recover\n"
               "[ 3450] state settle\n"
               "[ 3450] clean n1\n"
               "[ 3450] clean n2\n"
               "[ 3450] clean n3\n"
               "[ 3451] trial 0 done\n"
               "[ 3451] end\n");
}

/* Bad in the last 300 ms of the first bake. */
static void test_the_gate_stops(void)
{
    (void)waves_scenario();
    w.bad_from = 1200;
    w.bad_to = 1300;
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[ 1354] rollout stopped 1: write was bad: the last bad answer was: refused\n"
                "[ 1354] step 1 end\n"
                "[ 1854] revert i1 on n1\n");
    expect_no_line("prepare i2");
    expect_put_back();
    buf_free(&w.log);
}

static void test_what_was_bad_early_in_the_bake_passes(void)
{
    (void)waves_scenario();
    w.bad_from = 400;
    w.bad_to = 1000;
    world_run(&w);
    expect_line("rollout done 3");
    buf_free(&w.log);
}

static void test_the_gate_takes_back(void)
{
    struct scenario_step *s = waves_scenario();
    s->waves.heal = 1;
    s->length = ms(60000);
    w.bad_from = 2300;
    w.bad_to = 2600;
    world_run(&w);
    expect_line("[ 2454] rollout healed 2: write was bad: the last answers were: refused\n"
                "[ 2454] revert i1 on n1\n"
                "[ 2454] revert i2 on n2\n");
    expect_line("[ 2456] step 1 end\n");
    expect_no_line("prepare i3");
    expect_put_back();
    buf_free(&w.log);
}

static void test_a_gate_that_is_never_measured(void)
{
    struct scenario_step *s = waves_scenario();
    s->waves.bake = ms(1000);
    w.silent_from = 500;
    world_run(&w);
    expect_line("[ 2454] rollout stopped 1: write was not measured to the end of the bake\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_waves_without_a_gate_and_of_several_hosts(void)
{
    struct scenario_step *s = waves_scenario();
    s->waves = (struct scenario_waves){.share = {700000}, .bake = ms(100)};
    s->wait_end = true;
    world_run(&w);
    expect_line("[  350] prepare i1 on n1\n[  350] prepare i2 on n2\n");
    expect_line("[  454] rollout wave 2\n[  454] prepare i3 on n3\n");
    expect_line("[  458] rollout done 2\n[  458] state hold\n");
    expect_line("[  960] step 1 end\n");
    buf_free(&w.log);
    s = waves_scenario();
    s->waves = (struct scenario_waves){.size = 1};
    world_run(&w);
    expect_line("[  354] rollout wave 2\n");
    expect_line("[  358] rollout wave 3\n");
    buf_free(&w.log);
}

static void test_waves_end_with_the_trial(void)
{
    (void)waves_scenario();
    w.interrupt_ms = 1000;
    world_run(&w);
    expect_line("rollout ended 1: ");
    expect_no_line("prepare i2");
    expect_put_back();
    buf_free(&w.log);
}

/* A heal in a branch beside the waves. */
static void test_waves_end_with_a_heal(void)
{
    static struct scenario_step rolls[1], heals[2];
    static struct scenario_steps branches[2] = {{rolls, 1}, {heals, 2}};
    rolls[0] = *waves_scenario();
    rolls[0].length = ms(0);
    heals[0] = (struct scenario_step){.kind = STEP_WAIT, .length = ms(500)};
    heals[1] = (struct scenario_step){.kind = STEP_HEAL};
    w.steps[0] =
        (struct scenario_step){.kind = STEP_PARALLEL, .branches = branches, .n_branches = 2};
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[  850] rollout ended 1: ");
    expect_line("[  850] revert i1 on n1\n");
    expect_line("[  852] step 2 end\n");
    expect_no_line("prepare i2");
    expect_put_back();
    buf_free(&w.log);
}

static struct scenario_step *flap_scenario(void)
{
    world_init(&w);
    struct scenario_step *s = world_add(&w, STEP_FAULT);
    w.roles[0].hosts = &all;
    s->length = ms(1000);
    s->flap = (struct scenario_flap){.on = ms(300), .off = ms(200)};
    w.options.lease_ns = 60000 * NS_PER_MS;
    return s;
}

static void test_flap(void)
{
    (void)flap_scenario();
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_log("[    0] trial 0\n"
               "[    0] state steady\n"
               "[  350] steady held\n"
               "[  350] state hold\n"
               "[  350] step 1 begin\n"
               "[  350] state inject\n"
               "[  353] role select: n2\n"
               "[  353] prepare i1 on n2\n"
               "[  355] apply i1 on n2\n"
               "[  360] role after-apply: n2\n"
               "[  360] step 1 end\n"
               "[  360] state hold\n"
               "[  657] revert i1 on n2\n"
               "[  859] prepare i2 on n2\n"
               "[  861] apply i2 on n2\n"
               "[ 1163] revert i2 on n2\n"
               "[ 1165] state recover\n"
               "[ 1550] state settle\n"
               "[ 1550] clean n1\n"
               "[ 1550] clean n2\n"
               "[ 1550] clean n3\n"
               "[ 1551] trial 0 done\n"
               "[ 1551] end\n");
}

static void test_the_last_phase_is_cut_at_the_end(void)
{
    struct scenario_step *s = flap_scenario();
    s->length = ms(750);
    s->wait_end = true;
    world_run(&w);
    expect_line("[  861] apply i2 on n2\n");
    expect_line("[ 1107] revert i2 on n2\n");
    expect_line("[ 1109] step 1 end\n");
    expect_no_line("prepare i3");
    buf_free(&w.log);
    s = flap_scenario();
    s->length = ms(640); /* less than half of the second would be left */
    world_run(&w);
    expect_line("[  657] revert i1 on n2\n");
    expect_no_line("prepare i2");
    buf_free(&w.log);
}

static void test_flap_ends_with_a_heal_and_an_interrupt(void)
{
    (void)flap_scenario();
    world_add(&w, STEP_WAIT)->length = ms(400); /* into the pause */
    world_add(&w, STEP_HEAL);
    world_run(&w);
    expect_line("[  760] step 3 end\n");
    expect_no_line("prepare i2");
    expect_put_back();
    buf_free(&w.log);
    (void)flap_scenario();
    w.interrupt_ms = 1000;
    world_run(&w);
    expect_line("[ 1000] revert i2 on n2\n");
    expect_no_line("prepare i3");
    expect_put_back();
    buf_free(&w.log);
}

static void test_a_lapse_ends_the_flapping(void)
{
    (void)flap_scenario();
    w.lapse_ms = 500;
    world_run(&w);
    expect_line("[  500] revert i1 on n2\n");
    expect_line("trial 0 aborted");
    expect_no_line("prepare i2");
    buf_free(&w.log);
}

static void test_phases_are_drawn(void)
{
    static struct scenario_step step;
    struct plan_step steps[2] = {{.step = &step}, {.step = &step}};
    struct plan plan = {.seed = 1, .steps = steps, .n_steps = 2};
    int64_t least = INT64_MAX, most = 0;
    step.flap = (struct scenario_flap){.on = ms(1000), .off = ms(500), .jitter = {200000}};
    for (uint32_t i = 0; i < 200; i++) {
        struct plan_phase p = plan_phase(&plan, 0, 1, i), again = plan_phase(&plan, 0, 1, i);
        least = p.on_ns < least ? p.on_ns : least;
        most = p.on_ns > most ? p.on_ns : most;
        CU_ASSERT(p.on_ns == again.on_ns && p.off_ns == again.off_ns);
        CU_ASSERT(p.off_ns >= 400 * NS_PER_MS && p.off_ns <= 600 * NS_PER_MS);
    }
    CU_ASSERT(least >= 800 * NS_PER_MS && least < 820 * NS_PER_MS);
    CU_ASSERT(most <= 1200 * NS_PER_MS && most > 1180 * NS_PER_MS);
    CU_ASSERT_NOT_EQUAL(plan_phase(&plan, 0, 1, 0).on_ns, plan_phase(&plan, 0, 2, 0).on_ns);
    CU_ASSERT_NOT_EQUAL(plan_phase(&plan, 0, 1, 0).on_ns, plan_phase(&plan, 1, 1, 0).on_ns);
    step.flap.jitter.ppm = 0;
    CU_ASSERT_EQUAL(plan_phase(&plan, 0, 1, 5).on_ns, 1000 * NS_PER_MS);
}

static void test_time_stands_still_in_a_hold(void)
{
    (void)flap_scenario();
    w.options.hold = true;
    w.go_on_ms = 5000;
    world_run(&w);
    expect_line("[ 5360] hold over: person\n");
    expect_line("[ 5657] revert i1 on n2\n");
    expect_line("[ 5859] prepare i2 on n2\n");
    expect_line("[ 6163] revert i2 on n2\n");
    expect_no_line("prepare i3");
    buf_free(&w.log);
    (void)waves_scenario();
    w.options.hold = true;
    w.go_on_ms = 5000;
    world_run(&w);
    expect_line("[  354] hold\n");
    expect_line("[ 6450] rollout wave 2\n");
    expect_line("[ 7550] rollout wave 3\n");
    expect_put_back();
    buf_free(&w.log);
}

/* All orders of three hosts are drawn, each of them again by the same seed. */
static void test_the_order_is_drawn(void)
{
    bool seen[6] = {false};
    struct err err;
    (void)waves_scenario();
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct plan *plan = NULL;
        struct plan_injections first = {0}, again = {0};
        CU_ASSERT_EQUAL_FATAL(plan_build(&w.scenario, seed, &plan, &err), 0);
        CU_ASSERT_EQUAL(plan->steps[0].n_waves, 3);
        CU_ASSERT_EQUAL(plan_expand(plan, 0, 1, NULL, 0, &first, &err), 0);
        CU_ASSERT_EQUAL(plan_expand(plan, 0, 1, NULL, 0, &again, &err), 0);
        for (size_t i = 0; i < 3 && first.n == 3; i++) {
            CU_ASSERT_EQUAL(first.list[i].wave, i + 1);
            CU_ASSERT_EQUAL(first.list[i].host, again.list[i].host);
        }
        if (first.n == 3)
            seen[2 * first.list[0].host + (first.list[1].host > first.list[2].host)] = true;
        plan_injections_free(&first);
        plan_injections_free(&again);
        plan_free(plan);
    }
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_TRUE(seen[i]);
    buf_free(&w.log);
}

static void test_more_phases_than_a_trial_holds(void)
{
    struct plan *plan = NULL;
    struct err err;
    struct scenario_step *s = flap_scenario();
    s->hosts = &all;
    s->length = ms(50000);
    CU_ASSERT_EQUAL(plan_build(&w.scenario, 1, &plan, &err), 0);
    plan_free(plan);
    s->length = ms(100000);
    CU_ASSERT_EQUAL(plan_build(&w.scenario, 1, &plan, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "up to 603 injections"));
    buf_free(&w.log);
}

static void test_without_a_fault_its_time_passes(void)
{
    struct scenario_step *s = waves_scenario();
    s->length = ms(500);
    w.options.no_fault = true;
    world_run(&w);
    expect_line("[ 2350] step 1 end\n");
    expect_line("[ 2850] state recover\n");
    expect_no_line("prepare");
    buf_free(&w.log);
}

/* Whenever a run is ended, all is put back and nothing begins any more. */
static void test_interrupted_anywhere(void)
{
    for (size_t at = 1; at < 120; at++) {
        if (at % 2 == 0)
            (void)flap_scenario();
        else
            (void)waves_scenario();
        w.interrupt_at = at;
        world_run(&w);
        expect_put_back();
        buf_free(&w.log);
    }
}

static const struct check_test tests[] = {
    {"all waves", test_all_waves},
    {"the gate stops", test_the_gate_stops},
    {"what was bad early in the bake passes", test_what_was_bad_early_in_the_bake_passes},
    {"the gate takes back", test_the_gate_takes_back},
    {"a gate that is never measured", test_a_gate_that_is_never_measured},
    {"waves without a gate and of several hosts", test_waves_without_a_gate_and_of_several_hosts},
    {"waves end with the trial", test_waves_end_with_the_trial},
    {"waves end with a heal", test_waves_end_with_a_heal},
    {"flap", test_flap},
    {"the last phase is cut at the end", test_the_last_phase_is_cut_at_the_end},
    {"flap ends with a heal and an interrupt", test_flap_ends_with_a_heal_and_an_interrupt},
    {"a lapse ends the flapping", test_a_lapse_ends_the_flapping},
    {"phases are drawn", test_phases_are_drawn},
    {"time stands still in a hold", test_time_stands_still_in_a_hold},
    {"the order is drawn", test_the_order_is_drawn},
    {"more phases than a trial holds", test_more_phases_than_a_trial_holds},
    {"without a fault its time passes", test_without_a_fault_its_time_passes},
    {"interrupted anywhere", test_interrupted_anywhere},
};
CHECK_MAIN("engine/unfold", tests)
