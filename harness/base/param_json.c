/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "base/param_type.h"

#include <stdio.h>
#include <string.h>

/* A value that parameters refer to before its variables are replaced. */
#define VARIABLE "\\$\\{"

static bool is_array(const struct param *p)
{
    return param_is_list(p->type) || p->type == PARAM_HOSTS;
}

static json_t *encode_one(const struct param *p, const void *at, char *text)
{
    const struct param_type_row *row = param_type_row(p->type);
    if (p->type == PARAM_BOOL)
        return json_boolean(*(const unsigned char *)at);
    if (p->type == PARAM_INT)
        return json_integer(*(const int64_t *)at);
    if (!is_array(p)) {
        row->print(p, at, 0, text, sizeof(struct text));
        return json_string(text);
    }
    json_t *list = json_array();
    int64_t n = row->number(at);
    for (int64_t i = 0; i < n; i++) {
        row->print(p, at, (size_t)i, text, sizeof(struct text));
        (void)json_array_append_new(list, json_string(text));
    }
    return list;
}

/* Zero bytes of an optional parameter without a default mean "not given". */
static bool has_value(const struct param *p, const void *args)
{
    if (!param_is_zero(p, args))
        return true;
    if (param_type_row(p->type)->empty_is_none)
        return is_array(p) && (p->required || p->def != NULL);
    return p->required || p->def != NULL;
}

json_t *params_encode(const struct param *params, size_t n, const void *args)
{
    char *text CLEANUP_FREE = malloc(sizeof(struct text));
    json_t *object = json_object();
    for (size_t i = 0; text != NULL && i < n; i++) {
        const struct param *p = &params[i];
        if (!has_value(p, args))
            continue;
        json_t *value = encode_one(p, (const char *)args + p->offset, text);
        if (json_object_set_new(object, p->name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static int decode_text(const struct param *p, const json_t *value, void *args, struct err *err)
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value))
        return make_error(err, ERR_PROTOCOL, 0, "%s is not a text", p->name);
    return param_parse(p, text, args, err) == 0 ? 0 : wrap_error(err, "%s", p->name);
}

static int decode_one(const struct param *p, const json_t *value, void *args, struct err *err)
{
    size_t i;
    void *at = (char *)args + p->offset;
    memset(at, 0, param_type_row(p->type)->size);
    if (p->type == PARAM_BOOL && json_is_boolean(value)) {
        *(bool *)at = json_is_true(value);
        return 0;
    }
    if (p->type == PARAM_INT && json_is_integer(value)) {
        *(int64_t *)at = json_integer_value(value);
        return 0;
    }
    if (p->type == PARAM_BOOL || p->type == PARAM_INT || is_array(p) != json_is_array(value))
        return make_error(err, ERR_PROTOCOL, 0, "%s has the wrong JSON type", p->name);
    if (!is_array(p))
        return decode_text(p, value, args, err);
    for (i = 0; i < json_array_size(value); i++)
        if (decode_text(p, json_array_get(value, i), args, err) != 0)
            return -1;
    return 0;
}

static int check_keys(const struct param *params, size_t n, const json_t *object, struct err *err)
{
    /* The iterator's functions take what they do not change without const. */
    json_t *o = (json_t *)(uintptr_t)object;
    for (void *i = json_object_iter(o); i != NULL; i = json_object_iter_next(o, i))
        if (param_find(params, n, json_object_iter_key(i)) == NULL)
            return make_error(err, ERR_PROTOCOL, 0, "there is no parameter \"%.60s\"",
                              json_object_iter_key(i));
    return 0;
}

int params_decode(const struct param *params, size_t n, const json_t *object, void *args,
                  size_t size, struct err *err)
{
    if (!json_is_object(object))
        return make_error(err, ERR_PROTOCOL, 0, "parameters that are not a JSON object");
    if (check_keys(params, n, object, err) != 0)
        return -1;
    if (params_default(params, n, args, size, err) != 0)
        return -1;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, params[i].name);
        if (value == NULL && params[i].required)
            return make_error(err, ERR_INPUT, 0, "%s is required", params[i].name);
        if (value != NULL && decode_one(&params[i], value, args, err) != 0)
            return -1;
    }
    return params_check(params, n, args, err);
}

