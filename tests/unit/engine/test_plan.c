/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scenarios to plans: what would be done to which host, when, and for how long. */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "check.h"
#include "engine/plan.h"

#define HEAD                                                                                       \
    "version: 1\n"                                                                                 \
    "name: p\n"                                                                                    \
    "lab:\n"                                                                                       \
    "  hosts: {n1: {labels: [member]}, n2: {labels: [member]}, n3: {labels: [member]}}\n"          \
    "probes:\n"                                                                                    \
    "  up: {kind: tcp, port: 80, hosts: n1, every: 100ms, timeout: 1s}\n"                          \
    "roles:\n"                                                                                     \
    "  leader: {kind: tcp, port: 81, hosts: {label: member}, timeout: 1s}\n"                       \
    "targets:\n"                                                                                   \
    "  - recovery_time: {probe: up, from: fault, within: 5s}\n"

static struct scenario *scenario;
static struct plan *plan;

static bool load(const char *text, uint64_t seed)
{
    struct problems problems = {0};
    struct err err = {0};
    bool ok = scenario_parse("p.yaml", text, strlen(text), &fault_catalogue, NULL, 0, &scenario,
                             &problems, &err) == 0 &&
              plan_build(scenario, seed, &plan, &err) == 0;
    for (size_t i = 0; i < problems.n; i++)
        fprintf(stderr, "%s", problems.list[i].text);
    if (!ok)
        fprintf(stderr, "%s\n", err.msg);
    problems_free(&problems);
    CU_ASSERT_TRUE(ok);
    return ok;
}

static void unload(void)
{
    plan_free(plan);
    scenario_free(scenario);
    plan = NULL;
    scenario = NULL;
}

static void test_times(void)
{
    if (!load(HEAD "steps:\n"
                   "  - {fault: process.pause, hosts: n1, process: x, for: 4s}\n"
                   "  - {wait_until: {probe: up, is: bad, within: 3s}}\n"
                   "  - parallel:\n"
                   "      - [{wait: 1s}, {wait: 2s}]\n"
                   "      - [{wait: 500ms}]\n"
                   "  - {fault: process.pause, hosts: n2, process: x, for: 2s, wait_end: true}\n"
                   "  - {wait: 1s}\n",
              1))
        return;
    static const struct {
        uint32_t depth;
        int64_t least_ms, most_ms;
    } steps[] = {{0, 0, 0},       {0, 0, 0},    {0, 0, 3000},    {1, 0, 3000},
                 {1, 1000, 4000}, {1, 0, 3000}, {0, 3000, 6000}, {0, 5000, 8000}};
    CU_ASSERT_EQUAL_FATAL(plan->n_steps, sizeof(steps) / sizeof(steps[0]));
    for (size_t i = 0; i < plan->n_steps; i++) {
        CU_ASSERT_EQUAL(plan->steps[i].depth, steps[i].depth);
        CU_ASSERT_EQUAL(plan->steps[i].at_least_ns, steps[i].least_ms * NS_PER_MS);
        CU_ASSERT_EQUAL(plan->steps[i].at_most_ns, steps[i].most_ms * NS_PER_MS);
    }
    /* steady 2 s, steps 6 s, stable 2 s; at most steady 30 s, steps 9 s, observe 30 s */
    CU_ASSERT_EQUAL(plan->least_ns, 10 * NS_PER_SEC);
    CU_ASSERT_EQUAL(plan->most_ns, 69 * NS_PER_SEC);
    unload();
}

static size_t expand(size_t step, uint32_t trial, const char *leader, char *out, size_t size)
{
    struct role_holder role = {"leader", leader};
    struct plan_injections list = {0};
    struct err err;
    out[0] = '\0';
    if (plan_expand(plan, step, trial, &role, 1, &list, &err) < 0) {
        (void)snprintf(out, size, "%.*s", (int)size - 1, err.msg);
        return 0;
    }
    size_t n = list.n;
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + strlen(out), size - strlen(out), "%s ",
                       plan->hosts[list.list[i].host].name);
    plan_injections_free(&list);
    return n;
}

