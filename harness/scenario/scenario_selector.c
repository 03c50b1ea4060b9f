/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"
#include "scenario/selector.h"

#include <string.h>

enum { LABELS_MAX = 128 };

struct selector_form {
    const struct key *key;
    struct selector *s;
};

static size_t host_words(const struct reader *r, const char **words, bool client)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_hosts; i++)
        if (client || strcmp(r->hosts[i].name, "client") != 0)
            words[n++] = r->hosts[i].name;
    return n;
}

/* A host that the place may name, or NULL after a report. */
static const char *read_host(struct reader *r, const struct key *key, const struct node *node)
{
    const char *words[SCENARIO_HOSTS_MAX];
    if (node->kind == NODE_SCALAR && key->scope == SCOPE_FAULT &&
        strcmp(node->text, "client") == 0) {
        reader_problem(r, node->pos, "the measurement stands there",
                       "%s: a fault may not choose the host \"client\"", key->name);
        return NULL;
    }
    bool client = key->scope != SCOPE_FAULT;
    return read_reference(r, "host", node, words, host_words(r, words, client));
}

static void read_names(struct reader *r, const struct key *key, const struct node *node,
                       struct selector *s)
{
    size_t n = node->kind == NODE_LIST ? node->n : 1;
    if (n == 0 || n > SCENARIO_HOSTS_MAX) {
        reader_problem(r, node->pos, NULL, "%s: %s", key->name,
                       n == 0 ? "at least one host is needed" : "more hosts than a scenario has");
        return;
    }
    const char **names = reader_alloc(r, n, sizeof(*names));
    for (size_t i = 0; names != NULL && i < n; i++) {
        const char *name = read_host(r, key, node->kind == NODE_LIST ? node->items[i].value : node);
        if (name != NULL)
            names[s->n_names++] = name;
    }
    s->kind = SELECT_NAMES;
    s->names = names;
}

static void read_label(struct reader *r, const struct key *key, const struct node *node,
                       struct selector *s)
{
    const char *words[LABELS_MAX];
    size_t n = 0;
    (void)key;
    for (size_t i = 0; i < r->n_hosts; i++)
        for (size_t j = 0; j < r->hosts[i].n_labels && n < LABELS_MAX; j++) {
            bool known = false;
            for (size_t k = 0; k < n; k++)
                known = known || strcmp(words[k], r->hosts[i].labels[j]) == 0;
            if (!known)
                words[n++] = r->hosts[i].labels[j];
        }
    s->kind = SELECT_LABEL;
    s->word = read_reference(r, "label", node, words, n);
}

static bool needs_run_time(struct reader *r, const struct key *key, const struct node *node,
                           const char *what)
{
    if (key->scope != SCOPE_STATIC)
        return true;
    reader_problem(r, node->pos, "name the hosts, or a label", "%s: %s only at run time", key->name,
                   what);
    return false;
}

static void read_role(struct reader *r, const struct key *key, const struct node *node,
                      struct selector *s)
{
    const char *words[SCENARIO_ITEMS_MAX];
    size_t n = r->s->n_roles;
    s->kind = SELECT_ROLE;
    if (!needs_run_time(r, key, node, "a role is known"))
        return;
    for (size_t i = 0; i < n; i++)
        words[i] = r->s->roles[i].name;
    s->word = read_reference(r, "role", node, words, n);
}

static void read_share(struct reader *r, const struct key *key, const struct node *node,
                       struct selector *s)
{
    const struct key share = {
        .name = "share", .type = KEY_PARAM, .param = PARAM_RATIO, .min = 1, .max = 1000000};
    s->kind = SELECT_SHARE;
    if (needs_run_time(r, key, node, "a share is drawn"))
        read_key(r, &share, node, &s->share);
}

static void read_of(struct reader *r, const struct key *key, const struct node *node,
                    struct selector *s)
{
    read_selector(r, key, node, &s->of);
}

static void read_all_but(struct reader *r, const struct key *key, const struct node *node,
                         struct selector *s)
{
    s->kind = SELECT_ALL_BUT;
    read_selector(r, key, node, &s->of);
}

static const struct {
    const char *word;
    void (*read)(struct reader *, const struct key *, const struct node *, struct selector *);
} forms[] = {
    {"label", read_label}, {"role", read_role}, {"all_but", read_all_but},
    {"share", read_share}, {"of", read_of},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static bool shape_is_right(const struct node *map)
{
    if (map->n == 1)
        return strcmp(map->items[0].key, "of") != 0;
    return map->n == 2 && node_get(map, "share") != NULL && node_get(map, "of") != NULL;
}

static void read_form(struct reader *r, const struct key *key, const struct node *map,
                      struct selector *s)
{
    const char *words[N_FORMS];
    size_t known = 0;
    for (size_t i = 0; i < N_FORMS; i++)
        words[i] = forms[i].word;
    for (size_t i = 0; i < map->n; i++) {
        const char *word = map->items[i].key;
        for (size_t j = 0; j < N_FORMS; j++)
            known += strcmp(forms[j].word, word) == 0;
        if (known != i + 1) {
            reader_unknown(r, map->items[i].key_pos, "there is no way to choose hosts called", word,
                           words, N_FORMS);
            return;
        }
    }
    if (!shape_is_right(map)) {
        reader_problem(r, map->pos,
                       "{label: L}, {role: R}, {all_but: HOSTS} or {share: 30%, of: HOSTS}",
                       "%s: one way to choose hosts is needed", key->name);
        return;
    }
    for (size_t j = 0; j < N_FORMS; j++) {
        const struct node *value = node_get(map, forms[j].word);
        if (value != NULL)
            forms[j].read(r, key, value, s);
    }
}

static bool is_wrong(const struct selector *s, const struct node *node)
{
    size_t names = node->kind == NODE_LIST ? node->n : 1;
    switch (s->kind) {
    case SELECT_NAMES:
        return s->n_names != names;
    case SELECT_LABEL:
    case SELECT_ROLE:
        return s->word == NULL;
    case SELECT_SHARE:
        return s->share.ppm == 0 || (s->of != NULL && s->of->wrong);
    case SELECT_ALL_BUT:
        return s->of == NULL || s->of->wrong;
    case SELECT_ALL:
        break;
    }
    return false;
}

void read_selector(struct reader *r, const struct key *key, const struct node *node,
                   const struct selector **ret)
{
    struct selector *s = reader_alloc(r, 1, sizeof(*s));
    if (s == NULL || node->kind == NODE_BAD)
        return;
    s->pos = node->pos;
    *ret = s;
    if (node->kind == NODE_MAP)
        read_form(r, key, node, s);
    else if (node->kind == NODE_SCALAR && strcmp(node->text, "all") == 0)
        s->kind = SELECT_ALL;
    else if (node_is_empty(node))
        (void)reader_want(r, key, node, NODE_SCALAR);
    else
        read_names(r, key, node, s);
    s->wrong = is_wrong(s, node);
}

size_t reader_count_hosts(struct reader *r, const struct selector *s, bool *chosen)
{
    struct role_holder roles[SCENARIO_ITEMS_MAX];
    bool spare[SCENARIO_HOSTS_MAX];
    struct err err;
    size_t n = 0;
    bool *out = chosen != NULL ? chosen : spare;
    for (size_t i = 0; i < r->s->n_roles; i++)
        roles[i] = (struct role_holder){r->s->roles[i].name, r->hosts[0].name};
    if (selector_resolve(s, r->hosts, r->n_hosts, roles, r->s->n_roles, 0, out, &err) != 0)
        return 0;
    for (size_t i = 0; i < r->n_hosts; i++)
        n += out[i];
    return n;
}
