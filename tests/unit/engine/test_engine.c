/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine in virtual time: whole timelines, line by line. */
#include "engine_golden.h"

static void test_whole_run(void)
{
    leader_scenario();
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
               "[  360] step 2 begin\n"
               "[  360] state hold\n"
               "[ 1150] step 2 end\n"
               "[ 1353] renew n2\n"
               "[ 1357] revert i1 on n2\n"
               "[ 1357] state heal\n"
               "[ 1359] state recover\n"
               "[ 1750] state settle\n"
               "[ 1750] clean n1\n"
               "[ 1750] clean n2\n"
               "[ 1750] clean n3\n"
               "[ 1751] trial 0 done\n"
               "[ 1751] end\n");
}

static void test_what_is_awaited_at_the_end_is_said(void)
{
    leader_scenario();
    world_run(&w);
    CU_ASSERT_STRING_EQUAL(w.awaited, "waiting until all probes are good for 300ms, at most 2.0 s");
    buf_free(&w.log);
    static struct scenario_target window[1];
    leader_scenario();
    window[0] =
        (struct scenario_target){.kind = TARGET_AVAILABILITY, .probe = "write", .over = ms(5000)};
    w.scenario.targets = window;
    w.scenario.n_targets = 1;
    world_run(&w);
    CU_ASSERT_STRING_EQUAL(w.awaited,
                           "measuring on for 4.0 s, until the targets' windows are over");
    buf_free(&w.log);
    /* And so is what a symptom looks at. */
    const struct scenario_symptom symptom = {.shows = "s", .targets = window, .n_targets = 1};
    leader_scenario();
    w.scenario.symptoms = &symptom;
    w.scenario.n_symptoms = 1;
    world_run(&w);
    CU_ASSERT_STRING_EQUAL(w.awaited,
                           "measuring on for 4.0 s, until the targets' windows are over");
    buf_free(&w.log);
}