static void test_expands_by_role(void)
{
    char hosts[300];
    if (!load(HEAD "steps:\n"
                   "  - fault: network.partition\n"
                   "    hosts: {role: leader}\n"
                   "    peers: {all_but: {role: leader}}\n"
                   "    for: 1s\n",
              1))
        return;
    CU_ASSERT_STRING_EQUAL(plan_step_role(&plan->steps[0], 0), "leader");
    CU_ASSERT_PTR_NULL(plan_step_role(&plan->steps[0], 2));
    CU_ASSERT_EQUAL(expand(0, 0, "n2", hosts, sizeof(hosts)), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(hosts, "n2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(hosts, "n1"));
    CU_ASSERT_PTR_NOT_NULL(strstr(hosts, "n3"));
    CU_ASSERT_PTR_NULL(strstr(hosts, "client"));
    CU_ASSERT_EQUAL(expand(0, 0, NULL, hosts, sizeof(hosts)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(hosts, "leader"));
    unload();
}

/* The same seed draws the same; over trials and seeds it differs. */
static void test_shares_are_seeded(void)
{
    static const char text[] = HEAD "steps:\n"
                                    "  - fault: process.pause\n"
                                    "    hosts: {share: 34%}\n"
                                    "    process: x\n"
                                    "    for: 1s\n";
    char first[300], again[300];
    bool differs = false;
    for (uint32_t trial = 0; trial < 8; trial++) {
        if (!load(text, 42))
            return;
        CU_ASSERT_EQUAL(expand(0, trial, NULL, first, sizeof(first)), 2);
        unload();
        if (!load(text, 42))
            return;
        (void)expand(0, trial, NULL, again, sizeof(again));
        CU_ASSERT_STRING_EQUAL(first, again);
        (void)expand(0, trial + 1, NULL, again, sizeof(again));
        differs = differs || strcmp(first, again) != 0;
        unload();
    }
    CU_ASSERT_TRUE(differs);
}

static void test_client_is_out_of_reach(void)
{
    char why[300];
    if (!load(HEAD "steps:\n"
                   "  - {fault: process.pause, hosts: {role: leader}, process: x, for: 1s}\n",
              1))
        return;
    CU_ASSERT_EQUAL(expand(0, 0, "client", why, sizeof(why)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(why, "the probes look from there"));
    unload();
}

static void test_print(void)
{
    if (!load(HEAD "seed: 9\n"
                   "trials: 3\n"
                   "steps:\n"
                   "  - fault: network.partition\n"
                   "    hosts: {role: leader}\n"
                   "    peers: {all_but: {role: leader}}\n"
                   "    for: 1s\n"
                   "  - {fault: process.kill, hosts: n3, process: x}\n",
              9))
        return;
    static const char *const lines[] = {
        "hosts       n1, n2, n3, client\n",
        "trials      3, and a fault-free one first\n",
        "who the leader is, is asked at run time; if it is n1:\n",
        "peers=n2,n3",
        "CANNOT BE UNDONE\n",
        "cannot be undone:\n  step 2, process.kill\n",
        "total time: 20s at least, 4m4s at most",
    };
    CLEANUP_FREE char *text = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strstr(text, lines[i]) == NULL)
            fprintf(stderr, "no line: %s\n%s", lines[i], text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, lines[i]));
    }
    json_t *doc = NULL;
    CU_ASSERT_EQUAL_FATAL(plan_json(plan, &doc, &err), 0);
    const json_t *step = json_array_get(json_object_get(doc, "steps"), 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(step, "injections")), 3);
    CU_ASSERT_TRUE(json_is_true(json_object_get(step, "can_be_undone")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(doc, "seed")), 9);
    json_decref(doc);
    unload();
}

/* What acts once is not on for a while: what "for" means there is said. */
static void test_print_instant(void)
{
    if (!load(HEAD "steps:\n"
                   "  - {fault: process.kill, hosts: n3, process: x, for: 5s}\n"
                   "  - {fault: network.reset, hosts: n3, peers: n1, for: 7s}\n"
                   "  - {fault: process.kill, hosts: n2, process: x}\n",
              9))
        return;
    CLEANUP_FREE char *text = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text,
                                  "  acts once, and counts as over 5s later: what it ended is "
                                  "started then, if it has not come back\n"
                                  "  CANNOT BE UNDONE\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "  acts once, and counts as over 7s later\n"));
    const char *third = strstr(text, "3. +");
    CU_ASSERT_PTR_NOT_NULL_FATAL(third);
    CU_ASSERT_PTR_NULL(strstr(third, "acts once"));
    unload();
}

