/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one line has taken no other one sees: a second one would do nothing, and is refused. */
#include "agents/faults/network_shape.h"
#include "lab/netfault.h"

#include <string.h>

extern const struct fault fault_network_delay, fault_network_rate;

static struct undo first, second;
static struct evidence evidence;
static struct revert_report report;

static void *args_of(const struct fault *row, const char *name, const char *value,
                     const char *ports, const char *direction)
{
    static _Alignas(8) char args[ARGS_MAX];
    const char *const words[][2] = {{name, value}, {"ports", ports}, {"direction", direction}};
    CU_ASSERT_EQUAL(params_default(row->params, row->n_params, args, row->args_size, &err), 0);
    for (size_t i = 0; i < 3; i++)
        if (words[i][1] != NULL)
            CU_ASSERT_EQUAL(param_parse(param_find(row->params, row->n_params, words[i][0]),
                                        words[i][1], args, &err),
                            0);
    ((struct network_traffic *)(void *)args)->peers = netfault_args(NETNS_B_IP, NETNS_B6).peers;
    return args;
}

static bool start_rate(const char *id, struct undo *record, const char *ports,
                       const char *direction)
{
    void *args = args_of(&fault_network_rate, "rate", "1GB", ports, direction);
    return netfault_start(&fault_network_rate, &host_a, id, args, 60000, record) == 0;
}

static bool start_delay(const char *id, struct undo *record)
{
    void *args = args_of(&fault_network_delay, "delay", "1ms", NULL, "in");
    return netfault_start(&fault_network_delay, &host_a, id, args, 60000, record) == 0;
}

static void stop(const struct undo *record)
{
    CU_ASSERT_EQUAL(network_shape_revert(&host_a, record, &report, &err), 0);
}

static void test_second_rate(void)
{
    char *before = netfault_dump();
    CU_ASSERT_TRUE_FATAL(start_rate("i1", &first, "7", "in"));
    CU_ASSERT_FALSE(start_rate("i2", &second, NULL, "in"));
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "i1 has one for the same traffic"));
    CU_ASSERT_TRUE_FATAL(start_rate("i2", &second, "8", "in"));
    stop(&second);
    CU_ASSERT_TRUE_FATAL(start_rate("i2", &second, NULL, "out"));
    stop(&second);
    stop(&first);
    CU_ASSERT_TRUE_FATAL(start_rate("i2", &second, NULL, "in"));
    stop(&second);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* Two that were prepared before either was applied. */
static void test_on_applying(void)
{
    const struct fault *row = &fault_network_rate;
    struct undo records[2] = {{.injection = "i1"}, {.injection = "i2"}};
    void *args = args_of(row, "rate", "1GB", NULL, "in");
    char *before = netfault_dump();
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(records[i].run, sizeof(records[i].run), "%s", host_a.run);
        records[i].lease_ns = netfault_now() + 60 * NS_PER_SEC;
        CU_ASSERT_EQUAL(row->prepare(&host_a, args, &records[i], &err), 0);
    }
    CU_ASSERT_EQUAL(row->apply(&host_a, args, &records[0], &err), 0);
    CU_ASSERT_NOT_EQUAL(row->apply(&host_a, args, &records[1], &err), 0);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    stop(&records[1]);
    stop(&records[0]);
    CU_ASSERT_TRUE(netfault_same(before, netfault_dump()));
}

/* By netem the delay is a line, and a rate behind it is refused; behind a rate it is none. */
static void test_delay_and_rate(void)
{
    CU_ASSERT_TRUE_FATAL(start_delay("i1", &first));
    CU_ASSERT_EQUAL(network_shape_evidence(&host_a, &first, &evidence, &err), 0);
    bool queue = evidence.n > 1;
    CU_ASSERT_EQUAL(start_rate("i2", &second, NULL, "in"), queue);
    if (queue)
        stop(&second);
    else
        CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    stop(&first);
    CU_ASSERT_TRUE_FATAL(start_rate("i1", &first, NULL, "in"));
    CU_ASSERT_TRUE_FATAL(start_delay("i2", &second));
    CU_ASSERT_EQUAL(netfault_from_b(NETNS_A_FOR_B), 1);
    CU_ASSERT_EQUAL(network_shape_evidence(&host_a, &first, &evidence, &err), 0);
    (void)printf("\n    %s", evidence.what);
    CU_ASSERT_EQUAL(strncmp(evidence.what, "0 packets", 9) == 0, false);
    CU_ASSERT_EQUAL(network_shape_evidence(&host_a, &second, &evidence, &err), 0);
    (void)printf("\n    %s\n    ", evidence.what);
    CU_ASSERT_TRUE(evidence.proven);
    stop(&second);
    stop(&first);
}

static const struct check_test tests[] = {
    {"a second rate", test_second_rate},
    {"on applying", test_on_applying},
    {"delay and rate", test_delay_and_rate},
};

NETFAULT_MAIN("lab/netlink/lines", tests)
