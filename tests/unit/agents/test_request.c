/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What privside lets in from netside: bounds of leases, and requests made of random bytes. */
#include "agents/faults/catalogue.h"
#include "agents/inject.h"
#include "agents/lease.h"
#include "check.h"
#include "draw.h"

#include <linux/capability.h>
#include <stdio.h>

static void test_deadlines(void)
{
    const int64_t s = NS_PER_SEC;
    CU_ASSERT_EQUAL(lease_deadline(100 * s, 10 * s, LEASE_NEVER), 110 * s);
    CU_ASSERT_EQUAL(lease_deadline(100 * s, 10 * s, 104 * s), 105 * s); /* the margin: 1 s */
    CU_ASSERT_EQUAL(lease_deadline(100 * s, 10 * s, 109 * s), 110 * s);
    CU_ASSERT_EQUAL(lease_deadline(100 * s, 10 * s, 200 * s), 110 * s);
    CU_ASSERT_EQUAL(lease_deadline(100 * s, 10 * s, 90 * s), 91 * s); /* past: ends at once */
}

static void test_bounds(void)
{
    struct err err;
    CU_ASSERT_EQUAL(lease_check(LEASE_MIN, 0, &err), 0);
    CU_ASSERT_EQUAL(lease_check(LEASE_MAX, LEASE_FOR_MAX, &err), 0);
    CU_ASSERT_EQUAL(lease_check(LEASE_MIN - 1, 0, &err), -1);
    CU_ASSERT_EQUAL(lease_check(LEASE_MAX + 1, 0, &err), -1);
    CU_ASSERT_EQUAL(lease_check(INT64_MIN, 0, &err), -1);
    CU_ASSERT_EQUAL(lease_check(LEASE_MIN, -1, &err), -1);
    CU_ASSERT_EQUAL(lease_check(LEASE_MIN, INT64_MAX, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
}

static struct agent_request good(uint32_t op)
{
    return (struct agent_request){.op = op,
                                  .lease_ns = NS_PER_SEC,
                                  .run = "r1",
                                  .host = "n1",
                                  .injection = "i1",
                                  .fault = "network.partition"};
}

static void test_each_field_is_checked(void)
{
    struct err err;
    struct agent_request r = good(OP_PREPARE);
    r.body = 7;
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r) + 7, &err), 0);
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r) + 6, &err), -1);
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r) - 1, &err), -1);
    r = good(OP_COUNT);
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), -1);
    r = good(OP_APPLY);
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), 0);
    memset(r.injection, 'a', sizeof(r.injection)); /* no NUL */
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), -1);
    for (const char *bad = "A/ .\n_"; *bad != '\0'; bad++) {
        r = good(OP_APPLY);
        r.injection[1] = *bad;
        CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), -1);
    }
    r = good(OP_APPLY);
    r.body = 1; /* a body where none belongs */
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r) + 1, &err), -1);
    r = good(OP_HELLO);
    r.run[0] = '\0';
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), -1);
    r = good(OP_RENEW);
    r.lease_ns = 0;
    CU_ASSERT_EQUAL(wire_check_request(&r, sizeof(r), &err), -1);
}

/* A fault that must never be reached by what follows. */
static unsigned prepared;

static int supported(struct fault_host *host, struct err *err)
{
    (void)host;
    (void)err;
    return 0;
}

static int prepare(struct fault_host *host, const void *args, struct undo *undo, struct err *err)
{
    (void)host;
    (void)args;
    (void)undo;
    prepared++;
    return make_error(err, ERR_REFUSED, 0, "only a test");
}

struct args {
    int64_t count;
    struct path path;
    struct names names;
};

static const struct param params[] = {
    P(struct args, PARAM_INT, count, .min = 1, .max = 10),
    P(struct args, PARAM_PATH, path, .required = true),
    P(struct args, PARAM_NAMES, names, .doc = ""),
};

static const struct fault row = {
    .name = "test.kind",
    .args_size = sizeof(struct args),
    .params = params,
    .n_params = 3,
    .supported = supported,
    .prepare = prepare,
};
static const struct fault *const rows[] = {&row};
static const struct catalogue catalogue = {rows, 1};

static int64_t zero_time(void)
{
    return 0;
}

