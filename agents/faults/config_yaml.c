/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_key.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

/* A map or a list that has begun. */
struct frame {
    bool map, on; /* on: the keys so far lead here */
    bool at_key;  /* MAP: the next node is a key */
    bool is;      /* MAP: the key before was the one that is looked for */
    size_t i;     /* LIST */
};

struct finder {
    const char *text;
    size_t len;
    const struct names *key;
    struct frame frames[CONFIG_DEPTH_MAX];
    size_t depth;
    size_t open; /* the depth at which the flow collection that was found ends; 0: none is open */
    struct config_span found; /* in characters, as libyaml counts */
    bool is_found, is_block, has_extras;
};

static bool is_word(const yaml_event_t *e, const char *word)
{
    return e->type == YAML_SCALAR_EVENT && e->data.scalar.length == strlen(word) &&
           memcmp(e->data.scalar.value, word, e->data.scalar.length) == 0;
}

/* Does the node that begins here stand where the keys lead? Moves its frame on. */
static bool is_on_path(struct finder *f, const yaml_event_t *e)
{
    if (f->depth == 0)
        return true;
    struct frame *top = &f->frames[f->depth - 1];
    const char *word = f->depth <= f->key->n ? f->key->v[f->depth - 1].s : "";
    if (!top->map) {
        char number[24];
        (void)snprintf(number, sizeof(number), "%zu", top->i++);
        return top->on && strcmp(number, word) == 0;
    }
    top->at_key = !top->at_key;
    if (!top->at_key) {
        top->is = top->on && is_word(e, word);
        return false;
    }
    return top->is;
}

static bool has_extras(const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.anchor != NULL || e->data.sequence_start.tag != NULL;
    if (e->type == YAML_MAPPING_START_EVENT)
        return e->data.mapping_start.anchor != NULL || e->data.mapping_start.tag != NULL;
    return false;
}

static void note_found(struct finder *f, const yaml_event_t *e)
{
    f->is_found = true;
    f->has_extras = has_extras(e);
    f->found = (struct config_span){e->start_mark.index, e->end_mark.index};
    f->is_block = (e->type == YAML_SEQUENCE_START_EVENT &&
                   e->data.sequence_start.style != YAML_FLOW_SEQUENCE_STYLE) ||
                  (e->type == YAML_MAPPING_START_EVENT &&
                   e->data.mapping_start.style != YAML_FLOW_MAPPING_STYLE);
    if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT)
        f->open = f->depth + 1;
}

static int take_event(struct finder *f, const yaml_event_t *e, struct err *err)
{
    bool map = e->type == YAML_MAPPING_START_EVENT;
    if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
        if (f->open == f->depth) {
            f->found.end = e->end_mark.index;
            f->open = 0;
        }
        f->depth--;
        return 0;
    }
    if (e->type != YAML_SCALAR_EVENT && e->type != YAML_ALIAS_EVENT &&
        e->type != YAML_SEQUENCE_START_EVENT && !map)
        return 0;
    bool on = is_on_path(f, e);
    if (on && f->depth == f->key->n)
        note_found(f, e);
    if (e->type != YAML_SEQUENCE_START_EVENT && !map)
        return 0;
    if (f->depth == CONFIG_DEPTH_MAX)
        return make_error(err, ERR_LIMIT, 0, "the file is nested more than %d deep",
                          (int)CONFIG_DEPTH_MAX);
    f->frames[f->depth++] = (struct frame){.map = map, .on = on, .at_key = map};
    return 0;
}

static int walk(struct finder *f, yaml_parser_t *parser, struct err *err)
{
    for (size_t n = 0; n < CONFIG_EVENTS_MAX; n++) {
        yaml_event_t e;
        if (yaml_parser_parse(parser, &e) == 0)
            return make_error(err, ERR_INPUT, 0, "the file is not YAML at line %zu: %s",
                              parser->problem_mark.line + 1,
                              parser->problem != NULL ? parser->problem : "it cannot be read");
        bool end = e.type == YAML_DOCUMENT_END_EVENT || e.type == YAML_STREAM_END_EVENT;
        int rc = take_event(f, &e, err);
        yaml_event_delete(&e);
        if (rc != 0 || end)
            return rc;
    }
    return make_error(err, ERR_LIMIT, 0, "the file has more than %d values",
                      (int)CONFIG_EVENTS_MAX);
}

/* libyaml counts characters, and not the mark at the file's start. */
static size_t byte_of(const char *text, size_t len, size_t characters)
{
    size_t at = 0;
    for (; at < len && characters > 0; characters--)
        for (at++; at < len && ((unsigned char)text[at] & 0xc0) == 0x80;)
            at++;
    return at;
}

/* last: of the key's words, for messages. */
static int judge(const struct finder *f, const char *last, struct err *err)
{
    if (!f->is_found)
        return make_error(err, ERR_NOT_FOUND, 0, "the file has no %s there", last);
    if (f->is_block)
        return make_error(err, ERR_INPUT, 0,
                          "%s is a block of lines: name a single value in it, or use find", last);
    if (f->has_extras)
        return make_error(err, ERR_INPUT, 0, "%s has an anchor or a tag: use find", last);
    return 0;
}

int config_yaml_find(const char *text, size_t len, const struct names *key, struct config_span *ret,
                     struct err *err)
{
    size_t skip = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    struct finder f = {.text = text + skip, .len = len - skip, .key = key};
    yaml_parser_t parser;
    if (!utf8_valid(text, len))
        return make_error(err, ERR_INPUT, 0, "the file is not UTF-8");
    if (yaml_parser_initialize(&parser) == 0)
        return make_error(err, ERR_LIMIT, 0, "out of memory for a YAML file");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)f.text, f.len);
    int rc = walk(&f, &parser, err);
    yaml_parser_delete(&parser);
    if (rc != 0 || judge(&f, key->v[key->n - 1].s, err) != 0)
        return -1;
    size_t start = byte_of(f.text, f.len, f.found.start);
    size_t end = byte_of(f.text, f.len, f.found.end);
    /* A block scalar ends with the line after it. */
    while (end > start && strchr(" \t\r\n", f.text[end - 1]) != NULL)
        end--;
    *ret = (struct config_span){skip + start, skip + end};
    return 0;
}
