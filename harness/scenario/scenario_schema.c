/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/inventory.h"
#include "scenario/scenario_read.h"

#include <string.h>

enum { KINDS_MAX = 16 };

#define VARIABLE "\\$\\{"

json_t *schema_scalar(void)
{
    return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

json_t *schema_selector(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:s}]}", "allOf", "$ref", "#/definitions/selector");
}

static json_t *schema_list_of(json_t *item)
{
    return json_pack("{s:[O, {s:s, s:o, s:i}]}", "anyOf", item, "type", "array", "items", item,
                     "minItems", 1);
}

static json_t *schema_word(enum param_type type)
{
    const struct param p = {.name = "", .type = type};
    return param_schema(&p);
}

static json_t *schema_param(const struct key *key, enum param_type type)
{
    const struct param p = {
        .name = key->name, .type = type, .min = key->min, .max = key->max, .choices = key->choices};
    return param_schema(&p);
}

static json_t *schema_items(const struct key *key)
{
    json_t *item = schema_section(key->section);
    if (key->type == KEY_MAP)
        return json_pack("{s:s, s:o}", "type", "object", "additionalProperties", item);
    return json_pack("{s:s, s:o}", "type", "array", "items", item);
}

static json_t *schema_value(const struct key *key)
{
    switch (key->type) {
    case KEY_PARAM:
        return schema_param(key, key->param);
    case KEY_COUNT:
        return schema_param(key, PARAM_INT);
    case KEY_TEXT:
        return schema_scalar();
    case KEY_NAME:
        return schema_word(PARAM_NAME);
    case KEY_PATH:
        return schema_word(PARAM_PATH);
    case KEY_TEXTS:
    case KEY_COMMAND:
        return schema_list_of(schema_scalar());
    case KEY_NAMES:
        return schema_list_of(schema_word(PARAM_NAME));
    case KEY_PATHS:
        return schema_list_of(schema_word(PARAM_PATH));
    case KEY_SELECTOR:
        return schema_selector(key);
    case KEY_SECTION:
        return schema_section(key->section);
    case KEY_MAP:
    case KEY_LIST:
        return schema_items(key);
    case KEY_KIND:
        return schema_kind(key);
    case KEY_CUSTOM:
        return key->schema(key);
    }
    return json_object();
}

json_t *schema_key(const struct key *key)
{
    json_t *value = schema_value(key);
    if (json_object_get(value, "$ref") != NULL)
        value = json_pack("{s:[o]}", "allOf", value);
    if (key->doc != NULL)
        (void)json_object_set_new(value, "description", json_string(key->doc));
    if (key->def != NULL)
        (void)json_object_set_new(value, "default", json_string(key->def));
    return value;
}

static json_t *required_keys(const struct section *section)
{
    json_t *list = json_array();
    for (size_t i = 0; i < section->n_keys; i++)
        if (section->keys[i].required)
            (void)json_array_append_new(list, json_string(section->keys[i].name));
    return list;
}

/* Exactly one of a group's keys. */
static json_t *one_of(const struct section *section)
{
    json_t *list = json_array();
    for (size_t i = 0; i < section->n_keys; i++)
        if (section->keys[i].group == 1)
            (void)json_array_append_new(list,
                                        json_pack("{s:[s]}", "required", section->keys[i].name));
    return list;
}

static json_t *properties_of(const struct section *section)
{
    json_t *properties = json_object();
    for (size_t i = 0; i < section->n_keys; i++)
        (void)json_object_set_new(properties, section->keys[i].name, schema_key(&section->keys[i]));
    if (section->variants)
        (void)json_object_set_new(properties, variants_only.name, schema_key(&variants_only));
    return properties;
}

/* A map with the section's keys and no others; parameters of a kind may stand beside them. */
static json_t *schema_map(const struct section *section, const struct param *params, size_t n)
{
    json_t *properties = properties_of(section), *required = required_keys(section);
    for (size_t i = 0; i < n; i++) {
        (void)json_object_set_new(properties, params[i].name, param_schema(&params[i]));
        if (params[i].required)
            (void)json_array_append_new(required, json_string(params[i].name));
    }
    json_t *map =
        json_pack("{s:s, s:s, s:o, s:b, s:o}", "type", "object", "description", section->doc,
                  "properties", properties, "additionalProperties", 0, "required", required);
    if (section->one_of)
        (void)json_object_set_new(map, "oneOf", one_of(section));
    return map;
}

/* {"if": {key: word}, "then": map} */
static json_t *case_of(const char *key, const char *word, json_t *map)
{
    return json_pack("{s:{s:[s], s:{s:{s:s}}}, s:o}", "if", "required", key, "properties", key,
                     "const", word, "then", map);
}

/* Probes, roles, ledgers and loads: one case for each kind. */
static json_t *schema_by_kind(const struct section *section, const struct kinds *kinds)
{
    json_t *cases = json_array();
    for (size_t i = 0; i < kinds->n; i++) {
        const struct kind *kind = kinds->rows[i];
        (void)json_array_append_new(cases,
                                    case_of(section->keys[0].name, kind->name,
                                            schema_map(section, kind->params, kind->n_params)));
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "type", "object", "description", section->doc,
                     "properties", properties_of(section), "required", required_keys(section),
                     "allOf", cases);
}

json_t *schema_section(const struct section *section)
{
    if (section_kinds(section) != NULL)
        return schema_by_kind(section, section_kinds(section));
    json_t *map = schema_map(section, NULL, 0);
    if (section->shorthand == NULL && !section->may_be_empty)
        return map;
    if (section->may_be_empty)
        return json_pack("{s:[o, {s:s}]}", "anyOf", map, "type", "null");
    for (size_t i = 0; i < section->n_keys; i++)
        if (strcmp(section->keys[i].name, section->shorthand) == 0)
            return json_pack("{s:[o, o]}", "anyOf", schema_value(&section->keys[i]), map);
    return map;
}

