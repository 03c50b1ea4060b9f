/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include "base/buf.h"

#include <ctype.h>
#include <string.h>

enum { VARS_MAX = 128, NAME_SHOWN = 64 };

/* Known only when a service is started or a probe is sent. */
static bool is_run_time(const char *name, size_t len)
{
    static const char *const words[] = {"host", "host.ip", "host.ip6"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == len && memcmp(words[i], name, len) == 0)
            return true;
    return len > 6 && memcmp(name, "hosts.", 6) == 0;
}

static const char *var_value(const struct scenario *s, const char *name, size_t len)
{
    for (size_t i = 0; i < s->n_vars; i++)
        if (strlen(s->vars[i].name) == len && memcmp(s->vars[i].name, name, len) == 0)
            return s->vars[i].value;
    return NULL;
}

static void unknown_variable(struct reader *r, const struct node *node, const char *name,
                             size_t len)
{
    const char *words[VARS_MAX + 3] = {"host", "host.ip", "host.ip6"};
    char shown[NAME_SHOWN];
    size_t n = 3;
    for (size_t i = 0; i < r->s->n_vars && n < VARS_MAX; i++)
        words[n++] = r->s->vars[i].name;
    if (len >= sizeof(shown))
        len = sizeof(shown) - 1;
    memcpy(shown, name, len);
    shown[len] = '\0';
    reader_unknown(r, node->pos, "there is no variable", shown, words, n);
}

/* What stands at s, which begins with "${"; returns the bytes taken. */
static size_t expand_one(struct reader *r, const struct node *node, const char *s, struct buf *out)
{
    const char *end = strchr(s, '}');
    size_t len = end != NULL ? (size_t)(end - s) - 2 : 0;
    if (end == NULL) {
        reader_problem(r, node->pos, "close it, or write $${ for the two characters",
                       "a \"${\" that is never closed");
        return 2;
    }
    const char *value = var_value(r->s, s + 2, len);
    if (value != NULL)
        buf_puts(out, value);
    else if (is_run_time(s + 2, len))
        buf_add(out, s, len + 3);
    else
        unknown_variable(r, node, s + 2, len);
    return len + 3;
}

static void expand_scalar(struct reader *r, struct node *node)
{
    CLEANUP_BUF struct buf out = BUF_INIT(SCENARIO_TEXT_MAX);
    size_t before = r->problems->n;
    if (strstr(node->text, "${") == NULL)
        return;
    for (const char *s = node->text; *s != '\0';) {
        size_t plain = strcspn(s, "$");
        buf_add(&out, s, plain);
        s += plain;
        if (strncmp(s, "$${", 3) == 0) {
            buf_puts(&out, "${");
            s += 3;
        } else if (strncmp(s, "${", 2) == 0) {
            s += expand_one(r, node, s, &out);
        } else if (*s != '\0') {
            buf_add(&out, s++, 1);
        }
    }
    if (!buf_ok(&out)) {
        reader_problem(r, node->pos, NULL, "with its variables longer than %d bytes",
                       SCENARIO_TEXT_MAX);
        return;
    }
    if (r->problems->n != before) {
        node->kind = NODE_BAD;
        return;
    }
    const char *text = reader_strdup(r, buf_text(&out));
    if (text != NULL)
        node->text = text;
}

void vars_expand(struct reader *r, struct node *node)
{
    if (node->kind == NODE_SCALAR)
        expand_scalar(r, node);
    bool top = node == r->root && node->kind == NODE_MAP;
    for (size_t i = 0; node->kind != NODE_SCALAR && i < node->n; i++)
        if (!top || (strcmp(node->items[i].key, "vars") != 0 &&
                     strcmp(node->items[i].key, "variants") != 0))
            vars_expand(r, node->items[i].value);
}

static bool name_is_right(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > NAME_MAX_LEN || isdigit((unsigned char)name[0]))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len &&
           strcmp(name, "host") != 0 && strcmp(name, "hosts") != 0;
}

/* A value may hold what is known at run time, but no other variable: no order to think of. */
static void check_value(struct reader *r, const struct node *node, const char *value)
{
    for (const char *s = strstr(value, "${"); s != NULL; s = strstr(s + 2, "${")) {
        size_t len = strcspn(s + 2, "}");
        if (s[2 + len] == '}' && !is_run_time(s + 2, len)) {
            reader_problem(r, node->pos, NULL, "a variable cannot use another variable");
            return;
        }
    }
}

