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

/* A word that can be no host's name, or is a mistyped address rather than a mistyped name. */
static bool is_address(const struct reader *r, const struct key *key, const struct node *node)
{
    if (key->scope != SCOPE_PEERS || node->kind != NODE_SCALAR)
        return false;
    for (size_t i = 0; i < r->n_hosts; i++)
        if (strcmp(r->hosts[i].name, node->text) == 0)
            return false;
    return strpbrk(node->text, ":/") != NULL ||
           (strchr(node->text, '.') != NULL &&
            strspn(node->text, "0123456789.") == strlen(node->text));
}

static void read_address(struct reader *r, const struct key *key, const struct node *node,
                         struct selector *s)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct err err;
    s->kind = SELECT_ADDR;
    if (addr_parse(node->text, &s->addr, &err) != 0) {
        s->wrong = true;
        reader_problem_err(r, node->pos, key->name, &err);
    } else if (s->addr.family == 6 && memcmp(s->addr.ip, mapped, sizeof(mapped)) == 0) {
        s->wrong = true;
        reader_problem(r, node->pos, "write it as IPv4: 10.0.0.1, 10.0.0.0/8",
                       "%s: \"%s\" is IPv4 in the form of IPv6, which no packet bears", key->name,
                       node->text);
    }
}

/* Names and nothing else: of a list, or one. */
static void read_names(struct reader *r, const struct key *key, const struct node *node,
                       struct selector *s)
{
    size_t n = node->kind == NODE_LIST ? node->n : 1;
    const char **names = reader_alloc(r, n, sizeof(*names));
    for (size_t i = 0; names != NULL && i < n; i++) {
        const char *name = read_host(r, key, node->kind == NODE_LIST ? node->items[i].value : node);
        if (name != NULL)
            names[s->n_names++] = name;
    }
    s->kind = SELECT_NAMES;
    s->names = names;
    s->wrong = s->n_names != n;
}

static bool is_all(const struct node *node)
{
    return node->kind == NODE_SCALAR && strcmp(node->text, "all") == 0;
}

static bool is_mixed(const struct reader *r, const struct key *key, const struct node *list)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct node *item = list->items[i].value;
        if (item->kind == NODE_MAP || is_all(item) || is_address(r, key, item))
            return true;
    }
    return false;
}

static void read_one(struct reader *r, const struct key *key, const struct node *node,
                     struct selector *s);

static void read_list(struct reader *r, const struct key *key, const struct node *list,
                      struct selector *s)
{
    size_t max = key->scope == SCOPE_PEERS ? SELECTOR_LIST_MAX : SCENARIO_HOSTS_MAX;
    if (list->n == 0 || list->n > max) {
        s->wrong = true;
        reader_problem(r, list->pos, NULL, "%s: %s", key->name,
                       list->n == 0                ? "at least one host is needed"
                       : key->scope == SCOPE_PEERS ? "more than 256 hosts, addresses and networks"
                                                   : "more hosts than a scenario has");
        return;
    }
    if (!is_mixed(r, key, list)) {
        read_names(r, key, list, s);
        return;
    }
    struct selector *parts = reader_alloc(r, list->n, sizeof(*parts));
    s->kind = SELECT_LIST;
    s->parts = parts;
    s->n_parts = parts != NULL ? list->n : 0;
    for (size_t i = 0; i < s->n_parts; i++) {
        const struct node *item = list->items[i].value;
        if (item->kind == NODE_LIST)
            parts[i].wrong = reader_want(r, key, item, NODE_SCALAR) == NULL;
        else
            read_one(r, key, item, &parts[i]);
        s->wrong = s->wrong || parts[i].wrong;
    }
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

/* Only hosts can be drawn, or left out. */
static void read_of(struct reader *r, const struct key *key, const struct node *node,
                    struct selector *s)
{
    struct key of = *key;
    of.scope = key->scope == SCOPE_PEERS ? SCOPE_ROLES : key->scope;
    read_selector(r, &of, node, &s->of);
}

static void read_all_but(struct reader *r, const struct key *key, const struct node *node,
                         struct selector *s)
{
    s->kind = SELECT_ALL_BUT;
    read_of(r, key, node, s);
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

static bool form_is_wrong(const struct selector *s)
{
    switch (s->kind) {
    case SELECT_LABEL:
    case SELECT_ROLE:
        return s->word == NULL;
    case SELECT_SHARE:
        return s->share.ppm == 0 || (s->of != NULL && s->of->wrong);
    case SELECT_ALL_BUT:
        return s->of == NULL || s->of->wrong;
    default:
        return true; /* no form was read */
    }
}

/* What a list may hold, or stand for itself. */
static void read_one(struct reader *r, const struct key *key, const struct node *node,
                     struct selector *s)
{
    s->pos = node->pos;
    if (node->kind == NODE_MAP) {
        read_form(r, key, node, s);
        s->wrong = form_is_wrong(s);
    } else if (is_all(node)) {
        s->kind = SELECT_ALL;
    } else if (is_address(r, key, node)) {
        read_address(r, key, node, s);
    } else {
        read_names(r, key, node, s);
    }
}

void read_selector(struct reader *r, const struct key *key, const struct node *node,
                   const struct selector **ret)
{
    struct selector *s = reader_alloc(r, 1, sizeof(*s));
    if (s == NULL || node->kind == NODE_BAD)
        return;
    s->pos = node->pos;
    *ret = s;
    if (node_is_empty(node)) {
        (void)reader_want(r, key, node, NODE_SCALAR);
        s->wrong = true;
    } else if (node->kind == NODE_LIST) {
        read_list(r, key, node, s);
    } else {
        read_one(r, key, node, s);
    }
}

void finish_peers(struct reader *r, const struct fault *fault, void *args,
                  const struct selector *peers)
{
    const struct param *p = param_find_hosts(fault->params, fault->n_params);
    const struct selector *one;
    struct err err;
    if (p == NULL || peers == NULL || fault->check == NULL)
        return;
    size_t before = r->problems->n;
    struct addrs *at = (struct addrs *)(void *)((char *)args + p->offset);
    for (size_t k = 0; (one = selector_addr(peers, k)) != NULL; k++) {
        at->n = 1;
        at->a[0] = one->addr;
        if (fault->check(args, &err) != 0)
            reader_problem_err(r, one->pos, NULL, &err);
    }
    at->n = 0;
    for (size_t k = 0; (one = selector_addr(peers, k)) != NULL; k++)
        at->a[at->n++] = one->addr;
    if (at->n > 1 && r->problems->n == before && fault->check(args, &err) != 0)
        reader_problem_err(r, peers->pos, NULL, &err);
    memset(at, 0, sizeof(*at));
}

size_t reader_count_hosts(struct reader *r, const struct selector *s, bool *chosen)
{
    struct role_holder roles[SCENARIO_ITEMS_MAX];
    bool spare[SCENARIO_HOSTS_MAX];
    struct err err;
    size_t n = 0;
    bool *out = chosen != NULL ? chosen : spare;
    if (s->wrong || r->n_hosts == 0)
        return 0;
    for (size_t i = 0; i < r->s->n_roles; i++)
        roles[i] = (struct role_holder){r->s->roles[i].name, r->hosts[0].name};
    if (selector_resolve(s, r->hosts, r->n_hosts, roles, r->s->n_roles, 0, out, &err) != 0)
        return 0;
    for (size_t i = 0; i < r->n_hosts; i++)
        n += out[i];
    return n;
}