/* One item of a type, as an editor should check it. */
static const char *const patterns[] = {
    [PARAM_DURATION] = "^([0-9]+(\\.[0-9]+)?(d|h|m|s|ms|us|ns))+$",
    [PARAM_RATIO] = "^[0-9]+(\\.[0-9]+)?%$",
    [PARAM_BYTES] = "^[0-9]+(\\.[0-9]+)?([KMG]i?)?B$",
    [PARAM_NAME] = "^[A-Za-z0-9_@][A-Za-z0-9._@-]*$",
    [PARAM_PATH] = "^/",
    [PARAM_ERRNO] = "^E[A-Z0-9]+$",
    [PARAM_SIGNAL] = "^(SIG)?[A-Z0-9]+$",
    [PARAM_PORTS] = "^[0-9]+(-[0-9]+)?$",
    [PARAM_NAMES] = "^[A-Za-z0-9_@][A-Za-z0-9._@-]*$",
    [PARAM_PATHS] = "^/",
};

static json_t *schema_text(const char *pattern)
{
    char both[200];
    (void)snprintf(both, sizeof(both), "%s|" VARIABLE, pattern);
    return json_pack("{s:s, s:s}", "type", "string", "pattern", both);
}

static json_t *schema_enum(const struct param *p)
{
    json_t *words = json_array();
    for (size_t i = 0; p->choices[i] != NULL; i++)
        (void)json_array_append_new(words, json_string(p->choices[i]));
    return json_pack("{s:[{s:o}, {s:s, s:s}]}", "anyOf", "enum", words, "type", "string", "pattern",
                     VARIABLE);
}

static json_t *schema_number(const struct param *p)
{
    json_t *s = json_pack("{s:[s, s], s:s}", "type", "integer", "string", "pattern", VARIABLE);
    int64_t min, max;
    param_bounds(p, &min, &max);
    if (min != INT64_MIN)
        (void)json_object_set_new(s, "minimum", json_integer(min));
    if (max != INT64_MAX)
        (void)json_object_set_new(s, "maximum", json_integer(max));
    return s;
}

static json_t *schema_item(const struct param *p)
{
    switch (p->type) {
    case PARAM_BOOL:
        return json_pack("{s:[s, s], s:s}", "type", "boolean", "string", "pattern", VARIABLE);
    case PARAM_INT:
        return schema_number(p);
    case PARAM_ENUM:
        return schema_enum(p);
    case PARAM_TEXT:
        return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
    case PARAM_HOSTS:
        return json_pack("{s:s}", "$ref", "#/definitions/selector");
    case PARAM_PORTS:
        return json_pack("{s:[{s:s, s:i, s:i}, o]}", "anyOf", "type", "integer", "minimum", 1,
                         "maximum", 65535, schema_text(patterns[p->type]));
    default:
        return schema_text(patterns[p->type]);
    }
}

/* A list may also be written as its one item. */
static json_t *schema_list(const struct param *p)
{
    int64_t min, max;
    param_bounds(p, &min, &max);
    return json_pack("{s:[o, {s:s, s:o, s:I, s:I}]}", "anyOf", schema_item(p), "type", "array",
                     "items", schema_item(p), "minItems", (json_int_t)(min > 0 ? min : 1),
                     "maxItems", (json_int_t)max);
}

json_t *param_schema(const struct param *p)
{
    json_t *s = param_is_list(p->type) ? schema_list(p) : schema_item(p);
    if (p->type == PARAM_HOSTS)
        /* Draft 7 ignores what stands beside a $ref. */
        s = json_pack("{s:[o]}", "allOf", s);
    if (p->doc != NULL)
        (void)json_object_set_new(s, "description", json_string(p->doc));
    if (p->def != NULL)
        (void)json_object_set_new(s, "default", json_string(p->def));
    return s;
}
