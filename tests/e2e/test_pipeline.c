/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stands before a deployment, on a real nginx: the same deletion by two users, a push that
 * `nginx -t` does not let through, an approval that is waited for, a person who repairs.
 */
#include "e2e.h"

enum { LIMIT_S = 60 };

static const char scenario[] =
    "version: 1\n"
    "name: pipeline\n"
    "lab: " SOURCE_DIR "/scenarios/labs/nginx.yaml\n"
    "vars: {who: agent, answer: \"yes\", candidate: /etc/nginx/nginx.conf}\n"
    "identities:\n"
    "  agent: {user: deployer}\n"
    "  operator: {user: root}\n"
    "probes:\n"
    "  page:\n"
    "    kind: http\n"
    "    url: http://${host}/\n"
    "    hosts: {label: web}\n"
    "    every: 50ms\n"
    "    timeout: 1s\n"
    "    expect: {status: 200, body: hello}\n"
    "steady: {for: 500ms}\n"
    "recovered: {stable_for: 500ms}\n"
    "steps:\n"
    "  - fault: environment.delete\n"
    "    hosts: web1\n"
    "    paths: [/srv/www]\n"
    "    for: 3s\n"
    "    as: \"${who}\"\n"
    "    check: {run: [nginx, -t, -c, \"${candidate}\"], within: 10s}\n"
    "    approval: {by: senior, after: 2s, answer: \"${answer}\"}\n"
    "  - runbook:\n"
    "      hosts: web1\n"
    "      steps:\n"
    "        - {name: look, run: [ls, /srv], takes: 1s}\n"
    "        - {name: test it, run: [nginx, -t]}\n"
    "targets:\n"
    "  - availability: {probe: page, over: 3s, at_least: 100%}\n";

static void begin(struct e2e *t, const char *set, const char *other)
{
    char file[100];
    e2e_begin(t);
    (void)snprintf(file, sizeof(file), "%.60s/pipeline.yaml", t->dir);
    FILE *f CLEANUP_FILE = fopen(file, "we");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_TRUE(fputs(scenario, f) >= 0);
    CU_ASSERT_EQUAL(fflush(f), 0);
    e2e_start(
        t, (const char *const[]){"run", "--set", set, "--set", other, "--out", t->out, file, NULL});
}

static const json_t *first(const struct e2e *t, const char *list)
{
    const json_t *trial = json_array_get(json_object_get(t->result, "trials"), 0);
    return json_array_get(json_object_get(trial, list), 0);
}

static void expect_admission(const struct e2e *t, const char *outcome, const char *by,
                             const char *sentence)
{
    const json_t *a = first(t, "admissions");
    CU_ASSERT_STRING_EQUAL(e2e_text(a, "outcome"), outcome);
    CU_ASSERT_STRING_EQUAL(e2e_text(a, "refused_by"), by);
    if (strstr(e2e_text(a, "sentence"), sentence) == NULL)
        fprintf(stderr, "not in \"%s\": %s\n", e2e_text(a, "sentence"), sentence);
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(a, "sentence"), sentence));
}

/* Nothing was injected: the trial is valid, and nobody felt anything. */
static void expect_spared(const struct e2e *t)
{
    e2e_expect_verdict(t, 0, "pass");
    e2e_expect_clean(t, 1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(t->result, "injections")), 0);
    CU_ASSERT_PTR_NULL(first(t, "runbook"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e2e_text(t->result, "why"), "nothing was injected"));
}

static void expect_executed(const struct e2e *t)
{
    e2e_expect_verdict(t, 1, "fail");
    e2e_expect_clean(t, 1);
    expect_admission(t, "executed", "",
                     "executed as operator after approval by senior (waited 2.0");
    const json_t *a = first(t, "admissions"), *task = first(t, "runbook");
    CU_ASSERT_TRUE(json_is_true(json_object_get(a, "checked")));
    CU_ASSERT(e2e_number(a, "waited_s") >= 2 && e2e_number(a, "waited_s") < 3);
    CU_ASSERT_STRING_EQUAL(e2e_text(task, "name"), "look");
    CU_ASSERT(e2e_number(task, "person_s") >= 1 && e2e_number(task, "person_s") < 2);
    CU_ASSERT(e2e_number(task, "command_s") > 0 && e2e_number(task, "command_s") < 1);
}

static void test_all(void)
{
    struct e2e agent, operator, checked, person;
    begin(&agent, "who=agent", "answer=yes");
    begin(&operator, "who=operator", "answer=yes");
    begin(&checked, "who=operator", "candidate=/srv/www/index.html");
    begin(&person, "who=operator", "answer=no");
    (void)e2e_wait(&agent, LIMIT_S);
    (void)e2e_wait(&operator, LIMIT_S);
    (void)e2e_wait(&checked, LIMIT_S);
    (void)e2e_wait(&person, LIMIT_S);
    expect_executed(&operator);
    expect_spared(&agent);
    expect_admission(&agent, "refused", "host", "deployer may not write the directory of /srv/www");
    expect_spared(&checked);
    expect_admission(&checked, "refused", "check", "refused by the check: exit status 1: ");
    expect_spared(&person);
    expect_admission(&person, "refused", "approval", "refused by senior (waited 2.0");
    e2e_end(&agent);
    e2e_end(&operator);
    e2e_end(&checked);
    e2e_end(&person);
}

static const struct check_test tests[] = {{"a pipeline", test_all}};

CHECK_MAIN("pipeline", tests)
