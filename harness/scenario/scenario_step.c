/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 256, FAULTS_MAX = 128, BRANCHES_MAX = 16 };

#define LENGTH_MAX INT64_C(86400000000000)

static const struct fault *fault_of(const struct reader *r, const struct node *map)
{
    const struct node *node = node_get(map, "fault");
    return node != NULL && node->kind == NODE_SCALAR ? catalogue_find(r->faults, node->text) : NULL;
}

static bool fault_params(const struct reader *r, const struct node *node, const struct param **ret,
                         size_t *ret_n)
{
    const struct fault *fault = fault_of(r, node);
    if (fault == NULL)
        return false;
    *ret = fault->params;
    *ret_n = fault->n_params;
    return true;
}

static bool any_fault_has(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->faults->n; i++)
        if (param_find(r->faults->faults[i]->params, r->faults->faults[i]->n_params, name) != NULL)
            return true;
    return false;
}

static void read_fault(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario_step *s = at;
    const char *words[FAULTS_MAX];
    size_t n = 0;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    s->fault = catalogue_find(r->faults, node->text);
    for (; n < r->faults->n && n < FAULTS_MAX; n++)
        words[n] = r->faults->faults[n]->name;
    if (s->fault == NULL)
        reader_unknown(r, node->pos, "there is no fault", node->text, words, n);
}

/* A parameter called `service` names a service of the lab, and a fault that works inside a process
 * needs that to have been started for it. */
static void check_service(struct reader *r, const struct node *node, const struct fault *fault)
{
    const struct lab_spec *lab = r->s->lab;
    const char *words[SCENARIO_ITEMS_MAX];
    const struct key as_key = {.name = "service"};
    if (reader_want(r, &as_key, node, NODE_SCALAR) == NULL)
        return;
    for (size_t i = 0; i < lab->n_services; i++)
        words[i] = lab->services[i].name;
    const char *name = read_reference(r, "service", node, words, lab->n_services);
    for (size_t i = 0; name != NULL && i < lab->n_services; i++)
        if (words[i] == name && fault->lifetime == LIFETIME_VICTIM && !lab->services[i].preload &&
            lab->services[i].faults == LAB_FAULTS_NONE)
            reader_problem(r, node->pos, "add \"faults: auto\" to the service",
                           "%s cannot reach \"%s\": it is started without the fault library",
                           fault->name, name);
}

static void check_services(struct reader *r, const struct node *map, const struct fault *fault)
{
    const struct node *one = node_get(map, "service"), *many = node_get(map, "services");
    const struct param *p = param_find(fault->params, fault->n_params, "service");
    const struct param *list = param_find(fault->params, fault->n_params, "services");
    if (r->s->lab == NULL)
        return;
    if (one != NULL && p != NULL && p->type == PARAM_NAME)
        check_service(r, one, fault);
    if (one == NULL && p != NULL && !p->required && fault->lifetime == LIFETIME_VICTIM)
        reader_problem(r, node_get(map, "fault")->pos, "say which `service` is meant",
                       "%s of a whole host would be the machine's, which a lab's hosts share",
                       fault->name);
    if (many == NULL || list == NULL || list->type != PARAM_NAMES)
        return;
    for (size_t i = 0; i < (many->kind == NODE_LIST ? many->n : 1); i++)
        check_service(r, many->kind == NODE_LIST ? many->items[i].value : many, fault);
}

static void finish_fault(struct reader *r, const struct node *node, void *at)
{
    struct scenario_step *s = at;
    struct err err;
    size_t before = r->problems->n;
    if (s->fault == NULL)
        return;
    void *args = reader_alloc(r, 1, s->fault->args_size);
    if (args == NULL)
        return;
    read_params(r, node,
                &(struct kind_params){s->fault->params, s->fault->n_params, args,
                                      s->fault->args_size, &s->peers});
    s->args = args;
    check_services(r, node, s->fault);
    finish_unfold(r, node, s);
    finish_as(r, node, s);
    if (r->problems->n == before && s->fault->check != NULL && s->fault->check(args, &err) != 0)
        reader_problem_err(r, node_get(node, "fault")->pos, s->fault->name, &err);
    if (r->problems->n == before)
        finish_peers(r, s->fault, args, s->peers);
}

