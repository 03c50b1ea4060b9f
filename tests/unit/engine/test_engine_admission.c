/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a fault step asks before it goes out, and a person's commands, in virtual time. */
#include "engine_golden.h"

static const struct selector all = {.kind = SELECT_ALL};
static const char *const command[] = {"true"};

static struct scenario_step *asking(int64_t after_ms, int answer)
{
    group_scenario();
    struct scenario_step *s = &w.steps[0];
    s->check = (struct scenario_command_check){.command = command, .n_command = 1};
    s->approval =
        (struct scenario_approval){.by = "senior", .after = ms(after_ms), .answer = answer};
    return s;
}

static void test_check_then_person_then_fault(void)
{
    (void)asking(2000, ANSWER_YES);
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[  350] step 1 begin\n"
                "[  350] admission check by check on n1\n"
                "[  360] admission checked by check\n"
                "[  360] admission asked by approval\n"
                "[ 2360] admission approved by approval\n"
                "[ 2360] prepare i1 on n1\n");
    expect_line("[ 2364] admission executed\n[ 2364] step 1 end\n");
    expect_line("[ 3364] revert i1 on n1\n");
    expect_put_back();
    buf_free(&w.log);
}

static void test_refused_by_the_check(void)
{
    (void)asking(2000, ANSWER_YES);
    w.check_fails = "exit status 1";
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[  360] admission refused by check: exit status 1\n[  360] step 1 refused\n");
    expect_no_line("asked");
    expect_no_line("prepare");
    expect_line("trial 0 done");
    buf_free(&w.log);
}

static void test_check_that_cannot_run(void)
{
    (void)asking(2000, ANSWER_YES);
    w.check_fails = "no such file";
    w.check_breaks = true;
    world_run(&w);
    expect_line("abort error: step 1: its check cannot be run: no such file");
    expect_no_line("refused");
    expect_no_line("prepare");
    buf_free(&w.log);
}

static void test_refused_by_the_person(void)
{
    (void)asking(2000, ANSWER_NO);
    struct scenario_step *until = world_add(&w, STEP_WAIT_UNTIL);
    until->probe = "write";
    until->within = ms(1000);
    world_add(&w, STEP_RUN)->recovery = true;
    world_add(&w, STEP_RUN);
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[ 2360] admission refused by approval\n[ 2360] step 1 refused\n");
    expect_no_line("prepare");
    /* Nothing goes bad, and there is nothing to repair; other commands are done. */
    expect_line("step 2 skipped");
    expect_line("step 3 skipped");
    expect_line("run step 4");
    buf_free(&w.log);
}

static void test_nobody_answers(void)
{
    struct scenario_step *s = asking(0, ANSWER_NONE);
    s->check.n_command = 0;
    s->approval.within = ms(500);
    world_run(&w);
    expect_line("[  850] admission refused by approval: no answer within 500ms, so that it is "
                "refused\n");
    expect_no_line("prepare");
    buf_free(&w.log);
    s = asking(0, ANSWER_NONE);
    s->check.n_command = 0;
    s->approval.within = ms(500);
    s->approval.proceed = 1;
    world_run(&w);
    expect_line("[  850] admission approved by approval: no answer within 500ms, so that it "
                "proceeds\n[  850] prepare i1 on n1\n");
    buf_free(&w.log);
    /* A yes that comes too late is none. */
    s = asking(900, ANSWER_YES);
    s->approval.within = ms(500);
    world_run(&w);
    expect_line("[  860] admission refused by approval: no answer within 500ms");
    buf_free(&w.log);
}

/* Roles are asked once the person has said yes: the leader may have moved meanwhile. */
static void test_role_after_approval(void)
{
    (void)asking(2000, ANSWER_YES);
    w.steps[0].hosts = &w.leader;
    w.later_ms = 1000;
    w.holders_later = 1;
    world_run(&w);
    expect_line("[  353] admission check by check on n2\n");
    expect_line("prepare i1 on n1\n");
    expect_no_line("prepare i1 on n2\n");
    buf_free(&w.log);
}