/* What a run does beside its steps. */
static void test_print_rest(void)
{
    if (!load(
            HEAD
            "ledgers:\n  orders: {kind: redis, hosts: [n1, n2], every: 20ms, from: [client, n3]}\n"
            "guards:\n  - {probe: up, bad_for: 25s}\n  - {blast_radius: 50%}\n"
            "deadline: 5m\nsteps:\n  - {fault: process.kill, hosts: n3, process: x}\n",
            9))
        return;
    static const char *const lines[] = {
        "\nwrites      orders: a write by redis every 20ms from client,\n",
        "            read back from client, n3 as a client and from each host by itself, within "
        "30s ",
        "\nended early when up is bad for 25s, when more than 50 % of the services' weight is "
        "impacted, after 5m (deadline)\n"};
    CLEANUP_FREE char *text = NULL;
    struct err err;
    CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strstr(text, lines[i]) == NULL)
            fprintf(stderr, "no line: %s\n%s", lines[i], text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, lines[i]));
    }
    json_t *doc = NULL;
    CU_ASSERT_EQUAL_FATAL(plan_json(plan, &doc, &err), 0);
    const json_t *ledger = json_array_get(json_object_get(doc, "ledgers"), 0);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(ledger, "from")), 2);
    CU_ASSERT_TRUE(json_is_true(json_object_get(ledger, "each_host")));
    CU_ASSERT_EQUAL(json_real_value(json_object_get(doc, "deadline_s")), 300);
    json_decref(doc);
    unload();
}

/* Who a share will be nobody can say before the seed is known. */
static void test_print_drawn(void)
{
    static const char *const seeds[] = {"", "seed: 3\n"};
    for (int known = 0; known < 2; known++) {
        char yaml[2048];
        (void)snprintf(yaml, sizeof(yaml),
                       HEAD
                       "%ssteps:\n  - {fault: process.pause, hosts: {share: 30%%}, process: x, "
                       "for: 1s}\n",
                       seeds[known]);
        if (!load(yaml, 3))
            return;
        CLEANUP_FREE char *text = NULL;
        struct err err;
        CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
        CU_ASSERT_EQUAL(strstr(text, "\n  1 of n1, n2, n3, drawn at run time") != NULL, known == 0);
        unload();
    }
}

/* A kill is a moment: nothing ends it. */
static void test_print_moment(void)
{
    if (!load(HEAD "steps:\n  - {fault: process.kill, hosts: n3, process: x}\n", 1))
        return;
    CU_ASSERT_STRING_EQUAL(plan->steps[0].what, "fault process.kill on n3");
    unload();
}

/* Real hosts can be planned, though not yet run. */
static void test_inventory(void)
{
    struct problems problems = {0};
    struct err err = {0};
    static const char yaml[] =
        "version: 1\ninventory: inventory.yaml\n"
        "probes: {up: {kind: tcp, port: 80, hosts: n1}}\n"
        "steps:\n"
        "  - {fault: network.loss, hosts: n1, peers: n2, share: 10%, for: 5s}\n"
        "  - {fault: network.loss, hosts: n1, peers: [10.0.0.6, 10.0.0.0/8], share: 10%, for: 5s}\n"
        "targets: [{blast_radius: {at_most: 50%}}]\n";
    CU_ASSERT_EQUAL_FATAL(scenario_parse(SOURCE_DIR "/tests/unit/scenario/p.yaml", yaml,
                                         sizeof(yaml) - 1, &fault_catalogue, NULL, 0, &scenario,
                                         &problems, &err),
                          0);
    CU_ASSERT_EQUAL_FATAL(plan_build(scenario, 1, &plan, &err), 0);
    CLEANUP_FREE char *text = NULL;
    CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "hosts       n1, n2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "peers=n2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "peers=10.0.0.6,10.0.0.0/8"));
    problems_free(&problems);
    unload();
}

/* The lines of the plan that say what is done where, or why it cannot be. */
static void injections(char *out, size_t size)
{
    struct err err = {0};
    char *text = NULL;
    size_t used = 0;
    out[0] = '\0';
    if (plan_print(plan, &text, &err) < 0)
        (void)snprintf(out, size, "%.*s", (int)size - 1, err.msg);
    for (const char *line = text; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (memmem(line, len, " peers=", 7) != NULL && used + len + 2 < size) {
            memcpy(out + used, line, len + 1);
            used += len + 1;
            out[used] = '\0';
        }
        line += len + (line[len] == '\n');
    }
    free(text);
}

