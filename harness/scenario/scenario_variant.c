/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `variants` and `only`: of one file, the scenario of one variant. Items that are another's are
 * dropped from the tree before anything in it is understood.
 */
#include "scenario/scenario_read.h"

#include <string.h>

static const char *const expectations[] = {[EXPECT_PASS] = "pass", [EXPECT_FAIL] = "fail", NULL};

const char *scenario_expect_word(enum variant_expect e)
{
    return expectations[e];
}

static void read_set(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario_variant *v = at;
    if (reader_want(r, key, node, NODE_MAP) == NULL)
        return;
    struct scenario_var *vars = reader_alloc(r, node->n, sizeof(*vars));
    for (size_t i = 0; vars != NULL && i < node->n; i++)
        if (vars_value(r, key, node->items[i].value))
            vars[v->n_set++] = (struct scenario_var){node->items[i].key, node->items[i].value->text,
                                                     false, node->items[i].key_pos};
    v->set = vars;
}

static json_t *schema_set(const struct key *key)
{
    (void)key;
    return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema_scalar());
}

static const struct key variant_keys[] = {
    {.name = "description",
     .type = KEY_TEXT,
     AT(struct scenario_variant, description),
     .doc = "A sentence for the report."},
    {.name = "expect",
     .type = KEY_PARAM,
     .param = PARAM_ENUM,
     .choices = expectations,
     AT(struct scenario_variant, expect),
     .def = "pass",
     .doc = "How a run of it should end: pass, all targets met; fail, one missed. `run --compare` "
            "holds each variant to it."},
    {.name = "set",
     .type = KEY_CUSTOM,
     .read = read_set,
     .schema = schema_set,
     .shape = "map of texts",
     .doc = "Values of variables; `--set` on the command line wins over them."},
};
const struct section section_variant = {
    .name = "variant",
    .size = sizeof(struct scenario_variant),
    KEYS(variant_keys),
    .may_be_empty = true,
    NAMED_IN(struct scenario_variant),
    POS_IN(struct scenario_variant),
    .doc = "One of several systems that the same is done to. `--variant NAME` chooses, the first "
           "is the default, ${variant} is its name. An item of hosts, services, roles, probes, "
           "ledgers, loads, steps, symptoms, targets or guards with `only: [NAME, ...]` is there "
           "for these variants alone.",
    .example = "variants:\n  naive: {description: as installed, expect: fail, set: {replicas: "
               "\"0\"}}\n  fenced: {set: {replicas: \"1\"}}\ntargets:\n"
               "  - {data_loss: {ledger: orders, at_most: 0}}\n"
               "  - {only: [fenced], availability: {probe: write, at_least: 90%}}\n"};

const struct key variants_only = {
    .name = "only", .type = KEY_NAMES, .doc = "The variants that have it; without this, all have."};

/* Whose items may say `only`; with none left of what is needed there is nothing to run. */
static const struct holder {
    const char *key;
    bool needed;
} holders[] = {{"hosts", true},    {"services", false}, {"roles", false},  {"probes", true},
               {"ledgers", false}, {"loads", false},    {"steps", true},   {"symptoms", false},
               {"targets", true},  {"guards", false},   {"parallel", true}};

static const struct holder *holder_of(const char *key)
{
    for (size_t i = 0; key != NULL && i < sizeof(holders) / sizeof(holders[0]); i++)
        if (strcmp(holders[i].key, key) == 0)
            return &holders[i];
    return NULL;
}

static bool is_one(const struct scenario *s, const char *name)
{
    for (size_t i = 0; i < s->n_variants; i++)
        if (strcmp(s->variants[i].name, name) == 0)
            return true;
    return false;
}

static void unknown(struct reader *r, struct pos pos, const char *what, const char *name)
{
    const char *words[SCENARIO_VARIANTS_MAX];
    for (size_t i = 0; i < r->s->n_variants; i++)
        words[i] = r->s->variants[i].name;
    reader_unknown(r, pos, what, name, words, r->s->n_variants);
}

/* Whether the chosen variant is among those that `only` names. */
static bool is_kept(struct reader *r, const struct node *only)
{
    size_t n = only->kind == NODE_LIST ? only->n : 1;
    bool kept = false;
    if (n == 0)
        reader_problem(r, only->pos, NULL, "only: at least one variant is needed");
    for (size_t i = 0; i < n; i++) {
        const struct node *node = only->kind == NODE_LIST ? only->items[i].value : only;
        if (reader_want(r, &variants_only, node, NODE_SCALAR) == NULL)
            continue;
        if (!is_one(r->s, node->text))
            unknown(r, node->pos, "only: there is no variant", node->text);
        kept = kept || (r->s->variant != NULL && strcmp(node->text, r->s->variant) == 0);
    }
    return kept;
}

static void key_drop(struct node *map, const char *key)
{
    size_t n = 0;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key, key) != 0)
            map->items[n++] = map->items[i];
    map->n = n;
}

