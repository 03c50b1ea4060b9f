/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `blackstart doctor` on this machine: what it says agrees with what the other tests do here. */
#include "lab_check.h"

#include <jansson.h>

static json_t *examine(const char *before, int *ret_status)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "%s " BINARY_DIR "/blackstart doctor --json", before);
    static char output[65536];
    *ret_status = machine_run(command, output, sizeof(output));
    json_t *all = json_loads(output, JSON_DISABLE_EOF_CHECK, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(all);
    return all;
}

static const json_t *check_of(const json_t *all, const char *name)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(all, "checks"), i, line)
    {
        if (strcmp(json_string_value(json_object_get(line, "name")), name) == 0)
            return line;
    }
    return NULL;
}

static const char *state_of(const json_t *all, const char *name)
{
    const json_t *line = check_of(all, name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    return json_string_value(json_object_get(line, "state"));
}

static const char *text_of(const json_t *all, const char *name)
{
    return json_string_value(json_object_get(check_of(all, name), "text"));
}

/* By what packets are held, damaged and sent twice here, and what that way was measured to cost;
 * nothing of the kind for a fault that has one way only. */
static void expect_ways(const json_t *all)
{
    static const char *const held[] = {"network.delay", "network.reorder", "network.corrupt"};
    bool netem = strcmp(state_of(all, "netem"), "yes") == 0;
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
        const char *text = text_of(all, held[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, netem ? " by netem" : " by a packet queue"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "measured by bench_delay"));
        CU_ASSERT_PTR_NOT_NULL(strstr(text, " ms on the median"));
    }
    const char *twice = text_of(all, "network.duplicate");
    CU_ASSERT_PTR_NOT_NULL(strstr(twice, " by nf_tables (dup)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(twice, "measured by bench_delay"));
    CU_ASSERT_PTR_NULL(strstr(text_of(all, "network.loss"), " Here by "));
}

static void test_here(void)
{
    int status;
    json_t *all = examine("", &status);
    CU_ASSERT_EQUAL(status, 0);
    CU_ASSERT_TRUE(json_is_true(json_object_get(all, "quickstart")));
    static const char *const good[] = {"network namespaces", "hosts", "network.partition",
                                       "process.pause", "fiu.fail"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CU_ASSERT_STRING_EQUAL(state_of(all, good[i]), "yes");
    CU_ASSERT_TRUE(json_is_true(json_object_get(check_of(all, "network.partition"), "needed")));
    expect_ways(all);
    json_decref(all);
    struct err sweep_err;
    char base[256];
    CU_ASSERT_EQUAL(lab_base_dir(base, sizeof(base), &sweep_err), 0);
    char command[400];
    (void)snprintf(command, sizeof(command), "! ls %s | grep -q '^doctor-'", base);
    CU_ASSERT_EQUAL(machine_run(command, NULL, 0), 0);
}

/* Where no network namespace can be made it says so, with the reason. The limit is that of a user
 * namespace made for this, the machine's stays. */
static void test_without_namespaces(void)
{
    int status;
    if (machine_run("unshare --user --map-root-user true", NULL, 0) != 0) {
        printf("\n    note: skipped: no user namespace can be made here (in a chroot none can)\n");
        return;
    }
    json_t *all = examine("unshare --user --map-root-user sh -c 'echo 0 "
                          ">/proc/sys/user/max_net_namespaces && exec \"$@\"' sh",
                          &status);
    CU_ASSERT_EQUAL(status, 3);
    CU_ASSERT_TRUE(json_is_false(json_object_get(all, "quickstart")));
    CU_ASSERT_STRING_EQUAL(state_of(all, "network namespaces"), "no");
    CU_ASSERT_STRING_EQUAL(state_of(all, "hosts"), "no");
    const char *text =
        json_string_value(json_object_get(check_of(all, "network namespaces"), "text"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "user.max_net_namespaces"));
    json_decref(all);
}

static const struct check_test tests[] = {
    {"here", test_here},
    {"without namespaces", test_without_namespaces},
};

CHECK_MAIN("lab/doctor", tests)
