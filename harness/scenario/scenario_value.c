/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include <ctype.h>
#include <string.h>

/* One word of a command line at *p, unquoted into out (as long as the rest of the text). */
static bool take_word(const char **p, char *out)
{
    char quote = '\0';
    for (; **p != '\0' && (quote != '\0' || !isspace((unsigned char)**p)); (*p)++) {
        if (**p == quote) {
            quote = '\0';
        } else if (quote == '\0' && (**p == '"' || **p == '\'')) {
            quote = **p;
        } else {
            if (**p == '\\' && quote != '\'' && (*p)[1] != '\0')
                (*p)++;
            *out++ = **p;
        }
    }
    *out = '\0';
    return quote == '\0';
}

/* What a person might expect a shell to do, outside quotes; within them it is a word's text. */
static const char *shell_sign(const char *text)
{
    static const char *const signs[] = {"|", ">", "<", ";", "&", "`", "$("};
    char quote = '\0';
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\\' && quote != '\'' && p[1] != '\0') {
            p++;
        } else if (quote != '\0') {
            if (*p == quote)
                quote = '\0';
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else {
            for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
                if (strncmp(p, signs[i], strlen(signs[i])) == 0)
                    return signs[i];
        }
    }
    return NULL;
}

static void split_command(struct reader *r, const struct key *key, const struct node *node,
                          const char *const **ret, size_t *ret_n)
{
    size_t len = strlen(node->text), n = 0;
    const char **words = reader_alloc(r, len / 2 + 2, sizeof(*words));
    char *room = reader_alloc(r, len + 2, 1);
    const char *sign = shell_sign(node->text);
    if (words == NULL || room == NULL)
        return;
    if (sign != NULL)
        reader_problem(r, node->pos, "write a list: [sh, -c, \"...\"]",
                       "%s: \"%s\" needs a shell, and none is used", key->name, sign);
    for (const char *p = node->text;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (*p == '\0')
            break;
        if (!take_word(&p, room)) {
            reader_problem(r, node->pos, NULL, "%s: a quote that is never closed", key->name);
            return;
        }
        words[n++] = room;
        room += strlen(room) + 1;
    }
    *ret = words;
    *ret_n = n;
}

void read_command(struct reader *r, const struct key *key, const struct node *node,
                  const char *const **ret, size_t *ret_n)
{
    struct key as_texts = *key;
    as_texts.type = KEY_TEXTS;
    as_texts.offset = 0;
    as_texts.count = sizeof(*ret);
    struct {
        const char *const *words;
        size_t n;
    } list = {0};
    if (node->kind == NODE_SCALAR && !node_is_empty(node))
        split_command(r, key, node, &list.words, &list.n);
    else
        read_key(r, &as_texts, node, &list);
    bool empty = list.n == 0 || list.words[0] == NULL || list.words[0][0] == '\0';
    if (empty && (node->kind == NODE_LIST || node->kind == NODE_SCALAR))
        reader_problem(r, node->pos, NULL, "%s: a command is needed", key->name);
    *ret = list.words;
    *ret_n = list.n;
}

/* A list parameter in YAML: a list, or its one item alone. */
static void read_param(struct reader *r, const struct param *p, const struct node *node, void *args)
{
    const struct key as_key = {.name = p->name};
    struct err err;
    bool list = param_is_list(p->type) && node->kind == NODE_LIST;
    size_t n = list ? node->n : 1;
    /* What is given takes the default's place. */
    if (param_is_list(p->type))
        memset((char *)args + p->offset, 0, sizeof(uint32_t));
    if (list && n == 0)
        reader_problem(r, node->pos, NULL, "%s: at least one is needed", p->name);
    for (size_t i = 0; i < n; i++) {
        const struct node *item = list ? node->items[i].value : node;
        bool empty_text = p->type == PARAM_TEXT && item->kind == NODE_SCALAR && item->quoted;
        if (p->type == PARAM_TEXT && item->kind == NODE_LIST) {
            reader_problem(r, item->pos, "write it as one text, words with spaces in quotes",
                           "%s: expected a text, found a list", p->name);
            continue;
        }
        if (!empty_text && reader_want(r, &as_key, item, NODE_SCALAR) == NULL)
            continue;
        if (param_parse(p, item->text, args, &err) != 0)
            reader_problem_err(r, item->pos, p->name, &err);
    }
}

static void read_kind_param(struct reader *r, const struct node *map,
                            const struct kind_params *kind, const struct param *p)
{
    const struct node *node = node_get(map, p->name);
    const struct key as_key = {.name = p->name, .scope = SCOPE_PEERS};
    if (node != NULL && p->type == PARAM_HOSTS && kind->hosts != NULL)
        read_selector(r, &as_key, node, kind->hosts);
    else if (node != NULL)
        read_param(r, p, node, kind->args);
}

void read_params(struct reader *r, const struct node *map, const struct kind_params *kind)
{
    struct err err;
    size_t before = r->problems->n;
    if (params_default(kind->params, kind->n, kind->args, kind->size, &err) != 0)
        reader_problem_err(r, map->pos, NULL, &err);
    for (size_t i = 0; i < kind->n; i++)
        read_kind_param(r, map, kind, &kind->params[i]);
    for (size_t i = 0; i < kind->n && r->problems->n == before; i++) {
        const struct param *p = &kind->params[i];
        const struct node *node = node_get(map, p->name);
        if (node != NULL && p->type != PARAM_HOSTS && params_check(p, 1, kind->args, &err) != 0)
            reader_problem_err(r, node->pos, NULL, &err);
    }
}
