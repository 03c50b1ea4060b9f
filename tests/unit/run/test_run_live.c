/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples in any order -> slots in theirs. */
#include "base/buf.h"
#include "check.h"
#include "run/run_live.h"

static struct buf seen;
static struct scenario_probe probe;
static struct scenario scenario;

static void on_slot(void *ctx, size_t index, bool good, const struct sample *last)
{
    (void)ctx;
    (void)index;
    buf_printf(&seen, "%u%c ", last->slot, good ? '+' : '-');
}

static struct run_live *begin(enum endpoints_rule rule, size_t endpoints)
{
    struct run_live *live = NULL;
    struct err err;
    probe = (struct scenario_probe){
        .name = "p", .endpoints = rule, .every = {100000000}, .timeout = {1000000000}};
    scenario = (struct scenario){.probes = &probe, .n_probes = 1};
    seen = BUF_INIT(4096);
    CU_ASSERT_EQUAL_FATAL(run_live_new(&scenario, &endpoints, on_slot, NULL, &live, &err), 0);
    return live;
}

static void end(struct run_live *live, const char *expected)
{
    CU_ASSERT_STRING_EQUAL(buf_text(&seen), expected);
    buf_free(&seen);
    run_live_free(live);
}

static void add(struct run_live *live, uint32_t slot, uint16_t endpoint, enum sample_result result)
{
    run_live_add(live, &(struct sample){.slot = slot,
                                        .endpoint = endpoint,
                                        .due_ns = (int64_t)slot * 100000000,
                                        .result = (uint16_t)result});
}

static void test_in_order(void)
{
    struct run_live *live = begin(ENDPOINTS_ONE, 1);
    add(live, 1, 0, SAMPLE_GOOD);
    add(live, 2, 0, SAMPLE_GOOD);
    CU_ASSERT_STRING_EQUAL(buf_text(&seen), ""); /* slot 0 is still under way */
    add(live, 0, 0, SAMPLE_TIMEOUT);
    add(live, 3, 0, SAMPLE_REFUSED);
    end(live, "0- 1+ 2+ 3- ");
}

static void test_any_and_each(void)
{
    struct run_live *live = begin(ENDPOINTS_ANY, 2);
    add(live, 0, 0, SAMPLE_GOOD);
    add(live, 0, 1, SAMPLE_TIMEOUT);
    add(live, 1, 1, SAMPLE_TIMEOUT);
    add(live, 1, 0, SAMPLE_REFUSED);
    end(live, "0+ 1- ");
    live = begin(ENDPOINTS_EACH, 2);
    add(live, 0, 0, SAMPLE_GOOD);
    add(live, 0, 1, SAMPLE_TIMEOUT);
    add(live, 1, 0, SAMPLE_GOOD);
    add(live, 1, 1, SAMPLE_GOOD);
    end(live, "0- 1+ ");
}

static void test_the_role_counts(void)
{
    struct run_live *live = begin(ENDPOINTS_ROLE, 2);
    run_live_set_holder(live, 0, 1);
    add(live, 0, 0, SAMPLE_GOOD);
    add(live, 0, 1, SAMPLE_TIMEOUT);
    run_live_set_holder(live, 0, 0);
    add(live, 1, 0, SAMPLE_GOOD);
    add(live, 1, 1, SAMPLE_TIMEOUT);
    end(live, "0- 1+ ");
}

static void test_gaps_say_nothing(void)
{
    struct run_live *live = begin(ENDPOINTS_ONE, 1);
    add(live, 0, 0, SAMPLE_GOOD);
    add(live, 1, 0, SAMPLE_GAP);
    add(live, 2, 0, SAMPLE_GOOD);
    end(live, "0+ 2+ ");
}

/* A slot that never comes does not hold back the others for ever. */
static void test_a_missing_slot_is_passed(void)
{
    struct run_live *live = begin(ENDPOINTS_ONE, 1);
    for (uint32_t slot = 1; slot < 200; slot++)
        add(live, slot, 0, SAMPLE_GOOD);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&seen), "1+ 2+ 3+ "));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&seen), "-"));
    buf_free(&seen);
    run_live_free(live);
}

/* Slots that were all dropped are not gone through one by one. */
static void test_a_far_slot(void)
{
    struct run_live *live = begin(ENDPOINTS_ONE, 1);
    add(live, 0, 0, SAMPLE_GOOD);
    add(live, 2, 0, SAMPLE_TIMEOUT);
    add(live, UINT32_MAX - 1, 0, SAMPLE_GOOD);
    add(live, 3, 0, SAMPLE_GOOD); /* too late */
    end(live, "0+ 2- 4294967294+ ");
}

static const struct check_test tests[] = {
    {"in order", test_in_order},
    {"any and each", test_any_and_each},
    {"the role counts", test_the_role_counts},
    {"gaps say nothing", test_gaps_say_nothing},
    {"a missing slot is passed", test_a_missing_slot_is_passed},
    {"a far slot", test_a_far_slot},
};

CHECK_MAIN("run_live", tests)