/* What has no agent is done at the step's hosts; what has one, at its own end too. */
static void test_addresses(void)
{
    static const struct {
        const char *step, *what;
    } rows[] = {
        {"network.partition, hosts: n1, peers: 10.0.0.0/8",
         "  n1         peers=10.0.0.0/8 protocol=any family=any direction=in connections=keep\n"
         "  n1         peers=10.0.0.0/8 protocol=any family=any direction=out connections=keep\n"},
        {"network.partition, hosts: n1, direction: out, peers: [{role: leader}, n2, \"fd00::\"]",
         "  n1         peers=fd00:: protocol=any family=any direction=out connections=keep\n"
         "  n2         peers=n1 protocol=any family=any direction=in connections=keep\n"},
        {"network.loss, share: 5%, hosts: n1, direction: in, peers: [{label: member}, 10.0.0.1]",
         "  n1         share=5% peers=n2,n3,10.0.0.1 protocol=any family=any direction=in\n"},
        {"network.reset, hosts: [n1, n2], peers: [n2, 10.0.0.1]",
         "  n1         peers=n2,10.0.0.1 family=any\n"
         "  n2         peers=10.0.0.1 family=any\n"},
        {"network.blackhole, hosts: n1, peers: [10.1.2.3, n2, 10.0.0.0/8, 10.1.2.3, 10.0.0.0/8]",
         "  n1         peers=n2,10.0.0.0/8 family=any answer=blackhole\n"},
        {"network.loss, share: 5%, hosts: n1, peers: n2, direction: in, family: ipv6",
         "  n1         share=5% peers=n2 protocol=any family=ipv6 direction=in\n"},
        {"network.partition, hosts: n1, peers: 10.0.0.0/8, family: ipv6",
         "step 1: peers: 10.0.0.0/8 has no IPv6 address"},
        {"network.reject, hosts: n1, peers: [n2, 10.0.0.1], direction: both",
         "step 1: peers: 10.0.0.1 has no agent, which would have to refuse what it is sent; choose "
         "direction in"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char yaml[2048], got[1024];
        (void)snprintf(yaml, sizeof(yaml), HEAD "steps:\n  - {fault: %s}\n  - wait: 1s\n",
                       rows[i].step);
        if (!load(yaml, 1))
            continue;
        injections(got, sizeof(got));
        CU_ASSERT_STRING_EQUAL(got, rows[i].what);
        if (strcmp(got, rows[i].what) != 0)
            fprintf(stderr, "%s: expected\n%s\ngot\n%s\n", rows[i].step, rows[i].what, got);
        unload();
    }
}

/* Announced work is marked, for people and programs; other steps are not. */
static void test_planned(void)
{
    CLEANUP_FREE char *text = NULL;
    json_t *doc = NULL;
    struct err err;
    if (!load(HEAD "steps:\n"
                   "  - {fault: process.pause, hosts: n1, process: x, for: 1s, wait_end: true}\n"
                   "  - {wait: 1s, planned: true}\n"
                   "  - {wait: 2s}\n",
              1))
        return;
    CU_ASSERT_EQUAL_FATAL(plan_print(plan, &text, &err), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "2. +1s  wait 1s (planned)\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "3. +2s  wait 2s\n"));
    CU_ASSERT_EQUAL_FATAL(plan_json(plan, &doc, &err), 0);
    const json_t *steps = json_object_get(doc, "steps");
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(steps, 0), "planned")));
    CU_ASSERT_TRUE(json_is_true(json_object_get(json_array_get(steps, 1), "planned")));
    CU_ASSERT_TRUE(json_is_false(json_object_get(json_array_get(steps, 2), "planned")));
    json_decref(doc);
    unload();
}

static const struct check_test tests[] = {
    {"what acts once", test_print_instant},
    {"what a run does beside its steps", test_print_rest},
    {"print what is drawn", test_print_drawn},
    {"print a moment", test_print_moment},
    {"inventory", test_inventory},
    {"planned", test_planned},
    {"addresses", test_addresses},
    {"times", test_times},
    {"expands by role", test_expands_by_role},
    {"shares are seeded", test_shares_are_seeded},
    {"client is out of reach", test_client_is_out_of_reach},
    {"print", test_print},
};

CHECK_MAIN("plan", tests)
