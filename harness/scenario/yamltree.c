/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scenario/yamltree.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct builder {
    yaml_parser_t parser;
    const struct source *source;
    struct arena *arena;
    struct problems *problems;
    size_t nodes;
};

static struct pos pos_of(yaml_mark_t mark)
{
    return (struct pos){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static bool line_has(const struct source *source, uint32_t line, const char *what)
{
    const char *s = source->text, *end = s + source->len;
    for (uint32_t i = 1; i < line && s != NULL; i++) {
        s = memchr(s, '\n', (size_t)(end - s));
        s = s != NULL ? s + 1 : NULL;
    }
    if (s == NULL)
        return false;
    const char *newline = memchr(s, '\n', (size_t)(end - s));
    return memmem(s, (size_t)((newline != NULL ? newline : end) - s), what, strlen(what)) != NULL;
}

/* What is never closed is shown where it was opened, not at the end of the file. */
enum open_end { OPEN_NOT, OPEN_QUOTE, OPEN_BRACKET /* when the mistake is on another line */ };

static void report_word(struct builder *b, enum open_end open, const char *message,
                        const char *hint)
{
    const yaml_parser_t *p = &b->parser;
    bool bracket = open == OPEN_BRACKET && p->context_mark.line != p->problem_mark.line;
    bool opened = bracket || open == OPEN_QUOTE;
    problems_add(b->problems, b->source, pos_of(opened ? p->context_mark : p->problem_mark), hint,
                 "%s", bracket ? "a bracket that is never closed" : message);
}

/* The library's words, said so that a person knows what to do. */
static void report_syntax(struct builder *b)
{
    static const struct {
        enum open_end open;
        const char *problem, *line_has, *message, *hint;
    } words[] = {
        {OPEN_NOT, "found character that cannot start any token", "\t",
         "a tab stands where a value begins", "indent with spaces"},
        {OPEN_NOT, "found character that cannot start any token", "@",
         "a value must not begin with @ or `", "put it in quotes"},
        {OPEN_NOT, "found character that cannot start any token", "%",
         "a value must not begin with %", "put it in quotes"},
        {OPEN_NOT, "mapping values are not allowed in this context", "",
         "a second \": \" on this line",
         "put a text with \": \" in it in quotes, or indent this line as its neighbours"},
        {OPEN_NOT, "did not find expected ',' or '}'", "${",
         "a variable between { } must stand in quotes", "write \"${name}\""},
        {OPEN_NOT, "did not find expected ',' or ']'", "${",
         "a variable between [ ] must stand in quotes", "write \"${name}\""},
        {OPEN_BRACKET, "did not find expected ',' or '}'", "", "a comma or } is missing here",
         NULL},
        {OPEN_BRACKET, "did not find expected ',' or ']'", "", "a comma or ] is missing here",
         NULL},
        {OPEN_NOT, "could not find expected ':'", "", "a key without its colon",
         "write key: value"},
        {OPEN_NOT, "did not find expected key", "", "neither a key nor the end of this block",
         "look at the indentation of this line and the one before"},
        {OPEN_NOT, "did not find expected '-' indicator", "",
         "neither an item nor the end of this list",
         "look at the indentation of this line and the one before"},
        {OPEN_QUOTE, "found unexpected end of stream", "", "a quote that is never closed", NULL},
    };
    const yaml_parser_t *p = &b->parser;
    struct pos pos = pos_of(p->problem_mark);
    const char *problem = p->problem != NULL ? p->problem : "not YAML";
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].problem, problem) == 0 &&
            (words[i].line_has[0] == '\0' || line_has(b->source, pos.line, words[i].line_has))) {
            report_word(b, words[i].open, words[i].message, words[i].hint);
            return;
        }
    problems_add(b->problems, b->source, pos, NULL, "not YAML: %s", problem);
}

/* Before the library sees them: bytes that are no text, said with their place. */
static bool check_text(const struct source *source, struct problems *problems)
{
    struct pos pos = {1, 1};
    for (size_t i = source_mark(source); i < source->len;) {
        uint32_t c = 0;
        size_t n = utf8_decode(source->text + i, source->len - i, &c);
        bool control = (c < 0x20 && c != '\n' && c != '\t' && c != '\r') ||
                       (c >= 0x7f && c < 0xa0 && c != 0x85);
        if (n == 0 || control) {
            problems_add(problems, source, pos, NULL,
                         n == 0 ? "not UTF-8" : "a control character (0x%02x)", c);
            return false;
        }
        pos.col++;
        if (c == '\n')
            pos = (struct pos){pos.line + 1, 1};
        i += n;
    }
    return true;
}

