/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/scenario_read.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 128, WORDS_SHOWN = 12 };

void reader_problem(struct reader *r, struct pos pos, const char *hint, const char *fmt, ...)
{
    char message[ERR_MSG_MAX];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(message, sizeof(message), fmt, args);
    va_end(args);
    problems_add(r->problems, r->source, pos, hint, "%s", n >= 0 ? message : "");
}

void reader_problem_err(struct reader *r, struct pos pos, const char *key, const struct err *err)
{
    size_t len = strlen(err->msg);
    bool apart = err->hint >= 2 && err->hint < len; /* behind "; " */
    reader_problem(r, pos, apart ? err->msg + err->hint : NULL, "%s%s%.*s", key != NULL ? key : "",
                   key != NULL ? ": " : "", (int)(apart ? err->hint - 2 : len), err->msg);
}

void reader_unknown(struct reader *r, struct pos pos, const char *what, const char *word,
                    const char *const *words, size_t n)
{
    CLEANUP_BUF struct buf hint = BUF_INIT(400);
    const char *near = nearest_word(word, words, n);
    if (near != NULL)
        buf_printf(&hint, "did you mean \"%s\"?", near);
    else if (n == 0)
        buf_puts(&hint, "there is none at all");
    else if (n <= WORDS_SHOWN)
        for (size_t i = 0; i < n; i++)
            buf_printf(&hint, "%s%s", i == 0 ? "known here: " : ", ", words[i]);
    reader_problem(r, pos, hint.len != 0 ? buf_text(&hint) : NULL, "%s \"%s\"", what, word);
}

void *reader_alloc(struct reader *r, size_t n, size_t size)
{
    void *p = arena_array(r->arena, n, size);
    r->no_memory = r->no_memory || p == NULL;
    return p;
}

char *reader_strdup(struct reader *r, const char *text)
{
    char *copy = reader_alloc(r, strlen(text) + 1, 1);
    if (copy != NULL)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
}

const char *reader_path(struct reader *r, const char *path)
{
    const char *slash = strrchr(r->source->file, '/');
    if (path[0] == '/' || slash == NULL)
        return path;
    size_t dir = (size_t)(slash - r->source->file) + 1;
    char *joined = reader_alloc(r, dir + strlen(path) + 1, 1);
    if (joined == NULL)
        return path;
    memcpy(joined, r->source->file, dir);
    memcpy(joined + dir, path, strlen(path) + 1);
    return joined;
}

const struct node *reader_want(struct reader *r, const struct key *key, const struct node *node,
                               enum node_kind kind)
{
    static const char *const words[] = {"a value", "a list", "a map", ""};
    if (node->kind == kind && !(kind == NODE_SCALAR && node_is_empty(node)))
        return node;
    const char *hint =
        kind == NODE_LIST && node->kind == NODE_MAP ? "begin each item with \"- \"" : NULL;
    if (node->kind != NODE_BAD)
        reader_problem(r, node->pos, hint, "%s: expected %s, found %s", key->name, words[kind],
                       node_kind_word(node));
    return NULL;
}

static struct param key_param(const struct key *key, enum param_type type)
{
    return (struct param){.name = key->name,
                          .type = type,
                          .min = key->min,
                          .max = key->max,
                          .choices = key->choices,
                          .def = key->def,
                          .doc = key->doc};
}

static void parse_scalar(struct reader *r, const struct key *key, enum param_type type,
                         const struct node *node, void *at)
{
    struct err err;
    struct param p = key_param(key, type);
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return;
    if (param_parse(&p, node->text, at, &err) != 0)
        reader_problem_err(r, node->pos, key->name, &err);
}

static void read_count(struct reader *r, const struct key *key, const struct node *node,
                       uint32_t *ret)
{
    int64_t value = *ret;
    parse_scalar(r, key, PARAM_INT, node, &value);
    *ret = (uint32_t)value;
}

/* A text; of what type, and so with which rules, `check` says (PARAM_TEXT: any). */
static const char *read_text(struct reader *r, const struct key *key, enum param_type check,
                             const struct node *node)
{
    union {
        struct name name;
        struct path path;
    } spare;
    if (reader_want(r, key, node, NODE_SCALAR) == NULL)
        return NULL;
    if (check != PARAM_TEXT)
        parse_scalar(r, key, check, node, &spare);
    return node->text;
}

