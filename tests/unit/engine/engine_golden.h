/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine's timelines share: two scenarios, and the comparison with what must be there. */
#ifndef BLACKSTART_TESTS_ENGINE_GOLDEN_H
#define BLACKSTART_TESTS_ENGINE_GOLDEN_H

#include "check.h"
#include "engine_world.h"

static struct world w;

static inline void expect_log(const char *golden)
{
    const char *got = buf_text(&w.log);
    if (strcmp(got, golden) != 0)
        fprintf(stderr, "--- expected\n%s--- got\n%s---\n", golden, got);
    CU_ASSERT_STRING_EQUAL(got, golden);
    CU_ASSERT_FALSE(w.overflow);
    buf_free(&w.log);
}

static inline void expect_line(const char *line)
{
    if (strstr(buf_text(&w.log), line) == NULL)
        fprintf(stderr, "--- no line: %s\n%s---\n", line, buf_text(&w.log));
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_text(&w.log), line));
}

static inline void expect_no_line(const char *line)
{
    if (strstr(buf_text(&w.log), line) != NULL)
        fprintf(stderr, "--- unwanted line: %s\n%s---\n", line, buf_text(&w.log));
    CU_ASSERT_PTR_NULL(strstr(buf_text(&w.log), line));
}

/* Whatever happened: each prepared injection was reverted, and the end came once. */
static inline void expect_put_back(void)
{
    CU_ASSERT_EQUAL(w.n_ends, 1);
    CU_ASSERT(w.n_reverted >= w.n_prepared);
    CU_ASSERT_FALSE(w.overflow);
}

/* A fault on the leader for a second, then a wait for the probe. */
static inline void leader_scenario(void)
{
    world_init(&w);
    world_add(&w, STEP_FAULT)->length = ms(1000);
    struct scenario_step *until = world_add(&w, STEP_WAIT_UNTIL);
    until->probe = "write";
    until->good = true;
    until->within = ms(5000);
    w.bad_from = 400;
    w.bad_to = 800;
}

static inline void group_scenario(void)
{
    static const struct selector all = {.kind = SELECT_ALL};
    world_init(&w);
    world_add(&w, STEP_FAULT)->hosts = &all;
    w.steps[0].length = ms(1000);
}

#endif
