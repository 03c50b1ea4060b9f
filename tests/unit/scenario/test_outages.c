/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every shipped outage: each of its variants is right, says what it reproduces, and can be told
 * from a run in which nothing happened; and so can each incident of a game day. */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "scenario/scenario.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

static struct problems problems;

static struct scenario *load(const char *file, const char *variant)
{
    struct scenario *s = NULL;
    struct err err = {0};
    const struct scenario_set set = {NULL, variant};
    problems_free(&problems);
    if (scenario_load(file, &fault_catalogue, &set, variant != NULL, &s, &problems, &err) != 0)
        (void)printf("\n    %s %s: %s\n", file, variant != NULL ? variant : "", err.msg);
    for (size_t i = 0; i < problems.n; i++)
        (void)printf("%s", problems.list[i].text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

/* A symptom that holds of a system to which nothing was done would let a run without the fault
 * pass. */
static bool shows_harm(const struct scenario *s)
{
    for (size_t i = 0; i < s->n_symptoms; i++)
        if (s->symptoms[i].missed)
            return true;
    return s->n_symptoms == 0;
}

static void check_variant(const char *file, const char *name, size_t expected[2])
{
    struct scenario *s = load(file, name);
    const struct scenario_variant *v = scenario_variant_of(s);
    CU_ASSERT_PTR_NOT_NULL_FATAL(v);
    CU_ASSERT_STRING_EQUAL(v->name, name);
    CU_ASSERT_TRUE(v->description != NULL && s->n_targets > 0 && s->n_steps > 0);
    expected[v->expect]++;
    scenario_free(s);
}

static void check_outage(const char *file)
{
    size_t expected[2] = {0, 0};
    struct scenario *s = load(file, NULL);
    CU_ASSERT_TRUE(s->outage.title != NULL && s->outage.n_sources > 0);
    CU_ASSERT_TRUE_FATAL(s->n_variants >= 2);
    for (size_t i = 0; i < s->n_variants; i++)
        check_variant(file, s->variants[i].name, expected);
    if (!shows_harm(s))
        (void)printf("\n    %s: no symptom of its first variant is missed\n", file);
    CU_ASSERT_TRUE(shows_harm(s));
    CU_ASSERT_EQUAL(s->variants[0].expect, EXPECT_FAIL);
    CU_ASSERT_TRUE(expected[EXPECT_PASS] > 0);
    scenario_free(s);
}

static void test_all(void)
{
    glob_t found;
    CU_ASSERT_EQUAL_FATAL(glob(SOURCE_DIR "/scenarios/outages/*/scenario.yaml", 0, NULL, &found),
                          0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_outage(found.gl_pathv[i]);
    globfree(&found);
}

/* Each incident of a game day, by its step's name, has what it must have shown. */
static void test_game_day(void)
{
    struct scenario *s = load(SOURCE_DIR "/scenarios/gamedays/four-incidents.yaml", NULL);
    size_t incidents = 0;
    for (size_t i = 0; i < s->n_steps; i++) {
        bool shown = s->steps[i].kind != STEP_FAULT;
        incidents += !shown;
        for (size_t k = 0; !shown && k < s->n_symptoms; k++)
            shown = s->symptoms[k].missed &&
                    strncmp(s->symptoms[k].shows, s->steps[i].name, strlen(s->steps[i].name)) == 0;
        CU_ASSERT_TRUE(shown);
    }
    CU_ASSERT_EQUAL(incidents, 4);
    scenario_free(s);
}

static const struct check_test tests[] = {
    {"all shipped outages", test_all},
    {"a game day", test_game_day},
};

CHECK_MAIN("outages", tests)
