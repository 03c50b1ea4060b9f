/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "blackstart new": for each kind a scenario that stands by itself, and is one that measures. */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "check.h"
#include "scenario/scenario.h"
#include "scenario/scenario_template.h"

#include <stdio.h>

enum { TEXT_MAX = 65536 };

static bool has_fault(const struct scenario_step *steps, size_t n, const struct fault *fault)
{
    for (size_t i = 0; i < n; i++) {
        if (steps[i].kind == STEP_FAULT && steps[i].fault == fault)
            return true;
        for (size_t b = 0; b < steps[i].n_branches; b++)
            if (has_fault(steps[i].branches[b].steps, steps[i].branches[b].n, fault))
                return true;
    }
    return false;
}

/* A recovery is measured, by a probe that must feel the fault; or one must not feel it. */
static bool measures(const struct scenario *s)
{
    bool expected = false, none = false, recovery = false;
    for (size_t i = 0; i < s->n_probes; i++) {
        expected = expected || s->probes[i].impact == IMPACT_EXPECTED;
        none = none || s->probes[i].impact == IMPACT_NONE;
    }
    for (size_t i = 0; i < s->n_targets; i++)
        recovery = recovery || s->targets[i].kind == TARGET_RECOVERY;
    return none || (expected && recovery);
}

static void check_one(const struct fault *fault)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    struct err err = {0};
    struct scenario *s = NULL;
    struct problems problems = {0};
    CU_ASSERT_EQUAL(scenario_template(fault, "mine", "schema.json", &text, &err), 0);
    /* From a folder in which nothing else lies. */
    CU_ASSERT_EQUAL(scenario_parse("/nonexistent/mine.yaml", buf_text(&text), text.len,
                                   &fault_catalogue, NULL, 0, &s, &problems, &err),
                    0);
    if (s == NULL)
        (void)printf("%s: %s\n", fault->name, err.msg);
    CU_ASSERT_PTR_NOT_NULL(s);
    if (s != NULL) {
        bool good = has_fault(s->steps, s->n_steps, fault) && measures(s);
        if (!good)
            (void)printf("%s: its example in scenarios/faults does not inject it, or no probe of "
                         "it says what impact it has, or no recovery is measured\n",
                         fault->name);
        CU_ASSERT_TRUE(good);
        CU_ASSERT_STRING_EQUAL(s->name, "mine");
        CU_ASSERT_PTR_NOT_NULL(s->lab);
    }
    scenario_free(s);
    problems_free(&problems);
}

static void test_each_kind(void)
{
    for (size_t i = 0; i < fault_catalogue.n; i++)
        check_one(fault_catalogue.faults[i]);
}

static void test_words(void)
{
    CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX);
    struct err err;
    const struct fault *fault = catalogue_find(&fault_catalogue, "process.kill");
    CU_ASSERT_EQUAL(scenario_template(fault, "mine", "schema.json", &text, &err), 0);
    static const char first[] = "# yaml-language-server: $schema=schema.json\n";
    CU_ASSERT_EQUAL(strncmp(buf_text(&text), first, sizeof(first) - 1), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&text), "\n# What must hold."));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&text), "../"));
    const struct fault none = {.name = "no.such"};
    CU_ASSERT_EQUAL(scenario_template(&none, "mine", NULL, &text, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
}

static const struct check_test tests[] = {
    {"each kind", test_each_kind},
    {"words", test_words},
};

CHECK_MAIN("scenario templates", tests)
