/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/cleanup.h"
#include "contract/contract.h"

#include <string.h>

static int64_t get_number(const struct param *p, const void *args)
{
    const char *at = (const char *)args + p->offset;
    switch (p->type) {
    case PARAM_DURATION:
        return ((const struct duration *)at)->ns;
    case PARAM_RATIO:
        return ((const struct ratio *)at)->ppm;
    case PARAM_BYTES:
        return (int64_t)((const struct bytes *)at)->n;
    case PARAM_INT:
        return *(const int64_t *)at;
    default:
        return 0;
    }
}

static bool put_number(const struct param *p, void *args, int64_t value)
{
    char *at = (char *)args + p->offset;
    switch (p->type) {
    case PARAM_DURATION:
        *(struct duration *)at = (struct duration){value};
        return true;
    case PARAM_RATIO:
        *(struct ratio *)at = (struct ratio){(uint32_t)value};
        return true;
    case PARAM_BYTES:
        *(struct bytes *)at = (struct bytes){(uint64_t)value};
        return true;
    case PARAM_INT:
        *(int64_t *)at = value;
        return true;
    default:
        return false;
    }
}

static void expect(struct contract *c, const struct param *p, const void *args, bool good,
                   const char *what)
{
    struct err err;
    bool is = params_check(c->row->params, c->row->n_params, args, &err) == 0;
    if (is != good)
        contract_break(c, "parameter %s: %s is %s", p->name, what, is ? "taken" : "refused");
}

static void check_bounds(struct contract *c, const struct param *p, void *args)
{
    int64_t was = get_number(p, args);
    if (p->min == 0 && p->max == 0)
        return;
    if (!put_number(p, args, p->max))
        return;
    expect(c, p, args, true, "its largest value");
    (void)put_number(p, args, p->max + 1);
    expect(c, p, args, false, "more than its largest value");
    (void)put_number(p, args, p->min);
    expect(c, p, args, true, "its smallest value");
    if (p->min > 1) { /* zero may stand for "not given" */
        (void)put_number(p, args, p->min - 1);
        expect(c, p, args, false, "less than its smallest value");
    }
    (void)put_number(p, args, was);
}

/* Bytes that only a peer who breaks the rules would send. */
static void check_wild(struct contract *c, const struct param *p, void *args)
{
    size_t next = c->row->args_size;
    for (size_t i = 0; i < c->row->n_params; i++)
        if (c->row->params[i].offset > p->offset && c->row->params[i].offset < next)
            next = c->row->params[i].offset;
    if (p->type == PARAM_RATIO || p->type == PARAM_DURATION || p->type == PARAM_BYTES ||
        p->type == PARAM_INT)
        return; /* every bit pattern may be a number; bounds are tested on their own */
    memset((char *)args + p->offset, 0xff, next - p->offset);
    expect(c, p, args, false, "a run of 0xff bytes");
}

static void check_words(struct contract *c, const struct param *p, void *args)
{
    static const char *const wrong[] = {"", "\xff\xfe", "../x", "-1", "1e9", "0x10", "a b"};
    struct err err;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        if (p->type == PARAM_TEXT && (unsigned char)wrong[i][0] != 0xff)
            continue; /* any text is a text */
        if (param_is_list(p->type) || p->type == PARAM_HOSTS)
            memset((char *)args + p->offset, 0, sizeof(uint32_t));
        if ((p->type == PARAM_NAME || p->type == PARAM_NAMES) &&
            (strcmp(wrong[i], "-1") == 0 || strcmp(wrong[i], "1e9") == 0 ||
             strcmp(wrong[i], "0x10") == 0))
            continue;
        if (p->type == PARAM_INT && p->min < 0 && strcmp(wrong[i], "-1") == 0)
            continue;
        if (param_parse(p, wrong[i], args, &err) == 0)
            contract_break(c, "parameter %s takes `%s`", p->name, wrong[i]);
    }
}

static void check_wire(struct contract *c)
{
    struct err err;
    const struct fault *row = c->row;
    CLEANUP_FREE void *back = calloc(1, row->args_size);
    json_t *object = params_encode(row->params, row->n_params, c->args);
    if (object == NULL ||
        params_decode(row->params, row->n_params, object, back, row->args_size, &err) != 0)
        contract_break(c, "parameters do not cross the wire: %s", object == NULL ? "" : err.msg);
    else if (memcmp(back, c->args, row->args_size) != 0)
        contract_break(c, "parameters change on the wire");
    json_decref(object);
}

void contract_check_params(struct contract *c)
{
    struct err err;
    const struct fault *row = c->row;
    CLEANUP_FREE void *args = calloc(1, row->args_size);
    if (row->args_size > ARGS_MAX ||
        param_table_check(row->params, row->n_params, row->args_size, &err) != 0)
        contract_break(c, "the parameter table is not sound: %s", err.msg);
    check_wire(c);
    for (size_t i = 0; i < row->n_params; i++) {
        const struct param *p = &row->params[i];
        memcpy(args, c->args, row->args_size);
        check_bounds(c, p, args);
        memcpy(args, c->args, row->args_size);
        check_words(c, p, args);
        memcpy(args, c->args, row->args_size);
        check_wild(c, p, args);
        /* Zero is an enum's first word. */
        if (p->required && p->type != PARAM_HOSTS && p->type != PARAM_ENUM) {
            memcpy(args, c->args, row->args_size);
            if (!put_number(p, args, 0))
                memset((char *)args + p->offset, 0, sizeof(uint32_t));
            expect(c, p, args, false, "nothing where it is required");
        }
    }
}