static void read_until_probe(struct reader *r, const struct key *key, const struct node *node,
                             void *at)
{
    (void)key;
    ((struct scenario_step *)at)->probe = read_probe_name(r, node);
}

static void read_role_name(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    const char *words[SCENARIO_ITEMS_MAX];
    (void)key;
    for (size_t i = 0; i < r->s->n_roles; i++)
        words[i] = r->s->roles[i].name;
    ((struct scenario_step *)at)->role = read_reference(r, "role", node, words, r->s->n_roles);
}

static json_t *schema_fault_name(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "$ref", "#/definitions/fault_name");
}

static void finish_until(struct reader *r, const struct node *node, void *at)
{
    struct scenario_step *s = at;
    const struct node *is = node_get(node, "is");
    bool probe = node_get(node, "probe") != NULL;
    if (is == NULL || is->kind != NODE_SCALAR || (!probe && node_get(node, "role") == NULL))
        return;
    s->good = strcmp(is->text, "good") == 0;
    if (probe != (strcmp(is->text, "changed") != 0))
        reader_problem(r, is->pos, NULL,
                       probe ? "is: a probe is good or bad" : "is: a role is changed");
}

static void read_is(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    static const char *const words[] = {"good", "bad", "changed", NULL};
    const struct key as_enum = {
        .name = key->name, .type = KEY_PARAM, .param = PARAM_ENUM, .choices = words};
    int value = 0;
    (void)at;
    read_key(r, &as_enum, node, &value);
}

static json_t *schema_is(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s, s]}", "enum", "good", "bad", "changed");
}

static const struct key until_keys[] = {
    {.name = "probe",
     .type = KEY_CUSTOM,
     .read = read_until_probe,
     .schema = schema_reference,
     .shape = "name of a probe",
     .group = 1,
     .doc = "The probe that is waited for."},
    {.name = "role",
     .type = KEY_CUSTOM,
     .read = read_role_name,
     .schema = schema_reference,
     .shape = "name of a role",
     .group = 1,
     .doc = "Or the role: another host has it than when the last fault was applied."},
    {.name = "is",
     .type = KEY_CUSTOM,
     .read = read_is,
     .schema = schema_is,
     .required = true,
     .shape = "good, bad or changed",
     .doc = "What it must be."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_step, within),
     .required = true,
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "The limit. If it passes, the trial is inconclusive."},
};
static const struct section section_until = {
    .name = "wait_until",
    KEYS(until_keys),
    .one_of = true,
    .finish = finish_until,
    .doc = "A state that is waited for.",
    .example = "- wait_until: {probe: write, is: good, within: 20s}\n",
};

static const struct key fault_keys[] = {
    {.name = "fault",
     .type = KEY_CUSTOM,
     .required = true,
     .read = read_fault,
     .schema = schema_fault_name,
     .shape = "name of a fault",
     .doc = "What is done: blackstart faults."},
    KEY_NAME_OF_STEP,
    {.name = "hosts",
     .type = KEY_SELECTOR,
     AT(struct scenario_step, hosts),
     .required = true,
     .scope = SCOPE_FAULT,
     .doc = "Which hosts it is done to."},
    {.name = "for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_step, length),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = NULL,
     .doc = "How long it stays, from the moment it was seen to be active. Without it, until the "
            "end of the steps or a heal. What acts once (process.kill, network.reset) is not on "
            "for a while: it then counts as over so long after, and what it ended and has not come "
            "back is started."},
    {.name = "wait_end",
     .type = KEY_PARAM,
     .param = PARAM_BOOL,
     AT(struct scenario_step, wait_end),
     .def = "false",
     .doc = "The next step starts only when this fault has ended. Otherwise the steps go on at "
            "once."},
    {.name = "waves",
     .type = KEY_SECTION,
     .section = &section_waves,
     AT(struct scenario_step, waves),
     .group = 2,
     .doc = "Over its hosts one after the other, as a roll-out."},
    {.name = "flap",
     .type = KEY_SECTION,
     .section = &section_flap,
     AT(struct scenario_step, flap),
     .group = 2,
     .doc = "On and off again, for as long as `for` says."},
    {.name = "as",
     .type = KEY_CUSTOM,
     .read = read_as,
     .schema = schema_reference,
     .shape = "name of an identity",
     .doc = "Who does it: refused where a host's own kernel would not let this user. What it does "
            "to services afterwards is not asked."},
    {.name = "check",
     .type = KEY_SECTION,
     .section = &section_check,
     AT(struct scenario_step, check),
     .doc = "A command that must succeed before anything goes out."},
    {.name = "approval",
     .type = KEY_SECTION,
     .section = &section_approval,
     AT(struct scenario_step, approval),
     .doc = "A person who is asked first, after the check."},
};
static const struct section section_fault = {
    .name = "fault",
    KEYS(fault_keys),
    .variants = true,
    .extras = fault_params,
    .any_extra = any_fault_has,
    .finish = finish_fault,
    .doc =
        "Harm, done to hosts and taken back. Beside these keys stand the parameters of the fault.",
    .example = "- fault: network.partition\n  hosts: {role: leader}\n"
               "  peers: {all_but: {role: leader}}\n  for: 8s\n",
};

