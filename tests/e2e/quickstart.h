/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scenarios/quickstart.yaml, and what has to be true of its injections. */
#ifndef BLACKSTART_TESTS_E2E_QUICKSTART_H
#define BLACKSTART_TESTS_E2E_QUICKSTART_H

#include "e2e.h"

#define QUICKSTART "scenarios/quickstart.yaml"
enum { QUICKSTART_LIMIT_S = 120 };

static inline void quickstart_expect_injections(const struct e2e *t, bool proven)
{
    const json_t *list = json_object_get(t->result, "injections"), *one;
    size_t i;
    CU_ASSERT_EQUAL(json_array_size(list), 3);
    json_array_foreach(list, i, one)
    {
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "fault"), "network.partition");
        CU_ASSERT_STRING_EQUAL(e2e_text(one, "ended_by"), "command");
        CU_ASSERT_EQUAL(json_is_true(json_object_get(one, "proven")), proven);
        double dropped = e2e_number(json_object_get(one, "evidence"), "dropped");
        CU_ASSERT(proven ? dropped > 0 : dropped == 0);
        CU_ASSERT(e2e_number(one, "asked_s") > 0);
        CU_ASSERT(e2e_number(one, "active_s") >= e2e_number(one, "asked_s"));
        CU_ASSERT(e2e_number(one, "revert_asked_s") - e2e_number(one, "active_s") > 7.9);
        CU_ASSERT(e2e_number(one, "reverted_s") >= e2e_number(one, "revert_asked_s"));
    }
}

#endif