bool vars_value(struct reader *r, const struct key *key, const struct node *node)
{
    bool empty = node->kind == NODE_SCALAR && node->text[0] == '\0' && node->quoted;
    if (!empty && reader_want(r, key, node, NODE_SCALAR) == NULL)
        return false;
    check_value(r, node, node->text);
    return true;
}

static void add_var(struct reader *r, const struct node_item *item, struct scenario_var *vars,
                    size_t *n)
{
    const struct key as_key = {.name = "vars"};
    const struct node *node = item->value;
    if (!name_is_right(item->key))
        reader_problem(r, item->key_pos, "letters, digits and _, not \"host\" or \"hosts\"",
                       "\"%s\" cannot name a variable", item->key);
    if (strcmp(item->key, "variant") == 0 && node_get(r->root, "variants") != NULL)
        reader_problem(r, item->key_pos, NULL,
                       "with variants, \"variant\" is the name of the one that is run");
    if (!vars_value(r, &as_key, node))
        return;
    /* The scenario's own come first; a lab file's are its defaults. */
    if (var_value(r->s, item->key, strlen(item->key)) == NULL)
        vars[(*n)++] = (struct scenario_var){item->key, node->text, false, item->key_pos};
}

static void apply(struct scenario_var *vars, size_t n, struct var_wanted *w)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(vars[i].name, w->name) == 0) {
            if (w->value != NULL) /* else it is another variant's */
                vars[i].value = w->value;
            vars[i].set = vars[i].set || (w->value != NULL && !w->variant);
            w->used = true;
            return;
        }
}

static void want_variant(struct reader *r, const struct scenario_variant *v)
{
    bool chosen = r->s->variant != NULL && strcmp(v->name, r->s->variant) == 0;
    for (size_t i = 0; i < v->n_set; i++)
        r->wanted[r->n_wanted++] = (struct var_wanted){.name = v->set[i].name,
                                                       .value = chosen ? v->set[i].value : NULL,
                                                       .pos = v->set[i].pos,
                                                       .variant = true};
}

void vars_want(struct reader *r, const struct scenario_set *sets, size_t n_sets)
{
    struct scenario *s = r->s;
    size_t n = n_sets;
    for (size_t i = 0; i < s->n_variants; i++)
        n += s->variants[i].n_set;
    r->wanted = reader_alloc(r, n, sizeof(*r->wanted));
    struct scenario_var *own = reader_alloc(r, 1, sizeof(*own));
    if (r->wanted == NULL || own == NULL)
        return;
    for (size_t i = 0; i < s->n_variants; i++)
        want_variant(r, &s->variants[i]);
    for (size_t i = 0; i < n_sets; i++)
        if (sets[i].name != NULL && (s->n_variants == 0 || strcmp(sets[i].name, "variant") != 0))
            r->wanted[r->n_wanted++] =
                (struct var_wanted){.name = sets[i].name, .value = sets[i].value};
    if (s->variant == NULL)
        return;
    *own = (struct scenario_var){.name = "variant", .value = s->variant};
    s->vars = own;
    s->n_vars = 1;
}

void vars_unused(struct reader *r)
{
    const char *words[VARS_MAX];
    size_t n = r->s->n_vars < VARS_MAX ? r->s->n_vars : VARS_MAX;
    for (size_t i = 0; i < n; i++)
        words[i] = r->s->vars[i].name;
    for (size_t i = 0; i < r->n_wanted; i++)
        if (!r->wanted[i].used)
            reader_unknown(r, r->wanted[i].pos,
                           r->wanted[i].variant ? "set: there is no variable"
                                                : "--set: there is no variable",
                           r->wanted[i].name, words, n);
}

void vars_read(struct reader *r, const struct node *node)
{
    const struct key as_key = {.name = "vars"};
    size_t more = 0, n = r->s->n_vars;
    if (node != NULL && reader_want(r, &as_key, node, NODE_MAP) != NULL)
        more = node->n;
    if (n + more > VARS_MAX) {
        reader_problem(r, node != NULL ? node->pos : (struct pos){0, 0}, NULL,
                       "vars: more than %d of them", VARS_MAX);
        return;
    }
    struct scenario_var *vars = reader_alloc(r, n + more, sizeof(*vars));
    if (vars == NULL)
        return;
    if (n != 0)
        memcpy(vars, r->s->vars, n * sizeof(*vars));
    r->s->vars = vars;
    for (size_t i = 0; i < more; i++) {
        add_var(r, &node->items[i], vars, &n);
        r->s->n_vars = n;
    }
    for (size_t i = 0; i < r->n_wanted; i++)
        apply(vars, n, &r->wanted[i]);
}
