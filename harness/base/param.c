/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/param.h"

#include "base/cleanup.h"
#include "base/param_type.h"

#include <stdio.h>
#include <string.h>

static void *place(const struct param *p, void *args)
{
    return (char *)args + p->offset;
}

static const void *place_const(const struct param *p, const void *args)
{
    return (const char *)args + p->offset;
}

bool param_is_zero(const struct param *p, const void *args)
{
    const unsigned char *bytes = place_const(p, args);
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, param_type_row(p->type)->size - 1) == 0;
}

bool param_is_list(enum param_type type)
{
    const struct param_type_row *row = param_type_row(type);
    return row != NULL && row->list;
}

void param_bounds(const struct param *p, int64_t *ret_min, int64_t *ret_max)
{
    const struct param_type_row *row = param_type_row(p->type);
    bool own = p->min == 0 && p->max == 0;
    *ret_min = own ? row->min : p->min;
    *ret_max = own || (p->max == 0 && p->min > 0) ? row->max : p->max;
}

const char *param_bound_print(const struct param *p, int64_t bound, char *out, size_t size)
{
    switch (p->type) {
    case PARAM_DURATION:
        return duration_print((struct duration){bound}, out, size);
    case PARAM_RATIO:
        return ratio_print((struct ratio){(uint32_t)bound}, out, size);
    case PARAM_BYTES:
        return bytes_print((struct bytes){(uint64_t)bound}, out, size);
    default:
        (void)snprintf(out, size, "%lld", (long long)bound);
        return out;
    }
}

static bool is_counted(const struct param *p)
{
    return param_is_list(p->type) || p->type == PARAM_HOSTS;
}

/* " from 1ms to 10s", or nothing when the bounds are the type's own. */
static const char *print_range(const struct param *p, char *out, size_t size)
{
    const struct param_type_row *row = param_type_row(p->type);
    char lo[40], hi[40];
    int64_t min, max;
    param_bounds(p, &min, &max);
    (void)param_bound_print(p, min, lo, sizeof(lo));
    (void)param_bound_print(p, max, hi, sizeof(hi));
    out[0] = '\0';
    const char *unit = p->type == PARAM_TEXT ? " bytes" : is_counted(p) ? " items" : "";
    if (max != row->max && min != row->min && unit[0] != '\0')
        (void)snprintf(out, size, " of %s to %s%s", lo, hi, unit);
    else if (max != row->max && min != row->min)
        (void)snprintf(out, size, " from %s to %s", lo, hi);
    else if (max != row->max)
        (void)snprintf(out, size, " of at most %s%s", hi, unit);
    else if (min != row->min)
        (void)snprintf(out, size, " of at least %s%s", lo, unit);
    return out;
}