static struct injector *injector_new(void)
{
    static struct injector in;
    static struct fault_host host;
    static struct policy policy;
    static struct undo_log log = {.fd = -1};
    static struct guardian guardian = {.fd = -1};
    host = (struct fault_host){.run = "r1", .name = "n1", .lab = true, .now = zero_time};
    policy_load(&policy, true, NULL);
    in = (struct injector){.host = &host,
                           .catalogue = &catalogue,
                           .policy = &policy,
                           .log = &log,
                           .guardian = &guardian};
    prepared = 0;
    return &in;
}

static void random_fill(void *to, size_t size)
{
    unsigned char *bytes = to;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)draw_bits();
}

static struct agent_request test_request(void)
{
    struct agent_request r = good(OP_PREPARE);
    (void)snprintf(r.fault, sizeof(r.fault), "test.kind");
    r.body = sizeof(struct args);
    return r;
}

static void test_good_args_get_through(void)
{
    struct injector *in = injector_new();
    struct err err;
    struct args args = {.count = 3, .path = {"/etc/x"}};
    struct agent_request r = test_request();
    CU_ASSERT_EQUAL(inject_prepare(in, &r, &args, &err), -1);
    CU_ASSERT_STRING_EQUAL(err.msg, "only a test");
    CU_ASSERT_EQUAL(prepared, 1);
    args.count = 11;
    CU_ASSERT_EQUAL(inject_prepare(in, &r, &args, &err), -1);
    args.count = 3;
    (void)snprintf(args.path.s, sizeof(args.path.s), "/etc/../shadow");
    CU_ASSERT_EQUAL(inject_prepare(in, &r, &args, &err), -1);
    r.body--;
    CU_ASSERT_EQUAL(inject_prepare(in, &r, &args, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_PROTOCOL);
    CU_ASSERT_EQUAL(prepared, 1);
}

static void test_random_bytes_reach_no_fault(void)
{
    struct injector *in = injector_new();
    struct err err;
    unsigned passed = 0;
    for (int i = 0; i < 20000; i++) {
        struct agent_request r;
        random_fill(&r, sizeof(r));
        passed += wire_check_request(&r, sizeof(r) + draw_bits() % 4096, &err) == 0;
        r.op = (uint32_t)(draw_bits() % OP_COUNT);
        r.body = 0;
        (void)!wire_check_request(&r, sizeof(r), &err);
        struct args args;
        random_fill(&args, sizeof(args));
        r = test_request();
        (void)!inject_prepare(in, &r, &args, &err);
    }
    CU_ASSERT_EQUAL(passed, 0);
    CU_ASSERT_EQUAL(prepared, 0);
}

static void test_order_of_calls(void)
{
    struct injector *in = injector_new();
    struct injection *j = NULL;
    struct err err;
    bool active;
    CU_ASSERT_EQUAL(inject_apply(in, "i1", &j, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(inject_verify(in, "i1", &active, &err), -1);
    CU_ASSERT_EQUAL(inject_evidence(in, "i1", &j, &err), -1);
    CU_ASSERT_EQUAL(inject_revert(in, "i1", &j, &err), -1);
    CU_ASSERT_EQUAL(inject_earliest(in), LEASE_NEVER);
    CU_ASSERT_EQUAL(inject_revert_all(in, ENDED_COMMAND), 0);
}

static void test_policy(void)
{
    struct policy p;
    struct err err;
    policy_load(&p, false, "/nonexistent/policy.yaml");
    CU_ASSERT_EQUAL(policy_allows(&p, &row, &err), -1);
    CU_ASSERT_EQUAL(err.code, ERR_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.msg, "/nonexistent/policy.yaml"));
    CU_ASSERT_EQUAL(policy_caps(&p, &fault_catalogue), 0);
    policy_load(&p, true, NULL);
    CU_ASSERT_EQUAL(policy_allows(&p, &row, &err), 0);
    uint64_t caps = policy_caps(&p, &fault_catalogue);
    CU_ASSERT_NOT_EQUAL(caps >> CAP_SYS_PTRACE & 1, 0);
    CU_ASSERT_EQUAL(caps >> CAP_SYS_TIME & 1, 0); /* the machine's clock is not the lab's */
}

static const struct check_test tests[] = {
    {"deadlines", test_deadlines},
    {"bounds of a lease", test_bounds},
    {"each field is checked", test_each_field_is_checked},
    {"good args get through, bad ones do not", test_good_args_get_through},
    {"random bytes reach no fault", test_random_bytes_reach_no_fault},
    {"order of calls", test_order_of_calls},
    {"policy", test_policy},
};

CHECK_MAIN("agents/request", tests)