static void read_texts(struct reader *r, const struct key *key, enum param_type check,
                       const struct node *node, const char *const **ret, size_t *ret_n)
{
    size_t n = node->kind == NODE_LIST ? node->n : 1;
    if (node->kind == NODE_MAP || node_is_empty(node)) {
        (void)reader_want(r, key, node, NODE_LIST);
        return;
    }
    if (n > SCENARIO_ITEMS_MAX) {
        reader_problem(r, node->pos, NULL, "%s: more than %d items", key->name, SCENARIO_ITEMS_MAX);
        return;
    }
    const char **list = reader_alloc(r, n + 1, sizeof(*list));
    for (size_t i = 0; list != NULL && i < n; i++)
        list[i] = read_text(r, key, check, node->kind == NODE_LIST ? node->items[i].value : node);
    *ret = list;
    *ret_n = list != NULL ? n : 0;
}

static void set_pos_and_name(const struct section *section, const struct node_item *item, void *at)
{
    char *base = at;
    if (section->has_name)
        memcpy(base + section->name_at, &item->key, sizeof(item->key));
    if (section->has_pos)
        memcpy(base + section->pos_at, item->key != NULL ? &item->key_pos : &item->value->pos,
               sizeof(struct pos));
}

static void check_name(struct reader *r, const struct section *section,
                       const struct node_item *item)
{
    struct err err;
    struct path spare;
    bool path = section->name_type == PARAM_PATH;
    struct param p = {.name = section->name, .type = path ? PARAM_PATH : PARAM_NAME};
    if (section->has_name && param_parse(&p, item->key, &spare, &err) != 0)
        reader_problem_err(r, item->key_pos, section->name, &err);
}

/* KEY_MAP and KEY_LIST: an array of the section's struct. */
static void read_items(struct reader *r, const struct key *key, const struct node *node, void **ret,
                       size_t *ret_n)
{
    const struct section *section = key->section;
    if (reader_want(r, key, node, key->type == KEY_MAP ? NODE_MAP : NODE_LIST) == NULL)
        return;
    if (node->n > SCENARIO_ITEMS_MAX || (key->max != 0 && (int64_t)node->n > key->max)) {
        reader_problem(r, node->pos, NULL, "%s: more than %d of them", key->name,
                       key->max != 0 ? (int)key->max : SCENARIO_ITEMS_MAX);
        return;
    }
    if (node->n == 0 && key->required)
        reader_problem(r, node->pos, NULL, "%s: at least one is needed", key->name);
    char *items = reader_alloc(r, node->n, section->size);
    for (size_t i = 0; items != NULL && i < node->n; i++) {
        check_name(r, section, &node->items[i]);
        set_pos_and_name(section, &node->items[i], items + i * section->size);
        read_section(r, section, node->items[i].value, items + i * section->size);
    }
    *ret = items;
    *ret_n = items != NULL ? node->n : 0;
}

void read_key(struct reader *r, const struct key *key, const struct node *node, void *base)
{
    char *at = (char *)base + key->offset;
    size_t *count = (size_t *)(void *)((char *)base + key->count);
    static const enum param_type checks[] = {
        [KEY_TEXT] = PARAM_TEXT,  [KEY_NAME] = PARAM_NAME,  [KEY_PATH] = PARAM_PATH,
        [KEY_TEXTS] = PARAM_TEXT, [KEY_NAMES] = PARAM_NAME, [KEY_PATHS] = PARAM_PATH,
    };
    switch (key->type) {
    case KEY_PARAM:
        parse_scalar(r, key, key->param, node, at);
        break;
    case KEY_COUNT:
        read_count(r, key, node, (uint32_t *)(void *)at);
        break;
    case KEY_TEXT:
    case KEY_NAME:
    case KEY_PATH:
        *(const char **)(void *)at = read_text(r, key, checks[key->type], node);
        break;
    case KEY_TEXTS:
    case KEY_NAMES:
    case KEY_PATHS:
        read_texts(r, key, checks[key->type], node, (const char *const **)(void *)at, count);
        break;
    case KEY_COMMAND:
        read_command(r, key, node, (const char *const **)(void *)at, count);
        break;
    case KEY_SELECTOR:
        read_selector(r, key, node, (const struct selector **)(void *)at);
        break;
    case KEY_SECTION:
        read_section(r, key->section, node, at);
        break;
    case KEY_MAP:
    case KEY_LIST:
        read_items(r, key, node, (void **)(void *)at, count);
        break;
    case KEY_KIND:
        read_kind(r, key, node, (const struct kind **)(void *)at);
        break;
    case KEY_CUSTOM:
        key->read(r, key, node, at);
        break;
    }
}

