/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/digest.h"
#include "base/fault.h"
#include "check.h"

/* The published FNV-1a 64 values of "" and "foobar". */
static void test_known_values(void)
{
    char text[DIGEST_TEXT];
    uint64_t d = DIGEST_START;
    digest_print(d, text);
    CU_ASSERT_STRING_EQUAL(text, "cbf29ce484222325");
    digest_add(&d, "foobar", 6);
    digest_print(d, text);
    CU_ASSERT_STRING_EQUAL(text, "85944171f73967e8");
}

struct args {
    struct duration a;
    bool b;
};

static void digest_of(const struct param *params, const char *name, char ret[DIGEST_TEXT])
{
    struct fault row = {
        .name = name, .args_size = sizeof(struct args), .params = params, .n_params = 1};
    const struct fault *rows[] = {&row};
    catalogue_digest(&(struct catalogue){.faults = rows, .n = 1}, ret);
}

static void test_catalogue_sees_every_change(void)
{
    static const struct param base = P(struct args, PARAM_DURATION, a, .def = "1s");
    static const struct param other_def = P(struct args, PARAM_DURATION, a, .def = "2s");
    static const struct param other_type = P(struct args, PARAM_BOOL, b, .def = "1s");
    char first[DIGEST_TEXT], second[DIGEST_TEXT];
    digest_of(&base, "x.y", first);
    digest_of(&base, "x.y", second);
    CU_ASSERT_STRING_EQUAL(first, second);
    digest_of(&base, "x.z", second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    digest_of(&other_def, "x.y", second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    digest_of(&other_type, "x.y", second);
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
}

static const struct check_test tests[] = {
    {"known values", test_known_values},
    {"the catalogue's digest sees every change", test_catalogue_sees_every_change},
};

CHECK_MAIN("base/digest", tests)