static void test_group_prepares_all_then_applies_all(void)
{
    group_scenario();
    world_run(&w);
    expect_line("[  350] prepare i1 on n1\n[  350] prepare i2 on n2\n[  350] prepare i3 on n3\n");
    expect_line("[  352] apply i1 on n1\n[  352] apply i2 on n2\n[  352] apply i3 on n3\n");
    expect_line("[ 1354] revert i1 on n1\n[ 1354] revert i2 on n2\n[ 1354] revert i3 on n3\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_one_refusal_reverts_the_group(void)
{
    group_scenario();
    w.fail_prepare = 2;
    world_run(&w);
    expect_line("abort error: test.fault on n2: refused");
    expect_line("revert i1 on n1");
    expect_line("revert i3 on n3");
    expect_no_line("apply");
    expect_no_line("revert i2");
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
    group_scenario();
    w.fail_apply = 3;
    world_run(&w);
    expect_line("abort error: test.fault on n3: refused");
    expect_line("revert i3 on n3");
    expect_put_back();
    buf_free(&w.log);
}

static void test_losing_an_agent_reverts_the_group(void)
{
    group_scenario();
    w.lose_ms = 700;
    world_run(&w);
    expect_line("[  700] abort agent lost: n2: link closed\n[  700] revert i1 on n1\n");
    expect_line("[  700] revert i3 on n3");
    CU_ASSERT_EQUAL(w.n_ends, 1);
    buf_free(&w.log);
}

static void test_a_role_that_moved_ends_the_trial(void)
{
    leader_scenario();
    w.holders_later = 1;
    w.later_ms = 357;
    world_run(&w);
    expect_line("[  360] role after-apply: n1, not as it was\n[  360] revert i1 on n2\n");
    expect_line("trial 0 aborted");
    CU_ASSERT_TRUE(w.ended_ok); /* the trial is lost, not the run */
    buf_free(&w.log);
}

static void test_a_role_that_nobody_has_is_asked_again(void)
{
    leader_scenario();
    w.holders = 0;
    w.holders_later = 4;
    w.later_ms = 700;
    world_run(&w);
    expect_line("[  753] role select: n3\n[  753] prepare i1 on n3\n");
    buf_free(&w.log);
    leader_scenario();
    w.holders = 3;
    world_run(&w);
    expect_line("step 1 failed: no single host has the role");
    expect_no_line("prepare");
    CU_ASSERT_EQUAL(w.n_ends, 1);
    buf_free(&w.log);
}

static void test_a_bad_baseline_injects_nothing(void)
{
    leader_scenario();
    w.bad_from = 1;
    w.bad_to = 100000;
    world_run(&w);
    expect_log(
        "[    0] trial 0\n"
        "[    0] state steady\n"
        "[ 2000] steady not held: write was not good for 300ms within 2s: the last answers were: "
        "refused\n"
        "[ 2000] state settle\n"
        "[ 2000] clean n1\n"
        "[ 2000] clean n2\n"
        "[ 2000] clean n3\n"
        "[ 2001] trial 0 aborted\n"
        "[ 2001] end\n");
}

/* It answers in time, but too late to have been good for long enough. */
static void test_a_baseline_that_comes_too_late_says_what_was_bad(void)
{
    leader_scenario();
    w.bad_from = 1;
    w.bad_to = 1900;
    world_run(&w);
    expect_line("within 2s: the last bad answer was: refused\n");
    buf_free(&w.log);
}

static void test_without_faults_only_time_passes(void)
{
    leader_scenario();
    w.options.no_fault = true;
    w.bad_to = 0;
    world_run(&w);
    expect_log("[    0] trial 0, fault-free\n"
               "[    0] state steady\n"
               "[  350] steady held\n"
               "[  350] state hold\n"
               "[  350] step 1 begin\n"
               "[  350] state inject\n"
               "[  353] role select: n2\n"
               "[  353] step 1 skipped\n"
               "[  353] step 2 begin\n"
               "[  353] state hold\n"
               "[  750] step 2 end\n"
               "[ 1353] state recover\n"
               "[ 1750] state settle\n"
               "[ 1750] clean n1\n"
               "[ 1750] clean n2\n"
               "[ 1750] clean n3\n"
               "[ 1751] trial 0 done\n"
               "[ 1751] end\n");
}

static void test_interrupt_reverts_and_settles(void)
{
    leader_scenario();
    w.interrupt_ms = 600;
    world_run(&w);
    expect_line("[  600] abort interrupt: stopped by the person\n[  600] revert i1 on n2\n");
    expect_line("[ 1150] state settle");
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
    leader_scenario();
    w.interrupt_ms = 600;
    w.interrupt2_ms = 620;
    world_run(&w);
    expect_line("revert i1 on n2");
    expect_line("[  620] state settle");
    buf_free(&w.log);
}

static void test_interrupt_at_every_event(void)
{
    size_t points = 0;
    for (size_t k = 1; k < 200; k++) {
        leader_scenario();
        w.interrupt_at = k;
        world_run(&w);
        expect_put_back();
        buf_free(&w.log);
        points += w.n_events > k;
    }
    CU_ASSERT(points > 20);
}

static void test_a_guard_aborts(void)
{
    static const struct scenario_guard guard = {.probe = "write", .bad_for = {500000000}};
    leader_scenario();
    w.bad_to = 100000;
    w.scenario.guards = &guard;
    w.scenario.n_guards = 1;
    world_run(&w);
    expect_line("guard: write was bad for longer than 500ms\n");
    expect_line("abort guard: write was bad for longer than 500ms");
    expect_put_back();
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_the_deadline_aborts(void)
{
    leader_scenario();
    w.steps[0].length = ms(0);
    w.bad_to = 100000;
    w.scenario.deadline = ms(1500);
    world_run(&w);
    expect_line("[ 1500] abort deadline: the run's deadline has passed\n[ 1500] revert i1 on n2\n");
    CU_ASSERT_FALSE(w.ended_ok);
    buf_free(&w.log);
}

static void test_a_wait_has_a_limit(void)
{
    leader_scenario();
    w.bad_to = 100000;
    w.steps[1].within = ms(700);
    world_run(&w);
    expect_line("[ 1060] step 2 failed: the probe did not become good within the limit\n"
                "[ 1060] revert i1 on n2\n");
    expect_line("[ 3062] state settle");
    buf_free(&w.log);
}

static void test_a_lapse_ends_the_trial(void)
{
    leader_scenario();
    w.lapse_ms = 900;
    world_run(&w);
    expect_line("[  900] revert i1 on n2");
    expect_line("trial 0 aborted");
    buf_free(&w.log);
}

static void test_a_series_begins_fault_free(void)
{
    leader_scenario();
    w.bad_to = 0;
    w.options.trials = 2;
    world_run(&w);
    expect_line("trial 0, fault-free\n");
    expect_line("] trial 1\n");
    expect_line("] trial 2\n");
    expect_line("prepare i1 on n2");
    expect_line("prepare i2 on n2");
    expect_line("trial 2 done");
    expect_no_line("trial 3");
    expect_put_back();
    buf_free(&w.log);
}

/* The wait for the answer is no part of what the deadline counts. */
static void test_a_series_is_asked_for_the_next(void)
{
    leader_scenario();
    w.bad_to = 0;
    w.options.trials = 5;
    w.options.ask = true;
    w.last = 2;
    w.turn_ms = 20000;
    w.scenario.deadline = ms(30000);
    world_run(&w);
    expect_line("may trial 1 begin?\n");
    expect_line("trial 2 done");
    expect_line("may trial 3 begin?\n");
    expect_no_line("] trial 3");
    expect_no_line("abort");
    CU_ASSERT_TRUE(w.ended_ok);
    expect_put_back();
    buf_free(&w.log);
}

/* Who waits for a turn can be stopped; by whom is told. */
static void test_an_interrupt_between_trials(void)
{
    leader_scenario();
    w.interrupt_by = "the other one has ended";
    w.bad_to = 0;
    w.options.trials = 5;
    w.options.ask = true;
    w.last = 5;
    w.turn_ms = 500000;
    w.interrupt_ms = 100000;
    world_run(&w);
    expect_line("may trial 1 begin?\n");
    expect_line("[100000] abort interrupt: the other one has ended\n[100000] end, aborted");
    expect_no_line("] trial 1");
    CU_ASSERT_EQUAL(w.n_ends, 1);
    buf_free(&w.log);
}

static void test_parallel_steps_and_heal(void)
{
    world_init(&w);
    static struct scenario_step left[2], right[1];
    static const struct scenario_steps branches[] = {{left, 2}, {right, 1}};
    left[0] = (struct scenario_step){.kind = STEP_WAIT, .length = ms(400)};
    left[1] = (struct scenario_step){.kind = STEP_RUN};
    right[0] = (struct scenario_step){.kind = STEP_WAIT, .length = ms(100)};
    world_add(&w, STEP_FAULT)->name = "cut";
    struct scenario_step *parallel = world_add(&w, STEP_PARALLEL);
    parallel->branches = branches;
    parallel->n_branches = 2;
    world_add(&w, STEP_HEAL)->name = "cut";
    world_run(&w);
    expect_line("[  360] step 2 begin\n[  360] step 3 begin\n[  360] step 5 begin\n");
    expect_line("[  460] step 5 end\n[  760] step 3 end\n[  760] step 4 begin\n");
    expect_line("[  765] step 4 end\n[  765] step 2 end\n[  765] step 6 begin\n"
                "[  765] revert i1 on n2\n");
    expect_line("[  767] step 6 end\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_wait_until_a_role_changed(void)
{
    leader_scenario();
    w.steps[1].probe = NULL;
    w.steps[1].role = "leader";
    w.holders_later = 3; /* the old one still thinks so */
    w.later_ms = 700;
    world_run(&w);
    expect_line("[  763] role step: n1\n[  763] step 2 end\n");
    expect_put_back();
    buf_free(&w.log);
}

static const struct check_test tests[] = {
    {"whole run", test_whole_run},
    {"what is awaited at the end is said", test_what_is_awaited_at_the_end_is_said},
    {"a group prepares all, then applies all", test_group_prepares_all_then_applies_all},
    {"one refusal reverts the group", test_one_refusal_reverts_the_group},
    {"losing an agent reverts the group", test_losing_an_agent_reverts_the_group},
    {"a role that moved ends the trial", test_a_role_that_moved_ends_the_trial},
    {"a role that nobody has is asked again", test_a_role_that_nobody_has_is_asked_again},
    {"a bad baseline injects nothing", test_a_bad_baseline_injects_nothing},
    {"a baseline that comes too late", test_a_baseline_that_comes_too_late_says_what_was_bad},
    {"without faults only time passes", test_without_faults_only_time_passes},
    {"interrupt reverts and settles", test_interrupt_reverts_and_settles},
    {"interrupt at every event", test_interrupt_at_every_event},
    {"a guard aborts", test_a_guard_aborts},
    {"the deadline aborts", test_the_deadline_aborts},
    {"a wait has a limit", test_a_wait_has_a_limit},
    {"a lapse ends the trial", test_a_lapse_ends_the_trial},
    {"a series begins fault-free", test_a_series_begins_fault_free},
    {"a series is asked for the next", test_a_series_is_asked_for_the_next},
    {"an interrupt between trials", test_an_interrupt_between_trials},
    {"parallel steps and heal", test_parallel_steps_and_heal},
    {"wait until a role changed", test_wait_until_a_role_changed},
};

CHECK_MAIN("engine", tests)
