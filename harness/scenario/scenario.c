/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "scenario/inventory.h"
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

#define LENGTH_MAX INT64_C(86400000000000)

/* Another file that the scenario names: its tree, with the reader turned to it. NULL after a
 * report. */
static struct node *open_other(struct reader *r, const struct key *key, const struct node *node)
{
    CLEANUP_BUF struct buf text = BUF_INIT(YAMLTREE_MAX);
    struct err err;
    const char *file = reader_path(r, node->text);
    if (r->other != NULL) {
        buf_add(&text, r->other->text, r->other->len);
    } else if (scenario_read_file(file, &text, &err) != 0) {
        reader_problem(r, node->pos, NULL, "%s: %s", key->name, err.msg);
        return NULL;
    }
    struct source *source = reader_alloc(r, 1, sizeof(*source));
    char *copy = reader_alloc(r, text.len + 1, 1);
    if (source == NULL || copy == NULL)
        return NULL;
    memcpy(copy, buf_text(&text), text.len);
    *source = (struct source){file, copy, text.len};
    r->source = source;
    r->s->other_text = copy;
    r->s->other_len = text.len;
    return yamltree_parse(source, r->arena, r->problems);
}

static void read_version(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)at;
    if (reader_want(r, key, node, NODE_SCALAR) != NULL && strcmp(node->text, "1") != 0)
        reader_problem(r, node->pos, NULL, "version: only 1 is known, found \"%s\"", node->text);
}

static json_t *schema_version(const struct key *key)
{
    (void)key;
    return json_pack("{s:i}", "const", 1);
}

static void skip(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    (void)r, (void)key, (void)node, (void)at;
}

static json_t *schema_vars(const struct key *key)
{
    (void)key;
    return json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames", "pattern",
                     "^[A-Za-z_][A-Za-z0-9_]*$", "additionalProperties", schema_scalar());
}

static void read_lab_map(struct reader *r, const struct node *node, struct scenario *s)
{
    struct lab_spec *lab = reader_alloc(r, 1, sizeof(*lab));
    if (lab == NULL)
        return;
    lab->name = s->name;
    s->lab = lab;
    read_section(r, &section_lab, node, lab);
}

static void read_lab_file(struct reader *r, const struct key *key, const struct node *node,
                          struct scenario *s)
{
    const struct source *source = r->source;
    const struct node *root_before = r->root;
    struct node *root = open_other(r, key, node);
    if (root != NULL) {
        r->root = root;
        vars_read(r, node_get(root, "vars"));
        variants_compose(r, root);
        vars_expand(r, root);
        const char *name = s->name, *description = s->description;
        read_section(r, &section_lab_file, root, s);
        s->name = name;
        s->description = description;
    }
    r->source = source;
    r->root = root_before;
}

void read_lab(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario *s = at;
    bool in_lab_file = r->source->text != s->text;
    size_t before = r->problems->n;
    if (node->kind == NODE_MAP)
        read_lab_map(r, node, s);
    else if (in_lab_file || node->kind != NODE_SCALAR || node_is_empty(node))
        reader_problem(r, node->pos, NULL, "%s: expected a map%s, found %s", key->name,
                       in_lab_file ? "" : " or the path of a lab file", node_kind_word(node));
    else
        read_lab_file(r, key, node, s);
    r->services_unsure = r->problems->n != before && (s->lab == NULL || s->lab->n_services == 0);
}

static json_t *schema_lab(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:s}, o]}", "anyOf", "type", "string", schema_section(&section_lab));
}

