/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A story beside the verdict, the bounds and the reasons that it must lead to. */
#ifndef BLACKSTART_TESTS_GOLDEN_H
#define BLACKSTART_TESTS_GOLDEN_H

#include "check.h"
#include "story.h"

#include <stdio.h>

/* 3 s good, then what the test says, then good until 10 s. */
#define BEFORE  "..............................."
#define GOOD_2S "...................."
#define BAD_1S5 "xxxxxxxxxxxxxxx"

struct golden {
    const char *name;
    struct story story;
    enum verdict verdict;
    int exit_status;
    const char *why;        /* part of the run's reason */
    const char *target;     /* of the first: "recovery_time 1.390..1.692 pass" */
    const char *target_why; /* part of it */
};

static inline void target_print(const struct analysis *a, char out[160])
{
    out[0] = '\0';
    if (a->n_targets != 0)
        (void)snprintf(out, 160, "%s %.3f..%.3f %s", a->targets[0].measure, a->targets[0].lower,
                       a->targets[0].upper, verdict_word(a->targets[0].verdict));
}

static inline void golden_check(const struct golden *g)
{
    struct story_told t;
    char target[160];
    story_tell(&g->story, &t);
    const struct analysis *a = t.analysis;
    if (a == NULL)
        return;
    target_print(a, target);
    const char *target_why = a->n_targets != 0 ? a->targets[0].why : "";
    if (a->verdict != g->verdict || a->exit_status != g->exit_status ||
        strstr(a->why, g->why) == NULL || (g->target != NULL && strcmp(target, g->target) != 0) ||
        (g->target_why != NULL && strstr(target_why, g->target_why) == NULL)) {
        printf("\n  %s:\n  wanted %s %d \"%s\" [%s] \"%s\"\n  got    %s %d \"%s\" [%s] \"%s\"\n",
               g->name, verdict_word(g->verdict), g->exit_status, g->why, g->target, g->target_why,
               verdict_word(a->verdict), a->exit_status, a->why, target, target_why);
        CU_FAIL("another verdict");
    }
    story_free(&t);
}

/* Bad from 3.1 s to 4.5 s: onset (3.0, 3.1], recovery (4.5, 4.602]; fault active within
 * [3.0, 3.01]. */
#define OUTAGE BEFORE BAD_1S5 GOOD_2S GOOD_2S GOOD_2S
#define QUIET  BEFORE GOOD_2S GOOD_2S GOOD_2S

#define GOLDENS(table)                                                                             \
    static void test_##table(void)                                                                 \
    {                                                                                              \
        for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++)                            \
            golden_check(&(table)[i]);                                                             \
    }

#endif
