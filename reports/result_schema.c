/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reports/result_schema.h"

#include "analysis/verdict.h"
#include "reports/result_fields.h"

static json_t *reference(const struct section *section)
{
    for (size_t i = 0; i < result_n_definitions; i++)
        if (result_definitions[i].section == section)
            return json_pack("{s:o}", "$ref",
                             json_sprintf("#/definitions/%s", result_definitions[i].name));
    return json_object();
}

static json_t *verdicts(void)
{
    json_t *words = json_array();
    for (int v = VERDICT_NOT_JUDGED; v <= VERDICT_FAIL; v++)
        (void)json_array_append_new(words, json_string(verdict_word((enum verdict)v)));
    return json_pack("{s:s, s:o}", "type", "string", "enum", words);
}

static json_t *type_of(const struct field *f)
{
    static const char *const words[] = {[FIELD_TEXT] = "string",
                                        [FIELD_REAL] = "number",
                                        [FIELD_COUNT] = "integer",
                                        [FIELD_BOOL] = "boolean",
                                        [FIELD_OBJECT] = "object"};
    switch (f->type) {
    case FIELD_VERDICT:
        return verdicts();
    case FIELD_TEXTS:
        return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    case FIELD_COUNTS:
        return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
                         "integer");
    case FIELD_SECTION:
        return json_pack("{s:[o]}", "allOf", reference(f->section));
    case FIELD_SECTIONS:
        return json_pack("{s:s, s:o}", "type", "array", "items", reference(f->section));
    case FIELD_TEXT:
    case FIELD_REAL:
    case FIELD_COUNT:
    case FIELD_BOOL:
    case FIELD_OBJECT:
        break;
    }
    return json_pack("{s:s}", "type", words[f->type]);
}

static json_t *field_schema(const struct field *f)
{
    json_t *o = type_of(f);
    if ((f->how & NULLABLE) != 0)
        o = json_pack("{s:[o, {s:s}]}", "anyOf", o, "type", "null");
    (void)json_object_set_new(o, "description",
                              (f->how & FULL_ONLY) != 0
                                  ? json_sprintf("%s Not in the compact form.", f->doc)
                                  : json_string(f->doc));
    return o;
}

/* Later versions may add fields: a reader must let those go that it does not know. */
static json_t *section_schema(const struct section *s)
{
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < s->n; i++) {
        const struct field *f = &s->fields[i];
        (void)json_object_set_new(properties, f->name, field_schema(f));
        if ((f->how & (OPTIONAL | FULL_ONLY)) == 0)
            (void)json_array_append_new(required, json_string(f->name));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description", s->doc, "properties",
                     properties, "required", required);
}

json_t *result_schema(void)
{
    json_t *o = json_object(), *list = json_object();
    (void)json_object_set_new(o, "$schema", json_string("http://json-schema.org/draft-07/schema#"));
    (void)json_object_set_new(o, "title", json_string("blackstart: result.json"));
    (void)json_object_update_missing_new(o, section_schema(&result_section));
    for (size_t i = 0; i < result_n_definitions; i++)
        (void)json_object_set_new(list, result_definitions[i].name,
                                  section_schema(result_definitions[i].section));
    (void)json_object_set_new(o, "definitions", list);
    return o;
}