static struct node *bad_node(struct builder *b, struct pos pos)
{
    struct node *node = arena_alloc(b->arena, sizeof(*node));
    if (node != NULL)
        *node = (struct node){.kind = NODE_BAD, .pos = pos};
    return node;
}

static bool next_event(struct builder *b, yaml_event_t *event)
{
    if (yaml_parser_parse(&b->parser, event) == 1)
        return true;
    report_syntax(b);
    return false;
}

static void refuse_extras(struct builder *b, const char *anchor, const char *tag, struct pos pos)
{
    if (anchor != NULL)
        problems_add(b->problems, b->source, pos, "write the value out, or use a variable: ${name}",
                     "anchors are not taken (&%s)", anchor);
    if (tag != NULL) {
        static const char core[] = "tag:yaml.org,2002:";
        bool is_core = strncmp(tag, core, sizeof(core) - 1) == 0;
        problems_add(b->problems, b->source, pos, "leave the tag out", "tags are not taken (%s%s)",
                     is_core ? "!!" : "", is_core ? tag + sizeof(core) - 1 : tag);
    }
}

static struct node *scalar_node(struct builder *b, const yaml_event_t *event)
{
    struct pos pos = pos_of(event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    size_t len = event->data.scalar.length;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    refuse_extras(b, (const char *)event->data.scalar.anchor, (const char *)event->data.scalar.tag,
                  pos);
    if (memchr(text, '\0', len) != NULL) {
        problems_add(b->problems, b->source, pos, NULL, "a text must not contain a NUL");
        return bad_node(b, pos);
    }
    if (plain && (strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0)) {
        problems_add(b->problems, b->source, pos, "leave the key out, or put the word in quotes",
                     "null is not taken");
        return bad_node(b, pos);
    }
    struct node *node = arena_alloc(b->arena, sizeof(*node));
    char *copy = arena_strndup(b->arena, text, len);
    if (node == NULL || copy == NULL)
        return NULL;
    *node = (struct node){.kind = NODE_SCALAR, .pos = pos, .text = copy, .quoted = !plain};
    return node;
}

static struct node_item *add_item(struct builder *b, struct node *node, size_t *cap)
{
    if (node->n == *cap) {
        size_t more = *cap != 0 ? *cap * 2 : 4;
        struct node_item *items = arena_array(b->arena, more, sizeof(*items));
        if (items == NULL)
            return NULL;
        if (node->n != 0)
            memcpy(items, node->items, node->n * sizeof(*items));
        node->items = items;
        *cap = more;
    }
    return &node->items[node->n++];
}

static struct node *build(struct builder *b, const yaml_event_t *event, unsigned depth);

/* The value that follows; NULL when there can be no tree. */
static struct node *build_next(struct builder *b, unsigned depth)
{
    yaml_event_t event;
    if (!next_event(b, &event))
        return NULL;
    struct node *node = build(b, &event, depth);
    yaml_event_delete(&event);
    return node;
}

static bool add_pair(struct builder *b, struct node *map, size_t *cap, const struct node *key,
                     struct node *value)
{
    if (key->kind != NODE_SCALAR || key->text[0] == '\0') {
        if (key->kind != NODE_BAD)
            problems_add(b->problems, b->source, key->pos, NULL, "a key must be a word");
        return true;
    }
    if (strcmp(key->text, "<<") == 0) {
        problems_add(b->problems, b->source, key->pos, "write the keys out",
                     "merge keys are not taken");
        return true;
    }
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->items[i].key, key->text) == 0) {
            problems_add(b->problems, b->source, key->pos, NULL,
                         "the key \"%s\" stands here twice; first on line %u", key->text,
                         map->items[i].key_pos.line);
            return true;
        }
    struct node_item *item = add_item(b, map, cap);
    if (item != NULL)
        *item = (struct node_item){key->text, key->pos, value};
    return item != NULL;
}

