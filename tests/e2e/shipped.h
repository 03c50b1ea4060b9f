/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running a shipped scenario as a person runs it, and what each of them has to show. */
#ifndef BLACKSTART_TESTS_E2E_SHIPPED_H
#define BLACKSTART_TESTS_E2E_SHIPPED_H

#include "e2e.h"

enum { SHIPPED_LIMIT_S = 120 };

struct shipped {
    const char *file;
    const char *fault;
    const char *evidence; /* this item is above zero; NULL: the fault's own judgement alone */
    size_t hosts, injections;
    const char *set; /* --set, or NULL */
    int status;
    const char *verdict;
};

static inline void shipped_expect_proof(const struct e2e *t, const struct shipped *s)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    size_t i;
    CU_ASSERT_EQUAL(json_array_size(list), s->injections);
    json_array_foreach(list, i, one)
    {
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "fault"), s->fault);
        CU_ASSERT_TRUE(json_is_true(json_object_get(one, "proven")));
        if (s->evidence != NULL)
            CU_ASSERT(e2e_number(json_object_get(one, "evidence"), s->evidence) > 0);
    }
}

/* set: for --set, or NULL. */
static inline void shipped_start(struct e2e *t, const struct shipped *s, const char *set)
{
    char file[128];
    (void)snprintf(file, sizeof(file), "scenarios/%s.yaml", s->file);
    e2e_begin(t);
    if (set != NULL)
        e2e_start(t, (const char *const[]){"run", "--out", t->out, "--set", set, file, NULL});
    else
        e2e_start(t, (const char *const[]){"run", "--out", t->out, file, NULL});
}

static inline void shipped_finish(struct e2e *t, const struct shipped *s)
{
    (void)e2e_wait(t, SHIPPED_LIMIT_S);
    e2e_expect_verdict(t, s->status, s->verdict);
    e2e_expect_clean(t, s->hosts);
    shipped_expect_proof(t, s);
    e2e_expect_gone(t, 5);
}

static inline void shipped_run(struct e2e *t, const struct shipped *s)
{
    shipped_start(t, s, s->set);
    shipped_finish(t, s);
}

static inline bool shipped_was_felt(const struct e2e *t)
{
    const json_t *trial, *probe;
    size_t i, k;
    json_array_foreach(json_object_get(t->result, "trials"), i, trial)
    {
        json_array_foreach(json_object_get(trial, "probes"), k, probe)
        {
            if (json_is_true(json_object_get(probe, "impacted")))
                return true;
        }
    }
    return false;
}

/* What became of it, as its result says. */
static inline void shipped_say(const struct e2e *t, const char *file)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    const json_t *target = e2e_target(t, "recovery_time");
    size_t i, proven = 0;
    json_array_foreach(list, i, one)
    {
        proven += json_is_true(json_object_get(one, "proven"));
    }
    printf("figure: %s: %s, %zu of %zu proven, %s", file, e2e_text(t->result, "verdict"), proven,
           json_array_size(list), shipped_was_felt(t) ? "felt" : "not felt");
    if (target != NULL)
        printf(", recovery %.3f..%.3f s", e2e_number(target, "lower_s"),
               e2e_number(target, "upper_s"));
    printf("\n");
}

static inline void shipped_expect_pass(const char *file, const char *fault, const char *evidence,
                                       size_t hosts, size_t injections)
{
    struct e2e t;
    const struct shipped s = {.file = file,
                              .fault = fault,
                              .evidence = evidence,
                              .hosts = hosts,
                              .injections = injections,
                              .verdict = "pass"};
    shipped_run(&t, &s);
    const json_t *target = e2e_target(&t, "recovery_time");
    /* An example shows its fault: it was felt, and the way back was measured; or that it is not
     * felt is what it measures. */
    if (target != NULL) {
        CU_ASSERT_TRUE(shipped_was_felt(&t));
        CU_ASSERT_TRUE(json_is_number(json_object_get(target, "upper_s")));
    } else {
        CU_ASSERT_FALSE(shipped_was_felt(&t));
        CU_ASSERT_PTR_NOT_NULL(e2e_target(&t, "impact"));
    }
    shipped_say(&t, file);
    e2e_end(&t);
}

#endif
