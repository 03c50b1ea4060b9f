/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thin main for CUnit programs: a table of {name, function}, run in Basic mode, exit status 1 on
 * a failure. `TEST_NAME=part` in the environment runs only the tests whose name contains it.
 */
#ifndef BLACKSTART_TESTS_CHECK_H
#define BLACKSTART_TESTS_CHECK_H

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

struct check_test {
    const char *name;
    void (*run)(void);
};

static inline int check_main(const char *suite_name, const struct check_test *tests, size_t n)
{
    const char *only = getenv("TEST_NAME");
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; suite != NULL && i < n; i++)
        if (only == NULL || strstr(tests[i].name, only) != NULL)
            if (CU_add_test(suite, tests[i].name, tests[i].run) == NULL)
                return 2;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    (void)CU_basic_run_tests();
    unsigned failed = CU_get_number_of_failures();
    unsigned ran = CU_get_number_of_tests_run();
    CU_cleanup_registry();
    return failed != 0 || ran == 0;
}

#define CHECK_MAIN(suite, tests)                                                                   \
    int main(void)                                                                                 \
    {                                                                                              \
        return check_main(suite, tests, sizeof(tests) / sizeof((tests)[0]));                       \
    }

#endif
