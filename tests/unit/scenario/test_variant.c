/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file, several systems: what each variant's scenario holds. */
#include "agents/faults/catalogue.h"
#include "base/cleanup.h"
#include "check.h"
#include "scenario/scenario.h"

#include <fcntl.h>
#include <stdio.h>

static const char text[] =
    "version: 1\n"
    "variants:\n"
    "  naive: {description: as installed, expect: fail, set: {limit: 1s, port: \"81\"}}\n"
    "  fenced: {set: {limit: 2s}}\n"
    "  third:\n"
    "  broken:\n"
    "vars: {limit: 5s, port: \"80\"}\n"
    "lab:\n"
    "  hosts: {n1: {}, n2: {}, spare: {only: [fenced, third]}}\n"
    "  services:\n"
    "    plain: {command: \"a ${variant}\", only: naive}\n"
    "    guarded: {command: \"b ${variant}\", only: [fenced, third]}\n"
    "roles: {boss: {kind: tcp, port: 81, hosts: [n1, n2], only: fenced}}\n"
    "probes:\n"
    "  page: {kind: tcp, port: \"${port}\", hosts: n1}\n"
    "  extra: {kind: tcp, port: \"${absent}\", hosts: spare, only: broken}\n"
    "steps:\n"
    "  - {wait: 1s, only: naive}\n"
    "  - parallel:\n"
    "      - [{wait: 2s, only: naive}, {wait: 3s}]\n"
    "      - [{wait: 4s, only: naive}]\n"
    "      - {wait: 5s}\n"
    "targets:\n"
    "  - recovery_time: {probe: page, within: \"${limit}\"}\n"
    "  - only: [third]\n"
    "    blast_radius: {at_most: 50%}\n"
    "guards: [{probe: page, bad_for: 5s, only: naive}]\n";

static struct scenario *parse(const char *yaml, const char *variant, const char *set,
                              const char *value, bool wrong)
{
    struct scenario *s = NULL;
    struct problems problems = {0};
    struct err err;
    const struct scenario_set sets[] = {{set, value}, {NULL, variant}};
    size_t first = set == NULL, n = (size_t)(set != NULL) + (variant != NULL);
    int rc = scenario_parse("t.yaml", yaml, strlen(yaml), &fault_catalogue, sets + first, n, &s,
                            &problems, &err);
    CU_ASSERT_EQUAL(rc == 0, !wrong);
    for (size_t i = 0; i < problems.n && !wrong; i++)
        (void)printf("%s", problems.list[i].text);
    problems_free(&problems);
    return s;
}

static struct scenario *take(const char *variant, const char *set, const char *value)
{
    return parse(text, variant, set, value, false);
}

static void test_default_is_first(void)
{
    struct scenario *s = take(NULL, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->n_variants, 4);
    CU_ASSERT_STRING_EQUAL(s->variant, "naive");
    CU_ASSERT_STRING_EQUAL(scenario_variant_of(s)->description, "as installed");
    CU_ASSERT_EQUAL(scenario_variant_of(s)->expect, EXPECT_FAIL);
    CU_ASSERT_EQUAL(s->lab->n_hosts, 3);
    CU_ASSERT_EQUAL(s->lab->n_services, 1);
    CU_ASSERT_STRING_EQUAL(s->lab->services[0].command[1], "naive");
    CU_ASSERT_EQUAL(s->n_roles, 0);
    CU_ASSERT_EQUAL(s->n_steps, 2);
    CU_ASSERT_EQUAL(s->steps[1].n_branches, 3);
    CU_ASSERT_EQUAL(s->steps[1].branches[0].n, 2);
    CU_ASSERT_EQUAL(s->n_targets, 1);
    CU_ASSERT_EQUAL(s->targets[0].within.ns, INT64_C(1000000000));
    CU_ASSERT_EQUAL(s->n_guards, 1);
    scenario_free(s);
}

static void test_chosen(void)
{
    struct scenario *s = take("third", NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_STRING_EQUAL(s->variant, "third");
    CU_ASSERT_EQUAL(scenario_variant_of(s)->expect, EXPECT_PASS);
    CU_ASSERT_EQUAL(s->lab->n_hosts, 4);
    CU_ASSERT_STRING_EQUAL(s->lab->services[0].name, "guarded");
    CU_ASSERT_EQUAL(s->n_steps, 1);
    CU_ASSERT_EQUAL(s->steps[0].n_branches, 2); /* the branch that was emptied is gone */
    CU_ASSERT_EQUAL(s->steps[0].branches[0].n, 1);
    CU_ASSERT_EQUAL(s->n_targets, 2);
    CU_ASSERT_EQUAL(s->targets[0].within.ns, INT64_C(5000000000)); /* it sets nothing */
    CU_ASSERT_EQUAL(s->n_guards, 0);
    scenario_free(s);
}

static void test_set_wins(void)
{
    struct scenario *s = take("naive", "limit", "9s");
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->targets[0].within.ns, INT64_C(9000000000));
    scenario_free(s);
    s = take(NULL, "variant", "fenced"); /* as a journal gives it */
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_STRING_EQUAL(s->variant, "fenced");
    CU_ASSERT_EQUAL(s->n_roles, 1);
    scenario_free(s);
}

