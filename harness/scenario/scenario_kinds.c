/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sections whose items are of a kind (probes, roles, ledgers): its parameters stand beside the
 * section's own keys. */
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64 };

const struct kinds *section_kinds(const struct section *section)
{
    return section->n_keys != 0 ? section->keys[0].kinds : NULL;
}

bool section_extras(const struct reader *r, const struct section *section, const struct node *node,
                    const struct param **ret, size_t *ret_n)
{
    const struct kinds *kinds = section_kinds(section);
    if (kinds == NULL)
        return section->extras(r, node, ret, ret_n);
    const struct node *word = node_get(node, section->keys[0].name);
    const struct kind *kind =
        word != NULL && word->kind == NODE_SCALAR ? kinds_find(kinds, word->text) : NULL;
    if (kind == NULL)
        return false;
    *ret = kind->params;
    *ret_n = kind->n_params;
    return true;
}

bool section_any_extra(const struct reader *r, const struct section *section, const char *name)
{
    const struct kinds *kinds = section_kinds(section);
    if (kinds == NULL)
        return section->any_extra != NULL && section->any_extra(r, name);
    for (size_t i = 0; i < kinds->n; i++)
        if (param_find(kinds->rows[i]->params, kinds->rows[i]->n_params, name) != NULL)
            return true;
    return false;
}

void read_kind(struct reader *r, const struct key *key, const struct node *node,
               const struct kind **ret)
{
    const char *words[WORDS_MAX];
    char what[READER_TITLE];
    size_t n = 0;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    *ret = kinds_find(key->kinds, node->text);
    for (; n < key->kinds->n && n < WORDS_MAX; n++)
        words[n] = key->kinds->rows[n]->name;
    (void)snprintf(what, sizeof(what), "there is no kind of %s", key->kinds->word);
    if (*ret == NULL)
        reader_unknown(r, node->pos, what, node->text, words, n);
    else if ((*ret)->lab_only && r->s->lab == NULL)
        reader_problem(r, node->pos, NULL, "%s %ss run in labs only", (*ret)->name,
                       key->kinds->word);
}

void *read_kind_args(struct reader *r, const struct node *node, const struct kind *kind)
{
    size_t before = r->problems->n;
    void *args = reader_alloc(r, 1, kind->args_size);
    if (args != NULL)
        read_params(
            r, node,
            &(struct kind_params){kind->params, kind->n_params, args, kind->args_size, NULL});
    return r->problems->n == before ? args : NULL;
}

void reader_blame(struct reader *r, const struct node *node, const char *name,
                  const struct err *err)
{
    const struct node *at = name != NULL ? node_get(node, name) : NULL;
    if (name != NULL)
        reader_problem(r, at != NULL ? at->pos : node->pos, NULL, "%s: %s", name, err->msg);
}

json_t *schema_kind(const struct key *key)
{
    json_t *words = json_array();
    for (size_t i = 0; i < key->kinds->n; i++)
        (void)json_array_append_new(words, json_string(key->kinds->rows[i]->name));
    return json_pack("{s:o}", "enum", words);
}

const char *kinds_words(const struct kinds *kinds, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < kinds->n && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s",
                                i == 0              ? ""
                                : i + 1 == kinds->n ? " or "
                                                    : ", ",
                                kinds->rows[i]->name);
    return out;
}