static void put_default(const struct key *key, void *base)
{
    struct err err;
    char *at = (char *)base + key->offset;
    struct param p = key_param(key, key->type == KEY_COUNT ? PARAM_INT : key->param);
    int64_t count = 0;
    /* A section that is not written has its defaults; one of several that exclude each other has
     * none. */
    for (size_t i = 0; key->type == KEY_SECTION && key->group == 0 && i < key->section->n_keys; i++)
        put_default(&key->section->keys[i], at);
    if (key->def == NULL || (key->type != KEY_PARAM && key->type != KEY_COUNT))
        return;
    if (param_parse(&p, key->def, key->type == KEY_COUNT ? (void *)&count : at, &err) != 0)
        return;
    if (key->type == KEY_COUNT)
        *(uint32_t *)(void *)at = (uint32_t)count;
}

static const struct key *key_find(const struct section *section, const char *name)
{
    for (size_t i = 0; i < section->n_keys; i++)
        if (strcmp(section->keys[i].name, name) == 0)
            return &section->keys[i];
    return NULL;
}

static bool has_extras(const struct section *section)
{
    return section->extras != NULL || section_kinds(section) != NULL;
}

const char *reader_title(const struct section *section, const struct node *node, char *out)
{
    const struct node *kind = has_extras(section) ? node_get(node, section->keys[0].name) : NULL;
    if (kind != NULL && kind->kind == NODE_SCALAR)
        (void)snprintf(out, READER_TITLE, "%s %s", section->name, kind->text);
    else
        (void)snprintf(out, READER_TITLE, "%s", section->name);
    return out;
}

/* What stands behind a misspelt key is read as the nearest one's, so that its mistakes are told in
 * the same round. */
static void read_misspelt(struct reader *r, const struct section *section, const char *const *words,
                          size_t n, const struct node_item *item)
{
    const char *near = nearest_word(item->key, words, n);
    const struct key *key = near != NULL ? key_find(section, near) : NULL;
    bool plain = key != NULL && (key->type == KEY_SECTION || key->type == KEY_PARAM);
    if (!plain || section->size == 0)
        return;
    void *scratch = reader_alloc(r, 1, section->size);
    if (scratch != NULL)
        read_key(r, key, item->value, scratch);
}

static void check_keys(struct reader *r, const struct section *section, const struct node *node)
{
    char title[READER_TITLE];
    const char *words[WORDS_MAX];
    const struct param *params = NULL;
    size_t n = 0, n_params = 0;
    bool known = !has_extras(section) || section_extras(r, section, node, &params, &n_params);
    for (size_t i = 0; i < section->n_keys && n < WORDS_MAX; i++)
        words[n++] = section->keys[i].name;
    if (section->variants && r->s->n_variants != 0 && n < WORDS_MAX)
        words[n++] = variants_only.name;
    for (size_t i = 0; i < n_params && n < WORDS_MAX; i++)
        words[n++] = params[i].name;
    char what[READER_TITLE + 20];
    (void)snprintf(what, sizeof(what), "%s has no key", reader_title(section, node, title));
    for (size_t i = 0; i < node->n; i++) {
        const char *key = node->items[i].key;
        if (key_find(section, key) != NULL || param_find(params, n_params, key) != NULL ||
            (!known && section_any_extra(r, section, key)))
            continue;
        CLEANUP_BUF struct buf hint = BUF_INIT(400);
        if (step_kinds_with(section, key, &hint)) {
            reader_problem(r, node->items[i].key_pos, buf_text(&hint), "%s \"%s\"", what, key);
            continue;
        }
        reader_unknown(r, node->items[i].key_pos, what, key, words, n);
        read_misspelt(r, section, words, n, &node->items[i]);
    }
}

static void put_word(struct buf *out, const char *word, const char *quote)
{
    buf_printf(out, "%s%s%s%s", out->len != 0 ? ", " : "", quote, word, quote);
}

static const char *missing_params(struct reader *r, const struct section *section,
                                  const struct node *node, struct buf *out)
{
    const struct param *params = NULL;
    const char *doc = NULL;
    size_t n = 0;
    if (has_extras(section))
        (void)section_extras(r, section, node, &params, &n);
    for (size_t i = 0; i < n; i++)
        if (params[i].required && node_get(node, params[i].name) == NULL) {
            put_word(out, params[i].name, "\"");
            doc = params[i].doc;
        }
    return doc;
}