static void compose(struct reader *r, struct node *node, const struct holder *holder);

static void items_filter(struct reader *r, struct node *node, const struct holder *holder)
{
    size_t n = 0, before = node->n;
    for (size_t i = 0; i < before; i++) {
        struct node *item = node->items[i].value;
        const struct node *only = item->kind == NODE_MAP ? node_get(item, "only") : NULL;
        if (only != NULL && !is_kept(r, only))
            continue;
        if (only != NULL)
            key_drop(item, "only");
        /* A branch of parallel steps is a list of them. */
        bool branch = item->kind == NODE_LIST && node->kind == NODE_LIST;
        bool was_empty = item->n == 0;
        compose(r, item, branch ? holder_of("roles") : NULL);
        if (!branch || was_empty || item->n != 0)
            node->items[n++] = node->items[i];
    }
    node->n = n;
    if (holder->needed && n == 0 && before != 0)
        reader_problem(r, node->pos, NULL, "%s: variant \"%s\" keeps none of them", holder->key,
                       r->s->variant != NULL ? r->s->variant : "");
}

static void compose(struct reader *r, struct node *node, const struct holder *holder)
{
    bool has_items = node->kind == NODE_MAP || node->kind == NODE_LIST;
    if (has_items && holder != NULL) {
        items_filter(r, node, holder);
        return;
    }
    for (size_t i = 0; has_items && i < node->n; i++)
        compose(r, node->items[i].value,
                node->kind == NODE_MAP ? holder_of(node->items[i].key) : NULL);
}

void variants_compose(struct reader *r, struct node *root)
{
    static const char *const others[] = {"vars", "variants", "outage"};
    for (size_t i = 0; i < root->n; i++) {
        bool other = false;
        for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
            other = other || strcmp(root->items[i].key, others[k]) == 0;
        if (!other)
            compose(r, root->items[i].value, holder_of(root->items[i].key));
    }
}

/* The names that a lab file's items mention, in the order of the file. */
static void mentioned(struct reader *r, const struct node *node, struct scenario_variant *list)
{
    for (size_t i = 0; (node->kind == NODE_MAP || node->kind == NODE_LIST) && i < node->n; i++) {
        const struct node *value = node->items[i].value;
        bool only = node->kind == NODE_MAP && strcmp(node->items[i].key, "only") == 0;
        mentioned(r, value, list);
        for (size_t k = 0; only && k < (value->kind == NODE_LIST ? value->n : 1); k++) {
            const struct node *name = value->kind == NODE_LIST ? value->items[k].value : value;
            if (name->kind == NODE_SCALAR && !is_one(r->s, name->text) &&
                r->s->n_variants < SCENARIO_VARIANTS_MAX)
                list[r->s->n_variants++] =
                    (struct scenario_variant){.name = name->text, .pos = name->pos};
        }
    }
}

void variants_read(struct reader *r, const struct node *root, bool lab_file)
{
    static const struct key as_map = {.name = "variants",
                                      .type = KEY_MAP,
                                      AT_LIST(struct scenario, variants),
                                      .section = &section_variant,
                                      .required = true,
                                      .max = SCENARIO_VARIANTS_MAX};
    const struct node *node = node_get(root, "variants");
    if (node != NULL && !lab_file) {
        read_key(r, &as_map, node, r->s);
    } else if (lab_file) {
        struct scenario_variant *list = reader_alloc(r, SCENARIO_VARIANTS_MAX, sizeof(*list));
        r->s->variants = list;
        r->s->variants_mentioned = true;
        if (list != NULL)
            mentioned(r, root, list);
    }
}

json_t *schema_variants(const struct key *key)
{
    const struct key as_map = {.name = key->name, .type = KEY_MAP, .section = &section_variant};
    return schema_key(&as_map);
}

void variants_choose(struct reader *r, const struct scenario_set *sets, size_t n_sets)
{
    static const struct pos nowhere = {0, 0};
    struct scenario *s = r->s;
    const char *name = NULL;
    for (size_t i = 0; i < n_sets; i++)
        if (sets[i].name == NULL || (s->n_variants != 0 && strcmp(sets[i].name, "variant") == 0))
            name = sets[i].value;
    if (name != NULL && s->n_variants == 0)
        reader_problem(r, nowhere, NULL, "--variant %s: there are no variants", name);
    if (s->n_variants == 0)
        return;
    bool wrong = name != NULL && !is_one(s, name);
    if (wrong)
        unknown(r, nowhere, "--variant: there is no variant", name);
    s->variant = name != NULL && !wrong ? name : s->variants[0].name;
}

const struct scenario_variant *scenario_variant_of(const struct scenario *s)
{
    for (size_t i = 0; s->variant != NULL && i < s->n_variants; i++)
        if (strcmp(s->variants[i].name, s->variant) == 0)
            return &s->variants[i];
    return NULL;
}
