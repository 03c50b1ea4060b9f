/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes that are sent, and ledgers that are read back, from several hosts. What stands behind this
 * file knows only one of each probe. */
#include "scenario/scenario_read.h"

#include <stdio.h>
#include <string.h>

enum { VANTAGES_MAX = 16, PROBES_MAX = 64, LABEL_MAX = 2 * NAME_MAX_LEN + 8 };

const char *read_vantage_name(struct reader *r, const struct node *node)
{
    const char *words[SCENARIO_HOSTS_MAX];
    for (size_t i = 0; i < r->n_hosts; i++)
        words[i] = r->hosts[i].name;
    return read_reference(r, "host", node, words, r->n_hosts);
}

static bool named_before(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] != NULL && name != NULL && strcmp(list[i], name) == 0)
            return true;
    return false;
}

/* One host, or a list of them: NULL where there is one. */
static void read_list(struct reader *r, const struct key *key, const struct node *node,
                      const char **ret_from, const char *const **ret, size_t *ret_n)
{
    if (node->kind != NODE_LIST) {
        *ret_from = read_vantage_name(r, node);
        return;
    }
    if (node->n == 0 || node->n > VANTAGES_MAX) {
        reader_problem(r, node->pos, NULL, "%s: expected 1 to %d hosts, found %zu", key->name,
                       (int)VANTAGES_MAX, node->n);
        return;
    }
    const char **list = reader_alloc(r, node->n, sizeof(*list));
    for (size_t i = 0; list != NULL && i < node->n; i++) {
        list[i] = read_vantage_name(r, node->items[i].value);
        if (named_before(list, i, list[i]))
            reader_problem(r, node->items[i].value->pos, NULL, "%s: %s stands there twice",
                           key->name, list[i]);
    }
    if (list == NULL)
        return;
    *ret_from = list[0];
    *ret = node->n > 1 ? list : NULL;
    *ret_n = node->n;
}

void read_vantages(struct reader *r, const struct key *key, const struct node *node, void *at)
{
    struct scenario_probe *p = at;
    read_list(r, key, node, &p->from, &p->vantages, &p->n_vantages);
}

void read_ledger_vantages(struct reader *r, const struct key *key, const struct node *node,
                          void *at)
{
    struct scenario_ledger *l = at;
    read_list(r, key, node, &l->from, &l->vantages, &l->n_vantages);
}

json_t *schema_vantages(const struct key *key)
{
    (void)key;
    return json_pack("{s:[{s:s}, {s:s, s:i, s:i, s:{s:s}}]}", "anyOf", "type", "string", "type",
                     "array", "minItems", 1, "maxItems", (int)VANTAGES_MAX, "items", "type",
                     "string");
}

size_t scenario_probe_find(const struct scenario *s, const char *name, const char *vantage)
{
    size_t i = 0;
    while (i < s->n_probes && (name == NULL || strcmp(s->probes[i].name, name) != 0 ||
                               (vantage != NULL && (s->probes[i].from == NULL ||
                                                    strcmp(s->probes[i].from, vantage) != 0))))
        i++;
    return i;
}

static size_t count_of(const struct scenario_probe *p)
{
    return p->vantages != NULL ? p->n_vantages : 1;
}

static void expand_probe(struct reader *r, const struct scenario_probe *p,
                         struct scenario_probe *ret)
{
    for (size_t k = 0; k < count_of(p); k++) {
        ret[k] = *p;
        ret[k].n_vantages = count_of(p);
        ret[k].vantage = k;
        if (p->vantages == NULL)
            continue;
        char text[LABEL_MAX];
        (void)snprintf(text, sizeof(text), "%s at %s", p->name, p->vantages[k]);
        ret[k].from = p->vantages[k];
        ret[k].label = reader_strdup(r, text);
    }
}

/* Where the vantage of a target or guard is none of its probe's. */
static void check_vantage(struct reader *r, struct pos pos, const char *name, const char *vantage)
{
    const struct scenario *s = r->s;
    size_t i = scenario_probe_find(s, name, NULL);
    if (vantage == NULL || i == s->n_probes || scenario_probe_find(s, name, vantage) < s->n_probes)
        return;
    const char *const one[] = {s->probes[i].from};
    const char *const *words = s->probes[i].vantages != NULL ? s->probes[i].vantages : one;
    char what[NAME_MAX_LEN + 40];
    (void)snprintf(what, sizeof(what), "probe %s has no vantage", name);
    reader_unknown(r, pos, what, vantage, words, count_of(&s->probes[i]));
}

static size_t targets_of(const struct scenario *s, const struct scenario_target *t)
{
    size_t i = t->vantage == NULL ? scenario_probe_find(s, t->probe, NULL) : s->n_probes;
    return i < s->n_probes ? count_of(&s->probes[i]) : 1;
}

static void expand_targets(struct reader *r, const struct scenario_target **targets,
                           size_t *n_targets)
{
    const struct scenario *s = r->s;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < *n_targets; i++)
        n += targets_of(s, &(*targets)[i]);
    struct scenario_target *list = n != 0 ? reader_alloc(r, n, sizeof(*list)) : NULL;
    for (size_t i = 0; list != NULL && i < *n_targets; i++) {
        const struct scenario_target *t = &(*targets)[i];
        check_vantage(r, t->pos, t->probe, t->vantage);
        size_t probe = scenario_probe_find(s, t->probe, NULL);
        for (size_t k = 0; k < targets_of(s, t); k++, at++) {
            list[at] = *t;
            if (targets_of(s, t) > 1)
                list[at].vantage = s->probes[probe].vantages[k];
        }
    }
    if (list != NULL) {
        *targets = list;
        *n_targets = n;
    }
}

static void expand_symptoms(struct reader *r)
{
    struct scenario *s = r->s;
    struct scenario_symptom *list = reader_alloc(r, s->n_symptoms + 1, sizeof(*list));
    for (size_t i = 0; list != NULL && i < s->n_symptoms; i++) {
        list[i] = s->symptoms[i];
        expand_targets(r, &list[i].targets, &list[i].n_targets);
    }
    if (list != NULL)
        s->symptoms = list;
}

void vantages_expand(struct reader *r)
{
    struct scenario *s = r->s;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < s->n_probes; i++) {
        n += count_of(&s->probes[i]);
        if (n <= PROBES_MAX || n - count_of(&s->probes[i]) > PROBES_MAX)
            continue;
        reader_problem(r, s->probes[i].pos, "fewer vantages, or fewer probes",
                       "from: more than %d probes, each counted once for each of its vantages",
                       (int)PROBES_MAX);
        return;
    }
    struct scenario_probe *list = n != 0 ? reader_alloc(r, n, sizeof(*list)) : NULL;
    if (list == NULL)
        return;
    for (size_t i = 0; i < s->n_probes; i++) {
        expand_probe(r, &s->probes[i], &list[at]);
        at += count_of(&s->probes[i]);
    }
    s->probes = list;
    s->n_probes = n;
    expand_targets(r, &s->targets, &s->n_targets);
    expand_symptoms(r);
    for (size_t i = 0; i < s->n_guards; i++)
        check_vantage(r, s->guards[i].pos, s->guards[i].probe, s->guards[i].vantage);
}