/* All that is missing in one message, so that one place has one. */
static void check_missing(struct reader *r, const struct section *section, const struct node *node)
{
    CLEANUP_BUF struct buf missing = BUF_INIT(ERR_MSG_MAX);
    CLEANUP_BUF struct buf choice = BUF_INIT(ERR_MSG_MAX);
    char title[READER_TITLE];
    bool chosen = !section->one_of;
    for (size_t i = 0; i < section->n_keys; i++) {
        const struct key *key = &section->keys[i];
        bool there = node_get(node, key->name) != NULL;
        chosen = chosen || (there && key->group == 1);
        if (key->required && !there)
            put_word(&missing, key->name, "\"");
        if (key->group == 1)
            put_word(&choice, key->name, "");
    }
    const char *doc = missing_params(r, section, node, &missing);
    if (!chosen)
        reader_problem(r, node->pos, doc, "%s needs %s%sone of %s",
                       reader_title(section, node, title), buf_text(&missing),
                       missing.len != 0 ? ", and " : "", buf_text(&choice));
    else if (missing.len != 0)
        reader_problem(r, node->pos, doc, "%s needs %s", reader_title(section, node, title),
                       buf_text(&missing));
}

/* Of the keys of a group at most one. */
static void check_groups(struct reader *r, const struct section *section, const struct node *node)
{
    const struct node_item *first = NULL;
    for (size_t i = 0; i < node->n; i++) {
        const struct key *key = key_find(section, node->items[i].key);
        if (key == NULL || key->group == 0)
            continue;
        const struct key *other = first != NULL ? key_find(section, first->key) : NULL;
        if (other != NULL && other->group == key->group)
            reader_problem(r, node->items[i].key_pos, NULL,
                           "%s: \"%s\" and \"%s\" exclude each other", section->name, first->key,
                           key->name);
        if (key->group == 1 || first == NULL)
            first = &node->items[i];
    }
}

static void read_keys(struct reader *r, const struct section *section, const struct node *node,
                      void *at)
{
    for (size_t i = 0; i < section->n_keys; i++) {
        const struct key *key = &section->keys[i];
        const struct node *value = node_get(node, key->name);
        put_default(key, at);
        if (value != NULL)
            read_key(r, key, value, at);
    }
}

/* The shorthand: a value alone stands for a map with one key. */
static bool read_short(struct reader *r, const struct section *section, const struct node *node,
                       void *at)
{
    if (section->shorthand == NULL || node->kind == NODE_MAP || node_is_empty(node))
        return false;
    struct node_item item = {
        .key = section->shorthand, .key_pos = node->pos, .value = (struct node *)(uintptr_t)node};
    struct node map = {.kind = NODE_MAP, .pos = node->pos, .n = 1, .items = &item};
    read_keys(r, section, &map, at);
    if (section->finish != NULL)
        section->finish(r, &map, at);
    return true;
}

void read_section(struct reader *r, const struct section *section, const struct node *node,
                  void *at)
{
    const struct key as_key = {.name = section->name};
    struct node empty = {.kind = NODE_MAP, .pos = node->pos};
    if (read_short(r, section, node, at))
        return;
    if (section->may_be_empty && node_is_empty(node))
        node = &empty;
    if (reader_want(r, &as_key, node, NODE_MAP) == NULL)
        return;
    check_keys(r, section, node);
    check_groups(r, section, node);
    check_missing(r, section, node);
    read_keys(r, section, node, at);
    if (section->finish != NULL)
        section->finish(r, node, at);
}

/* The section that names them is wrong, and that is reported already. */
static bool is_unsure(const struct reader *r, const char *what, size_t n)
{
    const bool hosts = r->hosts_unsure || r->n_hosts == 0;
    return (strcmp(what, "host") == 0 && hosts) ||
           (strcmp(what, "label") == 0 && (hosts || r->labels_unsure)) ||
           (strcmp(what, "service") == 0 && r->services_unsure) ||
           (strcmp(what, "probe") == 0 && n == 0 && r->problems->n != 0);
}

const char *read_reference(struct reader *r, const char *what, const struct node *node,
                           const char *const *words, size_t n)
{
    const struct key as_key = {.name = what};
    if (reader_want(r, &as_key, node, NODE_SCALAR) == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], node->text) == 0)
            return words[i];
    char no[READER_TITLE];
    (void)snprintf(no, sizeof(no), "there is no %s", what);
    if (!is_unsure(r, what, n))
        reader_unknown(r, node->pos, no, node->text, words, n);
    return NULL;
}