static bool build_items(struct builder *b, struct node *node, unsigned depth)
{
    size_t cap = 0;
    yaml_event_type_t end =
        node->kind == NODE_MAP ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    for (;;) {
        yaml_event_t event;
        if (!next_event(b, &event))
            return false;
        bool last = event.type == end;
        struct node *child = last ? NULL : build(b, &event, depth + 1);
        yaml_event_delete(&event);
        if (last)
            return true;
        if (child == NULL)
            return false;
        if (node->kind == NODE_MAP) {
            struct node *value = build_next(b, depth + 1);
            if (value == NULL || !add_pair(b, node, &cap, child, value))
                return false;
            continue;
        }
        struct node_item *item = add_item(b, node, &cap);
        if (item == NULL)
            return false;
        *item = (struct node_item){.value = child};
    }
}

static struct node *build_collection(struct builder *b, const yaml_event_t *event, unsigned depth)
{
    bool map = event->type == YAML_MAPPING_START_EVENT;
    struct pos pos = pos_of(event->start_mark);
    const yaml_char_t *anchor =
        map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    refuse_extras(b, (const char *)anchor, (const char *)tag, pos);
    if (depth > YAMLTREE_DEPTH_MAX) {
        problems_add(b->problems, b->source, pos, NULL, "nested deeper than %d levels",
                     YAMLTREE_DEPTH_MAX);
        return NULL;
    }
    struct node *node = arena_alloc(b->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    *node = (struct node){.kind = map ? NODE_MAP : NODE_LIST, .pos = pos};
    return build_items(b, node, depth) ? node : NULL;
}

static struct node *build(struct builder *b, const yaml_event_t *event, unsigned depth)
{
    struct pos pos = pos_of(event->start_mark);
    if (++b->nodes > YAMLTREE_NODES_MAX) {
        problems_add(b->problems, b->source, pos, NULL, "more than %d values", YAMLTREE_NODES_MAX);
        return NULL;
    }
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return scalar_node(b, event);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return build_collection(b, event, depth);
    case YAML_ALIAS_EVENT:
        problems_add(b->problems, b->source, pos, "write the value out, or use a variable: ${name}",
                     "aliases are not taken (*%s)", (const char *)event->data.alias.anchor);
        return bad_node(b, pos);
    default:
        problems_add(b->problems, b->source, (struct pos){0, 0}, NULL, "the file has no content");
        return NULL;
    }
}

/* Only comments and the end may follow. */
static void check_end(struct builder *b)
{
    yaml_event_t event;
    for (;;) {
        if (!next_event(b, &event))
            return;
        yaml_event_type_t type = event.type;
        struct pos pos = pos_of(event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_DOCUMENT_START_EVENT)
            problems_add(b->problems, b->source, pos, NULL, "a second document in the file");
        if (type != YAML_DOCUMENT_END_EVENT)
            return;
    }
}

static struct node *build_document(struct builder *b)
{
    for (;;) {
        yaml_event_t event;
        if (!next_event(b, &event))
            return NULL;
        yaml_event_type_t type = event.type;
        bool goes_on = type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_START_EVENT;
        struct node *root = goes_on ? NULL : build(b, &event, 1);
        yaml_event_delete(&event);
        if (goes_on)
            continue;
        if (root != NULL)
            check_end(b);
        return root;
    }
}

struct node *yamltree_parse(const struct source *source, struct arena *arena,
                            struct problems *problems)
{
    struct builder b = {.source = source, .arena = arena, .problems = problems};
    if (source->len > YAMLTREE_MAX) {
        problems_add(problems, source, (struct pos){0, 0}, NULL, "larger than 1 MiB");
        return NULL;
    }
    if (!check_text(source, problems))
        return NULL;
    if (yaml_parser_initialize(&b.parser) != 1) {
        problems_add(problems, source, (struct pos){0, 0}, NULL, "no memory to read it");
        return NULL;
    }
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    /* The library counts a byte order mark as a column, and takes what follows for indented. */
    size_t mark = source_mark(source);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text + mark,
                                 source->len - mark);
    struct node *root = build_document(&b);
    yaml_parser_delete(&b.parser);
    if (root == NULL && problems->n == 0)
        problems_add(problems, source, (struct pos){0, 0}, NULL, "no memory to read it");
    return root;
}

const struct node *node_get(const struct node *map, const char *key)
{
    for (size_t i = 0; map->kind == NODE_MAP && i < map->n; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return map->items[i].value;
    return NULL;
}

bool node_is_empty(const struct node *node)
{
    return node->kind == NODE_SCALAR && !node->quoted && node->text[0] == '\0';
}

const char *node_kind_word(const struct node *node)
{
    static const char *const words[] = {"a value", "a list", "a map", "nothing"};
    return node_is_empty(node) ? "nothing" : words[node->kind];
}
