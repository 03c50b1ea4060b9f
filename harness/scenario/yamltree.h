/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A YAML text as a tree of scalars, lists and maps that know where they stand. Values are texts:
 * what they mean is the reader's business, never the YAML library's. What a person would trip over
 * is refused: aliases, anchors, tags, duplicate keys, keys that are no words, null, more than one
 * document, more than 1 MiB, 32 levels or 50,000 nodes.
 */
#ifndef BLACKSTART_YAMLTREE_H
#define BLACKSTART_YAMLTREE_H

#include "base/arena.h"
#include "scenario/problem.h"

enum { YAMLTREE_MAX = 1 << 20, YAMLTREE_DEPTH_MAX = 32, YAMLTREE_NODES_MAX = 50000 };

enum node_kind {
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
    NODE_BAD /* reported already: readers pass over it */
};

struct node {
    enum node_kind kind;
    struct pos pos;
    const char *text; /* SCALAR: NUL-terminated, no NUL inside */
    bool quoted;      /* SCALAR: not plain */
    size_t n;         /* LIST, MAP */
    struct node_item {
        const char *key; /* MAP */
        struct pos key_pos;
        struct node *value;
    } * items;
};

/*
 * NULL, with at least one problem, when there is no tree. A tree may come with problems too. Nodes
 * live in the arena.
 */
struct node *yamltree_parse(const struct source *source, struct arena *arena,
                            struct problems *problems);

/* The value of a key of a map, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* `key:` with nothing behind it. */
bool node_is_empty(const struct node *node);

/* "a list", for messages. */
const char *node_kind_word(const struct node *node);

#endif