/* What is another's is dropped before it is understood: its variable that nobody has, here. */
static void test_only_the_chosen_must_be_right(void)
{
    CU_ASSERT_PTR_NULL(parse(text, "broken", NULL, NULL, true));
    CU_ASSERT_PTR_NULL(parse(text, "forth", NULL, NULL, true));
}

/* From a journal: all variables are given, those of the lab's file too, and the variant is one. */
static void test_again_from_its_variables(void)
{
    static const char lab[] = "version: 1\nvars: {path: /a, size: small}\nlab:\n"
                              "  hosts: {n1: {}, n2: {only: b}}\n"
                              "  services: {web: {command: \"x ${path} ${size} ${variant}\"}}\n";
    static const char yaml[] = "version: 1\nvariants: {a: {}, b: {set: {path: /b}}}\n"
                               "lab: lab.yaml\nprobes: {p: {kind: tcp, port: 80, hosts: n1}}\n"
                               "steps: [{wait: 1s}]\ntargets: [{blast_radius: {at_most: 50%}}]\n";
    struct scenario_set sets[8] = {{"variant", "b"}, {"size", "big"}};
    size_t n = 2;
    for (int round = 0; round < 2; round++) {
        struct scenario *s = NULL;
        struct problems problems = {0};
        struct err err;
        CU_ASSERT_EQUAL_FATAL(scenario_parse_whole("t.yaml", yaml, strlen(yaml), lab, strlen(lab),
                                                   &fault_catalogue, sets, n, &s, &problems, &err),
                              0);
        CU_ASSERT_EQUAL(s->lab->n_hosts, 3);
        CU_ASSERT_STRING_EQUAL(s->lab->services[0].command[1], "/b");
        CU_ASSERT_STRING_EQUAL(s->lab->services[0].command[2], "big");
        CU_ASSERT_STRING_EQUAL(s->lab->services[0].command[3], "b");
        CU_ASSERT_EQUAL(s->n_vars, 3);
        static char kept[3][2][20];
        for (n = 0; n < s->n_vars && n < 3; n++) {
            (void)snprintf(kept[n][0], sizeof(kept[n][0]), "%s", s->vars[n].name);
            (void)snprintf(kept[n][1], sizeof(kept[n][1]), "%s", s->vars[n].value);
            sets[n] = (struct scenario_set){kept[n][0], kept[n][1]};
        }
        scenario_free(s);
        problems_free(&problems);
    }
}

static void test_names_of_a_file(void)
{
    struct arena arena = ARENA_INIT(1 << 20);
    const char *const *names = NULL;
    struct err err;
    size_t n = 0;
    char path[] = "/tmp/blackstart-variant-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    CU_ASSERT_EQUAL(scenario_variant_names(path, &arena, &names, &n, &err), 0);
    CU_ASSERT_EQUAL_FATAL(n, 4);
    CU_ASSERT_STRING_EQUAL(names[2], "third");
    static const char lab[] = "version: 1\nlab: {hosts: {a: {only: [x, y]}, b: {only: y}}}\n";
    CU_ASSERT_EQUAL(ftruncate(fd, 0), 0);
    CU_ASSERT_EQUAL(pwrite(fd, lab, sizeof(lab) - 1, 0), sizeof(lab) - 1);
    CU_ASSERT_EQUAL(scenario_variant_names(path, &arena, &names, &n, &err), 0);
    CU_ASSERT_EQUAL_FATAL(n, 2);
    CU_ASSERT_STRING_EQUAL(names[1], "y");
    (void)close(fd);
    (void)unlink(path);
    arena_free(&arena);
}

static void test_outage(void)
{
    struct scenario *s =
        parse("version: 1\n"
              "outage:\n  title: \"GitHub, 21 October 2018\"\n  date: \"2018-10-21\"\n"
              "  class: retry-storm\n  duration: 24h11m\n  fidelity: medium\n  scale: 1 to 1\n"
              "  keeps: a ${literal} b\n  leaves_out: \"\"\n  sources: [one, two]\n"
              "vars: {literal: c}\n"
              "lab: {hosts: [n1]}\nprobes: {p: {kind: tcp, port: 80, hosts: n1}}\n"
              "steps: [{wait: 1s}]\ntargets: [{blast_radius: {at_most: 50%}}]\n",
              NULL, NULL, NULL, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_STRING_EQUAL(s->outage.title, "GitHub, 21 October 2018");
    CU_ASSERT_STRING_EQUAL(scenario_outage_class(&s->outage), "retry-storm");
    CU_ASSERT_STRING_EQUAL(scenario_outage_fidelity(&s->outage), "medium");
    CU_ASSERT_EQUAL(s->outage.duration.ns, INT64_C(87060000000000));
    CU_ASSERT_STRING_EQUAL(s->outage.keeps, "a c b");
    CU_ASSERT_EQUAL(s->outage.n_sources, 2);
    CU_ASSERT_EQUAL(s->n_variants, 0);
    CU_ASSERT_PTR_NULL(scenario_variant_of(s));
    scenario_free(s);
}

static const struct check_test tests[] = {
    {"the first is the default", test_default_is_first},
    {"one that is chosen", test_chosen},
    {"--set wins", test_set_wins},
    {"only the chosen must be right", test_only_the_chosen_must_be_right},
    {"again from its variables", test_again_from_its_variables},
    {"the names of a file", test_names_of_a_file},
    {"outage", test_outage},
};

CHECK_MAIN("scenario/variant", tests)