static const struct key wait_keys[] = {
    {.name = "wait",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario_step, length),
     .required = true,
     .min = 1000000,
     .max = LENGTH_MAX,
     .doc = "How long nothing is done."},
    KEY_NAME_OF_STEP,
    KEY_PLANNED,
};
static const struct section section_wait = {.name = "wait",
                                            KEYS(wait_keys),
                                            .variants = true,
                                            .doc = "A pause.",
                                            .example = "- wait: 5s\n"};

static const struct key wait_until_keys[] = {
    {.name = "wait_until",
     .type = KEY_SECTION,
     .section = &section_until,
     .required = true,
     .doc = "The state that ends the wait."},
    KEY_NAME_OF_STEP,
    KEY_PLANNED,
};
static const struct section section_wait_until = {.name = "wait_until step",
                                                  KEYS(wait_until_keys),
                                                  .variants = true,
                                                  .doc = "A wait with a condition."};

static const struct section section_parallel;

static void read_heal(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    if (reader_want(r, key, node, NODE_SCALAR) != NULL && strcmp(node->text, "all") != 0)
        ((struct scenario_step *)at)->name = node->text;
}

static const struct key heal_keys[] = {
    {.name = "heal",
     .type = KEY_CUSTOM,
     .read = read_heal,
     .schema = schema_reference,
     .required = true,
     .shape = "name of a fault step, or all",
     .doc = "Which fault is taken back now."},
};
static const struct section section_heal = {.name = "heal",
                                            KEYS(heal_keys),
                                            .variants = true,
                                            .doc = "Ends a fault before its time, or all of them.",
                                            .example = "- heal: all\n"};

static void read_branches(struct reader *r, const struct key *key, const struct node *node,
                          void *at);

static const struct key parallel_keys[] = {
    {.name = "parallel",
     .type = KEY_CUSTOM,
     .read = read_branches,
     .schema = schema_branches,
     .required = true,
     .shape = "list of lists of steps",
     .doc = "Branches that start together; the next step starts when all have ended. A branch of "
            "one step needs no list."},
    KEY_NAME_OF_STEP,
};
static const struct section section_parallel = {
    .name = "parallel",
    KEYS(parallel_keys),
    .variants = true,
    .doc = "Steps side by side.",
    .example = "- parallel:\n    - [{wait: 2s}, {heal: all}]\n"
               "    - [{wait_until: {probe: write, is: good, within: 20s}}]\n"};