/* One host of the group refuses: the others are let go before anything was applied. */
static void test_refused_by_a_host(void)
{
    group_scenario();
    w.refuses = 2;
    world_add(&w, STEP_WAIT)->length = ms(50);
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[  352] admission refused by host on n2: may not\n");
    expect_line("[  352] revert i1 on n1\n[  352] revert i3 on n3\n");
    expect_line("[  354] step 1 refused\n[  354] step 2 begin\n");
    expect_no_line("apply");
    expect_no_line("revert i2");
    expect_line("trial 0 done");
    buf_free(&w.log);
    w.refuses = 0;
}

static void waves_scenario(uint64_t refuses, int heal)
{
    group_scenario();
    w.refuses = refuses;
    w.steps[0].hosts = &all;
    w.steps[0].waves = (struct scenario_waves){
        .size = 1, .bake = ms(500), .probe = "write", .good = true, .last = ms(200), .heal = heal};
}

static void test_refused_waves(void)
{
    waves_scenario(1, 0);
    world_run(&w);
    expect_line("rollout refused 0: may not\n");
    expect_line("step 1 refused");
    expect_no_line("apply");
    expect_no_line("prepare i2");
    buf_free(&w.log);
    waves_scenario(2, 0); /* the second: the first stays for its time */
    world_run(&w);
    expect_line("apply i1 on n1\n");
    expect_line("rollout stopped 1: may not\n");
    expect_no_line("apply i2");
    expect_no_line("prepare i3");
    expect_put_back();
    buf_free(&w.log);
    waves_scenario(2, 1); /* and is taken back with on_fail: heal */
    world_run(&w);
    expect_line("rollout healed 1: may not\n");
    expect_line("revert i1 on n1\n");
    expect_no_line("prepare i3");
    expect_line("trial 0 done");
    expect_put_back();
    buf_free(&w.log);
}

static void test_fault_free_trial_waits_too(void)
{
    (void)asking(2000, ANSWER_YES);
    w.options.no_fault = true;
    world_run(&w);
    expect_no_line("admission");
    expect_line("[ 2350] step 1 end\n");
    expect_line("[ 3350] state recover\n");
    buf_free(&w.log);
}

static const struct scenario_task tasks[] = {
    {.name = "find it", .command = command, .n_command = 1, .takes = {1000 * NS_PER_MS}},
    {.name = "put it back", .command = command, .n_command = 1},
};

static void runbook_scenario(void)
{
    group_scenario();
    struct scenario_step *s = world_add(&w, STEP_RUNBOOK);
    s->hosts = &all;
    s->tasks = tasks;
    s->n_tasks = 2;
    s->recovery = true;
}

static void test_runbook(void)
{
    runbook_scenario();
    world_run(&w);
    CU_ASSERT_TRUE(w.ended_ok);
    expect_line("[  354] task 1 begin\n");
    expect_line("[ 1354] task 1 run\n");
    expect_line("[ 1359] task 1 end\n"
                "[ 1359] task 2 begin\n"
                "[ 1359] task 2 run\n");
    expect_line("[ 1364] task 2 end\n[ 1364] step 2 end\n");
    buf_free(&w.log);
    runbook_scenario();
    w.fail_task = 1;
    world_run(&w);
    expect_line("[ 1359] task 1 failed: exit status 1\n"
                "[ 1359] step 2 failed: find it: exit status 1\n");
    expect_no_line("task 2");
    expect_put_back();
    buf_free(&w.log);
    runbook_scenario();
    w.refuses = 1;
    world_run(&w);
    expect_line("step 2 skipped");
    expect_no_line("task");
    buf_free(&w.log);
}

static const struct check_test tests[] = {
    {"a check, a person, then the fault", test_check_then_person_then_fault},
    {"refused by the check", test_refused_by_the_check},
    {"a check that cannot run is an error", test_check_that_cannot_run},
    {"refused by the person", test_refused_by_the_person},
    {"nobody answers", test_nobody_answers},
    {"roles are asked after the approval", test_role_after_approval},
    {"refused by a host", test_refused_by_a_host},
    {"refused waves", test_refused_waves},
    {"a fault-free trial waits too", test_fault_free_trial_waits_too},
    {"runbook", test_runbook},
};

CHECK_MAIN("engine/admission", tests)