json_t *schema_steps(const struct key *key)
{
    (void)key;
    return json_pack("{s:s, s:i, s:{s:s}}", "type", "array", "minItems", 1, "items", "$ref",
                     "#/definitions/step");
}

json_t *schema_branches(const struct key *key)
{
    (void)key;
    return json_pack("{s:s, s:i, s:{s:[{s:s}, {s:s, s:i, s:{s:s}}]}}", "type", "array", "minItems",
                     1, "items", "anyOf", "$ref", "#/definitions/step", "type", "array", "minItems",
                     1, "items", "$ref", "#/definitions/step");
}

static void add_fault_cases(json_t *cases, const struct section *section,
                            const struct catalogue *faults)
{
    for (size_t i = 0; i < faults->n; i++) {
        const struct fault *fault = faults->faults[i];
        (void)json_array_append_new(
            cases,
            case_of("fault", fault->name, schema_map(section, fault->params, fault->n_params)));
    }
}

/* All keys for completion, one of the kinds' words, and a case for each kind and each fault. */
static json_t *schema_step(const struct catalogue *faults)
{
    const struct section *sections[KINDS_MAX];
    size_t n = step_sections(sections, KINDS_MAX);
    json_t *properties = json_object(), *words = json_array(), *cases = json_array();
    for (size_t i = 0; i < n; i++) {
        const char *word = sections[i]->keys[0].name;
        for (size_t j = 0; j < sections[i]->n_keys; j++) {
            const struct key *key = &sections[i]->keys[j];
            json_t *value = j == 0 ? json_pack("{s:s}", "description", key->doc) : json_object();
            (void)json_object_set_new(properties, key->name, value);
        }
        (void)json_array_append_new(words, json_pack("{s:[s]}", "required", word));
        if (i == 0) {
            (void)json_object_set_new(properties, word, schema_key(&sections[i]->keys[0]));
            add_fault_cases(cases, sections[i], faults);
            continue;
        }
        (void)json_array_append_new(cases, json_pack("{s:{s:[s]}, s:o}", "if", "required", word,
                                                     "then", schema_map(sections[i], NULL, 0)));
    }
    return json_pack("{s:s, s:o, s:o, s:o}", "type", "object", "properties", properties, "oneOf",
                     words, "allOf", cases);
}

static json_t *schema_fault_name(const struct catalogue *faults)
{
    json_t *words = json_array();
    for (size_t i = 0; i < faults->n; i++)
        (void)json_array_append_new(words, json_string(faults->faults[i]->name));
    return json_pack("{s:[{s:o}, {s:s, s:s}]}", "anyOf", "enum", words, "type", "string", "pattern",
                     VARIABLE);
}

static json_t *selector_form(const char *word, json_t *value)
{
    return json_pack("{s:s, s:[s], s:b, s:{s:o}}", "type", "object", "required", word,
                     "additionalProperties", 0, "properties", word, value);
}

static json_t *schema_choice(void)
{
    json_t *self = json_pack("{s:s}", "$ref", "#/definitions/selector");
    json_t *share = json_pack("{s:s, s:[s], s:b, s:{s:o, s:O}}", "type", "object", "required",
                              "share", "additionalProperties", 0, "properties", "share",
                              schema_word(PARAM_RATIO), "of", self);
    json_t *list =
        json_pack("{s:s, s:i, s:{s:[{s:s}, {s:s, s:[O]}]}}", "type", "array", "minItems", 1,
                  "items", "anyOf", "type", "string", "type", "object", "allOf", self);
    return json_pack("{s:s, s:[{s:s}, o, o, o, o, o]}", "description",
                     "Hosts: a name, all, {label: L}, {role: R}, {all_but: HOSTS}, {share: 30%, "
                     "of: HOSTS}, or a "
                     "list of these; as peers of a fault also addresses and networks.",
                     "anyOf", "type", "string", list,
                     selector_form("label", json_pack("{s:s}", "type", "string")),
                     selector_form("role", json_pack("{s:s}", "type", "string")),
                     selector_form("all_but", self), share);
}

/* A scenario when it has any of the scenario's own keys, else a lab's file. */
json_t *scenario_schema(const struct catalogue *faults)
{
    json_t *root = schema_map(&section_scenario, NULL, 0);
    json_t *required = json_object_get(root, "required");
    json_t *whole = json_pack("{s:O}", "required", required);
    json_t *any = json_pack("[{s:[s]}, {s:[s]}, {s:[s]}]", "required", "probes", "required",
                            "steps", "required", "targets");
    (void)json_object_set_new(root, "$schema",
                              json_string("http://json-schema.org/draft-07/schema#"));
    (void)json_object_set_new(root, "title", json_string("Blackstart scenario, or lab file"));
    (void)json_object_set_new(root, "if", json_pack("{s:o}", "anyOf", any));
    (void)json_object_set_new(root, "then", whole);
    (void)json_object_set_new(root, "else", json_pack("{s:[s, s]}", "required", "version", "lab"));
    (void)json_object_set_new(root, "required", json_pack("[s]", "version"));
    (void)json_object_set_new(root, "definitions",
                              json_pack("{s:o, s:o, s:o, s:o}", "selector", schema_choice(),
                                        "fault_name", schema_fault_name(faults), "step",
                                        schema_step(faults), "target",
                                        schema_section(&section_target)));
    return root;
}