static void read_inventory(struct reader *r, const struct key *key, const struct node *node,
                           void *at)
{
    const struct source *source = r->source;
    struct scenario *s = at;
    struct inventory *inventory = reader_alloc(r, 1, sizeof(*inventory));
    if (inventory == NULL || reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    s->inventory = inventory;
    const struct node *root = open_other(r, key, node);
    inventory->file = r->source->file;
    size_t before = r->problems->n;
    if (root != NULL)
        read_section(r, &section_inventory, root, inventory);
    r->labels_unsure = r->problems->n != before;
    r->source = source;
}

static json_t *schema_path(const struct key *key)
{
    (void)key;
    return json_pack("{s:s}", "type", "string");
}

static void read_seed(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario *s = at;
    int64_t value = 0;
    const struct key as_int = {
        .name = key->name, .type = KEY_PARAM, .param = PARAM_INT, .min = 0, .max = INT64_MAX};
    read_key(r, &as_int, node, &value);
    s->seed = (uint64_t)value;
    s->seed_given = true;
}

static json_t *schema_seed(const struct key *key)
{
    (void)key;
    return json_pack("{s:[s, s], s:i}", "type", "integer", "string", "minimum", 0);
}

static const struct key steady_keys[] = {
    {.name = "for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario, steady_for),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "2s",
     .doc = "All probes must be good for so long."},
    {.name = "within",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario, steady_within),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "30s",
     .doc = "This must come to pass within so long. Each probe must be asked often enough for it: "
            "the first time within an interval, then for as long as `for`."},
};
static const struct section section_steady = {
    .name = "steady",
    KEYS(steady_keys),
    .shorthand = "for",
    .doc =
        "The state before anything is injected: nothing is done to a system that is bad already.",
    .example = "steady: {for: 2s, within: 30s}\n"};

static const struct key recovered_keys[] = {
    {.name = "stable_for",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario, stable_for),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "2s",
     .doc = "Only good slots for so long. The time of recovery is the start of that streak."},
};
static const struct section section_recovered = {.name = "recovered",
                                                 KEYS(recovered_keys),
                                                 .shorthand = "stable_for",
                                                 .doc = "When a probe counts as recovered.",
                                                 .example = "recovered: {stable_for: 2s}\n"};

#define KEY_VERSION                                                                                \
    {                                                                                              \
        .name = "version", .type = KEY_CUSTOM, .required = true, .read = read_version,             \
        .schema = schema_version, .shape = "1", .doc = "The version of the language."              \
    }
#define KEY_TITLE                                                                                  \
    {                                                                                              \
        .name = "name", .type = KEY_NAME, AT(struct scenario, name), .def = "the file's",          \
        .doc = "What reports and directories call it."                                             \
    }
#define KEY_VARS                                                                                   \
    {                                                                                              \
        .name = "vars", .type = KEY_CUSTOM, .read = skip, .schema = schema_vars,                   \
        .shape = "map of texts",                                                                   \
        .doc = "Variables and their defaults. ${name} in any value is replaced before the value "  \
               "is understood; $${ stands for the characters themselves; --set name=value gives "  \
               "another value."                                                                    \
    }
#define KEY_DESCRIPTION                                                                            \
    {                                                                                              \
        .name = "description", .type = KEY_TEXT, AT(struct scenario, description),                 \
        .doc = "A sentence for the report."                                                        \
    }

