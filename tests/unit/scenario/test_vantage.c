/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A probe from several hosts becomes one for each, and so do the targets that name none of them; a
 * ledger keeps them. */
#include "agents/faults/catalogue.h"
#include "check.h"
#include "scenario/scenario.h"

#include <stdio.h>

static struct scenario *parse(const char *probes, const char *rest, char said[400])
{
    struct problems problems = {0};
    struct scenario *s = NULL;
    struct err err = {0};
    char text[4096];
    (void)snprintf(text, sizeof(text),
                   "version: 1\nlab:\n  hosts: {n1: {}, n2: {}}\nprobes:\n%ssteps:\n"
                   "  - fault: network.partition\n    hosts: n1\n    peers: n2\n    for: 1s\n%s",
                   probes, rest);
    int r = scenario_parse("t.yaml", text, strlen(text), &fault_catalogue, NULL, 0, &s, &problems,
                           &err);
    (void)snprintf(said, 400, "%s", r != 0 && problems.n != 0 ? problems.list[0].message : "");
    problems_free(&problems);
    return s;
}

#define READ  "  read: {kind: tcp, port: 80, hosts: n2}\n"
#define WRITE "  write: {kind: tcp, port: 81, hosts: n1, from: [client, n1, n2]}\n"

static void test_one_for_each(void)
{
    char said[400];
    struct scenario *s = parse(READ WRITE,
                               "targets:\n  - recovery_time: {probe: write, within: 5s}\n"
                               "  - recovery_time: {probe: write, vantage: n2, within: 9s}\n"
                               "  - recovery_time: {probe: read, within: 7s}\n"
                               "  - blast_radius: {at_most: 50%}\n"
                               "guards:\n  - {probe: write, bad_for: 9s}\n"
                               "  - {probe: write, vantage: n1, bad_for: 9s}\n",
                               said);
    CU_ASSERT_STRING_EQUAL(said, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    static const char *const labels[] = {"read", "write at client", "write at n1", "write at n2"};
    static const char *const from[] = {"client", "client", "n1", "n2"};
    CU_ASSERT_EQUAL_FATAL(s->n_probes, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_STRING_EQUAL(scenario_probe_label(&s->probes[i]), labels[i]);
        CU_ASSERT_STRING_EQUAL(s->probes[i].from, from[i]);
        CU_ASSERT_EQUAL(s->probes[i].n_vantages, i == 0 ? 1 : 3);
        CU_ASSERT_EQUAL(s->probes[i].vantage, i == 0 ? 0 : i - 1);
    }
    CU_ASSERT_EQUAL(scenario_probe_find(s, "write", NULL), 1);
    CU_ASSERT_EQUAL(scenario_probe_find(s, "write", "n2"), 3);
    CU_ASSERT_EQUAL(scenario_probe_find(s, "write", "n3"), 4);
    static const char *const vantages[] = {"client", "n1", "n2", "n2", NULL, NULL};
    CU_ASSERT_EQUAL_FATAL(s->n_targets, 6);
    for (size_t i = 0; i < 6; i++)
        CU_ASSERT_TRUE(vantages[i] == NULL ? s->targets[i].vantage == NULL
                                           : strcmp(s->targets[i].vantage, vantages[i]) == 0);
    CU_ASSERT_PTR_NULL(s->guards[0].vantage);
    CU_ASSERT_STRING_EQUAL(s->guards[1].vantage, "n1");
    scenario_free(s);
}

static void test_symptoms_too(void)
{
    char said[400];
    struct scenario *s = parse(READ WRITE,
                               "symptoms:\n"
                               "  - shows: nobody can write\n"
                               "    missed: {availability: {probe: write, at_least: 50%}}\n"
                               "  - shows: all can read\n"
                               "    met: {availability: {probe: read, at_least: 50%}}\n"
                               "targets: [{blast_radius: {at_most: 50%}}]\n",
                               said);
    CU_ASSERT_STRING_EQUAL(said, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(s->n_symptoms, 2);
    CU_ASSERT_EQUAL_FATAL(s->symptoms[0].n_targets, 3);
    CU_ASSERT_STRING_EQUAL(s->symptoms[0].shows, "nobody can write");
    CU_ASSERT_STRING_EQUAL(s->symptoms[0].targets[2].vantage, "n2");
    CU_ASSERT_TRUE(s->symptoms[0].missed);
    CU_ASSERT_EQUAL(s->symptoms[1].n_targets, 1);
    CU_ASSERT_FALSE(s->symptoms[1].missed);
    scenario_free(s);
}

static void test_mistakes(void)
{
    static const struct {
        const char *probes, *rest, *said;
    } rows[] = {
        {"  p: {kind: tcp, port: 1, hosts: n1, from: [n1, n1]}\n",
         "targets: [{blast_radius: {at_most: 50%}}]\n", "from: n1 stands there twice"},
        {"  p: {kind: tcp, port: 1, hosts: n1, from: []}\n",
         "targets: [{blast_radius: {at_most: 50%}}]\n", "from: expected 1 to 16 hosts, found 0"},
        {"  p: {kind: tcp, port: 1, hosts: n1, from: [n1, n9]}\n",
         "targets: [{blast_radius: {at_most: 50%}}]\n", "there is no host"},
        {WRITE, "targets: [{recovery_time: {probe: write, vantage: n9, within: 1s}}]\n",
         "there is no host"},
        {READ, "targets: [{recovery_time: {probe: read, vantage: n1, within: 1s}}]\n",
         "probe read has no vantage"},
        {READ,
         "targets: [{blast_radius: {at_most: 50%}}]\n"
         "guards: [{probe: read, vantage: n2, bad_for: 1s}]\n",
         "probe read has no vantage"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char said[400];
        struct scenario *s = parse(rows[i].probes, rows[i].rest, said);
        CU_ASSERT_PTR_NULL(s);
        CU_ASSERT_PTR_NOT_NULL(strstr(said, rows[i].said));
        if (strstr(said, rows[i].said) == NULL)
            printf("\n  %zu: %s\n", i, said);
        scenario_free(s);
    }
}

/* 64 is what an engine watches: 22 probes from 3 places would be 66. */
static void test_too_many(void)
{
    char said[400], probes[1800] = "";
    size_t len = 0;
    for (int i = 0; i < 22; i++)
        len +=
            (size_t)snprintf(probes + len, sizeof(probes) - len,
                             "  p%d: {kind: tcp, port: 1, hosts: n1, from: [n1, n2, client]}\n", i);
    CU_ASSERT_PTR_NULL(parse(probes, "targets: [{blast_radius: {at_most: 50%}}]\n", said));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "more than 64 probes"));
}

#define LEDGER(from)                                                                               \
    "ledgers:\n"                                                                                   \
    "  a: {kind: redis, hosts: n1}\n"                                                              \
    "  b: {kind: redis, hosts: n1, from: " from "}\n"                                              \
    "targets: [{data_loss: {ledger: b, at_most: 0}}]\n"

static void test_ledgers(void)
{
    char said[400];
    struct scenario *s = parse(READ, LEDGER("[n2, client]"), said);
    CU_ASSERT_STRING_EQUAL(said, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL_FATAL(s->n_ledgers, 2);
    CU_ASSERT_EQUAL(scenario_ledger_vantages(&s->ledgers[0]), 1);
    CU_ASSERT_STRING_EQUAL(scenario_ledger_vantage(&s->ledgers[0], 0), "client");
    CU_ASSERT_EQUAL(scenario_ledger_vantages(&s->ledgers[1]), 2);
    CU_ASSERT_STRING_EQUAL(s->ledgers[1].from, "n2");
    CU_ASSERT_STRING_EQUAL(scenario_ledger_vantage(&s->ledgers[1], 0), "n2");
    CU_ASSERT_STRING_EQUAL(scenario_ledger_vantage(&s->ledgers[1], 1), "client");
    CU_ASSERT_EQUAL(s->n_targets, 1);
    scenario_free(s);
    CU_ASSERT_PTR_NULL(parse(READ, LEDGER("[n2, n2]"), said));
    CU_ASSERT_STRING_EQUAL(said, "from: n2 stands there twice");
    CU_ASSERT_PTR_NULL(parse(READ, LEDGER("[n2, n7]"), said));
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "there is no host"));
}

static const struct check_test tests[] = {
    {"symptoms too", test_symptoms_too}, {"one for each", test_one_for_each},
    {"mistakes", test_mistakes},         {"too many", test_too_many},
    {"ledgers", test_ledgers},
};

CHECK_MAIN("vantages in a scenario", tests)