static const struct {
    enum step_kind kind;
    const char *word;
    const struct section *section;
} kinds[] = {
    {STEP_FAULT, "fault", &section_fault},
    {STEP_FAULT, "load", &section_load_step},
    {STEP_WAIT, "wait", &section_wait},
    {STEP_WAIT_UNTIL, "wait_until", &section_wait_until},
    {STEP_RUN, "run", &section_run},
    {STEP_RUNBOOK, "runbook", &section_runbook},
    {STEP_PARALLEL, "parallel", &section_parallel},
    {STEP_HEAL, "heal", &section_heal},
};
enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* The kind that the map's keys tell; N_KINDS after a report. */
static size_t kind_of(struct reader *r, const struct node *map)
{
    const char *words[N_KINDS];
    size_t found = N_KINDS, n = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        words[i] = kinds[i].word;
        if (node_get(map, kinds[i].word) != NULL) {
            found = n++ == 0 ? i : found;
        }
    }
    if (n == 1)
        return found;
    if (n > 1)
        reader_problem(r, map->pos, "begin each with its own \"- \"",
                       "more than one step in one item");
    else if (map->n != 0)
        reader_unknown(r, map->items[0].key_pos, "there is no kind of step", map->items[0].key,
                       words, N_KINDS);
    else
        reader_problem(r, map->pos, NULL, "an empty step");
    return N_KINDS;
}

static void read_step(struct reader *r, const struct node *node, struct scenario_step *step)
{
    static const struct key as_key = {.name = "step"};
    if (reader_want(r, &as_key, node, NODE_MAP) == NULL)
        return;
    step->pos = node->pos;
    size_t kind = kind_of(r, node);
    if (kind == N_KINDS)
        return;
    step->kind = kinds[kind].kind;
    read_section(r, kinds[kind].section, node, step);
}

static void read_list(struct reader *r, const struct key *key, const struct node *node,
                      const struct scenario_step **ret, size_t *ret_n)
{
    if (reader_want(r, key, node, NODE_LIST) == NULL)
        return;
    if (node->n == 0 || node->n > STEPS_MAX) {
        reader_problem(r, node->pos, NULL, "%s: %s", key->name,
                       node->n == 0 ? "at least one step is needed" : "more than 256 steps");
        return;
    }
    struct scenario_step *steps = reader_alloc(r, node->n, sizeof(*steps));
    for (size_t i = 0; steps != NULL && i < node->n; i++)
        read_step(r, node->items[i].value, &steps[i]);
    *ret = steps;
    *ret_n = steps != NULL ? node->n : 0;
}

static void read_branches(struct reader *r, const struct key *key, const struct node *node,
                          void *at)
{
    struct scenario_step *step = at;
    if (reader_want(r, key, node, NODE_LIST) == NULL)
        return;
    if (node->n == 0 || node->n > BRANCHES_MAX) {
        reader_problem(r, node->pos, NULL, "%s: from 1 to %d branches", key->name, BRANCHES_MAX);
        return;
    }
    struct scenario_steps *branches = reader_alloc(r, node->n, sizeof(*branches));
    for (size_t i = 0; branches != NULL && i < node->n; i++) {
        struct node *branch = node->items[i].value;
        struct node_item item = {.value = branch};
        const struct node alone = {.kind = NODE_LIST, .pos = branch->pos, .n = 1, .items = &item};
        read_list(r, key, branch->kind == NODE_MAP ? &alone : branch, &branches[i].steps,
                  &branches[i].n);
    }
    step->branches = branches;
    step->n_branches = branches != NULL ? node->n : 0;
}

void read_steps(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario *s = at;
    read_list(r, key, node, &s->steps, &s->n_steps);
}

size_t step_sections(const struct section **ret, size_t max)
{
    size_t n = 0;
    for (; n < N_KINDS && n < max; n++)
        ret[n] = kinds[n].section;
    return n;
}

bool step_kinds_with(const struct section *section, const char *key, struct buf *hint)
{
    bool step = false, found = false;
    for (size_t i = 0; i < N_KINDS; i++)
        step = step || kinds[i].section == section;
    for (size_t i = 0; step && i < N_KINDS; i++)
        for (size_t k = 0; k < kinds[i].section->n_keys; k++)
            if (strcmp(kinds[i].section->keys[k].name, key) == 0) {
                buf_printf(hint, "%s%s",
                           found ? ", " : "a key of these kinds of step: ", kinds[i].word);
                found = true;
            }
    return found;
}