const char *param_expects(const struct param *p, char *out, size_t size)
{
    char range[100];
    if (p->type != PARAM_ENUM) {
        (void)snprintf(out, size, "%s%s", param_type_row(p->type)->expects,
                       print_range(p, range, sizeof(range)));
        return out;
    }
    size_t used = 0;
    for (size_t i = 0; p->choices != NULL && p->choices[i] != NULL && used < size; i++) {
        const char *between = i == 0 ? "" : p->choices[i + 1] == NULL ? " or " : ", ";
        int n = snprintf(out + used, size - used, "%s%s", between, p->choices[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    return out;
}

static bool in_bounds(const struct param *p, const void *at)
{
    const struct param_type_row *row = param_type_row(p->type);
    int64_t min, max;
    if (row->number == NULL)
        return true;
    param_bounds(p, &min, &max);
    int64_t n = row->number(at);
    return n >= min && n <= max;
}

static int check_number(const struct param *p, const void *at, struct err *err)
{
    char range[100];
    if (in_bounds(p, at))
        return 0;
    const char *what = is_counted(p)           ? "a count"
                       : p->type == PARAM_TEXT ? "a length"
                                               : param_type_row(p->type)->expects;
    return make_error(err, ERR_INPUT, 0, "not %s%s", what, print_range(p, range, sizeof(range)));
}

int param_parse(const struct param *p, const char *text, void *args, struct err *err)
{
    const struct param_type_row *row = param_type_row(p->type);
    char expects[200];
    if (row == NULL)
        return make_error(err, ERR_INPUT, 0, "%s has no type", p->name);
    if (row->parse(p, text, place(p, args), err) != 0) {
        /* Past what the type can hold: the parameter's own bound is the nearer one. */
        bool number = p->type == PARAM_DURATION || p->type == PARAM_INT;
        bool bounded = err->code == ERR_LIMIT && number && p->max != 0 && p->max != row->max;
        return bounded ? param_not_a(err, text, param_expects(p, expects, sizeof(expects))) : -1;
    }
    if (is_counted(p) || in_bounds(p, place(p, args)))
        return 0;
    if (p->type == PARAM_TEXT)
        return check_number(p, place(p, args), err);
    return param_not_a(err, text, param_expects(p, expects, sizeof(expects)));
}

static int parse_default(const struct param *p, void *args, struct err *err)
{
    char item[PATH_MAX_LEN + 1];
    if (!param_is_list(p->type))
        return param_parse(p, p->def, args, err);
    for (const char *s = p->def; *s != '\0';) {
        size_t len = strcspn(s, ",");
        if (len >= sizeof(item))
            return make_error(err, ERR_INPUT, 0, "%s has a default that is too long", p->name);
        memcpy(item, s, len);
        item[len] = '\0';
        if (param_parse(p, item, args, err) != 0)
            return -1;
        s += len + (s[len] == ',');
        s += strspn(s, " ");
    }
    return 0;
}

int params_default(const struct param *params, size_t n, void *args, size_t size, struct err *err)
{
    memset(args, 0, size);
    for (size_t i = 0; i < n; i++)
        if (params[i].def != NULL && parse_default(&params[i], args, err) != 0)
            return wrap_error(err, "default of %s", params[i].name);
    return 0;
}

static int check_one(const struct param *p, const void *args, struct err *err)
{
    const struct param_type_row *row = param_type_row(p->type);
    const void *at = place_const(p, args);
    bool zero = param_is_zero(p, args);
    /* A list of none is none, whatever bytes lie behind its count. */
    if (param_is_list(p->type) || p->type == PARAM_HOSTS)
        zero = *(const uint32_t *)at == 0;
    if (zero && row->empty_is_none && p->required)
        return make_error(err, ERR_INPUT, 0, "%s is required", p->name);
    if (zero && !p->required && (p->def == NULL || row->empty_is_none))
        return 0;
    if (row->check != NULL && row->check(p, at, err) != 0)
        return wrap_error(err, "%s", p->name);
    return check_number(p, at, err) == 0 ? 0 : wrap_error(err, "%s", p->name);
}

int params_check(const struct param *params, size_t n, const void *args, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (check_one(&params[i], args, err) != 0)
            return -1;
    return 0;
}

const struct param *param_find(const struct param *params, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(params[i].name, name) == 0)
            return &params[i];
    return NULL;
}

const struct param *param_find_hosts(const struct param *params, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (params[i].type == PARAM_HOSTS)
            return &params[i];
    return NULL;
}

static int check_row(const struct param *params, size_t i, size_t size, struct err *err)
{
    const struct param *p = &params[i];
    const struct param_type_row *row = param_type_row(p->type);
    int64_t min, max;
    if (p->name == NULL || row == NULL || p->doc == NULL)
        return make_error(err, ERR_INPUT, 0, "row %zu has no name, no type or no doc", i);
    if (size < row->size || p->offset > size - row->size)
        return make_error(err, ERR_INPUT, 0, "%s lies outside its struct", p->name);
    if (p->type == PARAM_ENUM && (p->choices == NULL || p->choices[0] == NULL))
        return make_error(err, ERR_INPUT, 0, "%s has no choices", p->name);
    if (p->required && p->def != NULL)
        return make_error(err, ERR_INPUT, 0, "%s is required and has a default", p->name);
    param_bounds(p, &min, &max);
    if (min > max || min < row->min || max > row->max)
        return make_error(err, ERR_INPUT, 0, "%s has bounds out of order", p->name);
    if (param_find(params, i, p->name) != NULL)
        return make_error(err, ERR_INPUT, 0, "%s stands there twice", p->name);
    return 0;
}

int param_table_check(const struct param *params, size_t n, size_t size, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (check_row(params, i, size, err) != 0)
            return -1;
    void *args CLEANUP_FREE = calloc(1, size != 0 ? size : 1);
    if (args == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    return params_default(params, n, args, size, err);
}