static const struct key scenario_keys[] = {
    KEY_VERSION,
    KEY_TITLE,
    KEY_DESCRIPTION,
    KEY_VARS,
    {.name = "outage",
     .type = KEY_SECTION,
     AT(struct scenario, outage),
     .section = &section_outage,
     .doc = "The real outage that it reproduces."},
    {.name = "variants",
     .type = KEY_CUSTOM,
     .read = skip,
     .schema = schema_variants,
     .shape = "name: [variant](#variant)",
     .doc = "Systems that the same is done to; the first is the default."},
    {.name = "lab",
     .type = KEY_CUSTOM,
     .read = read_lab,
     .schema = schema_lab,
     .group = 1,
     .shape = "lab, or path of a lab file",
     .doc = "The hosts and what runs on them. A path is relative to this file."},
    {.name = "inventory",
     .type = KEY_CUSTOM,
     .read = read_inventory,
     .schema = schema_path,
     .group = 1,
     .shape = "path of an inventory",
     .doc = "Real hosts instead of a lab: a file that names them."},
    {.name = "identities",
     .type = KEY_MAP,
     AT_LIST(struct scenario, identities),
     .section = &section_identity,
     .max = 16,
     .doc = "Who acts in steps that say `as`."},
    {.name = "roles",
     .type = KEY_MAP,
     AT_LIST(struct scenario, roles),
     .section = &section_role,
     .max = 8,
     .doc = "Roles that hosts have at run time, and how to find out."},
    {.name = "probes",
     .type = KEY_MAP,
     AT_LIST(struct scenario, probes),
     .section = &section_probe,
     .required = true,
     .max = 64,
     .doc = "What is measured."},
    {.name = "ledgers",
     .type = KEY_MAP,
     AT_LIST(struct scenario, ledgers),
     .section = &section_ledger,
     .max = 8,
     .doc = "Writes that are read back after the recovery, to find those that were lost."},
    {.name = "loads",
     .type = KEY_MAP,
     AT_LIST(struct scenario, loads),
     .section = &section_load,
     .max = 8,
     .doc = "Users of the system, by a stated model, and what they do when an answer fails."},
    {.name = "steps",
     .type = KEY_CUSTOM,
     .read = read_steps,
     .schema = schema_steps,
     .required = true,
     .shape = "list of step",
     .doc = "What is done, in the order of time."},
    {.name = "symptoms",
     .type = KEY_LIST,
     AT_LIST(struct scenario, symptoms),
     .section = &section_symptom,
     .max = 16,
     .doc = "What the outage showed: a trial that does not show it is invalid."},
    {.name = "targets",
     .type = KEY_LIST,
     AT_LIST(struct scenario, targets),
     .section = &section_target,
     .required = true,
     .max = 64,
     .doc = "What must hold."},
    {.name = "guards",
     .type = KEY_LIST,
     AT_LIST(struct scenario, guards),
     .section = &section_guard,
     .max = 64,
     .doc = "What ends the run at once."},
    {.name = "steady",
     .type = KEY_SECTION,
     .section = &section_steady,
     .doc = "The state before anything is injected."},
    {.name = "recovered",
     .type = KEY_SECTION,
     .section = &section_recovered,
     .doc = "When a probe counts as recovered."},
    {.name = "observe",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario, observe),
     .min = 1000000,
     .max = LENGTH_MAX,
     .def = "30s",
     .doc = "How long at most recovery is waited for when everything has been taken back."},
    {.name = "seed",
     .type = KEY_CUSTOM,
     .read = read_seed,
     .schema = schema_seed,
     .shape = "whole number",
     .def = "drawn, and reported",
     .doc = "What all that is drawn is drawn from."},
    {.name = "trials",
     .type = KEY_SECTION,
     .section = &section_trials,
     .doc = "How often the whole is repeated: a number, or a plan that stops by itself."},
    {.name = "deadline",
     .type = KEY_PARAM,
     .param = PARAM_DURATION,
     AT(struct scenario, deadline),
     .min = 1000000000,
     .max = INT64_C(604800000000000),
     .def = "10m",
     .doc = "After this long the run is ended and everything is taken back."},
};
const struct section section_scenario = {
    .name = "scenario",
    .size = sizeof(struct scenario),
    KEYS(scenario_keys),
    .one_of = true,
    .doc = "One experiment: where, what is measured, what is done, what must hold."};

static const struct key lab_file_keys[] = {
    KEY_VERSION,
    KEY_TITLE,
    KEY_DESCRIPTION,
    KEY_VARS,
    {.name = "lab",
     .type = KEY_CUSTOM,
     .read = read_lab,
     .schema = schema_lab,
     .required = true,
     .shape = "lab",
     .doc = "The hosts and what runs on them."},
};
const struct section section_lab_file = {
    .name = "lab file",
    .size = sizeof(struct scenario),
    KEYS(lab_file_keys),
    .doc = "A lab in a file of its own, so that scenarios can share it."};
