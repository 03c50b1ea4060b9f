/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/config_key.h"

#include <stdio.h>
#include <string.h>

struct walk {
    const char *text;
    size_t len, at;
};

static int not_json(const struct walk *w, struct err *err)
{
    return make_error(err, ERR_INPUT, 0, "the file is not JSON at byte %zu", w->at);
}

/* The next byte that is no white space, without taking it; NUL at the end. */
static char peek(struct walk *w)
{
    while (w->at < w->len && strchr(" \t\r\n", w->text[w->at]) != NULL && w->text[w->at] != '\0')
        w->at++;
    if (w->at >= w->len)
        return '\0';
    return w->text[w->at];
}

static int skip_string(struct walk *w, struct err *err)
{
    for (w->at++; w->at < w->len; w->at++) {
        if (w->text[w->at] == '\\')
            w->at++;
        else if (w->text[w->at] == '"') {
            w->at++;
            return 0;
        }
    }
    w->at = w->len;
    return not_json(w, err);
}

static int skip_container(struct walk *w, struct err *err)
{
    unsigned depth = 0;
    do {
        char c = peek(w);
        if (c == '\0')
            return not_json(w, err);
        if (c == '"') {
            if (skip_string(w, err) != 0)
                return -1;
            continue;
        }
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        if (depth > CONFIG_DEPTH_MAX)
            return make_error(err, ERR_LIMIT, 0, "the file is nested more than %d deep",
                              (int)CONFIG_DEPTH_MAX);
        w->at++;
    } while (depth > 0);
    return 0;
}

static int skip_value(struct walk *w, struct err *err)
{
    char c = peek(w);
    size_t start = w->at;
    if (c == '"')
        return skip_string(w, err);
    if (c == '{' || c == '[')
        return skip_container(w, err);
    while (w->at < w->len && strchr(" \t\r\n,:]}[{\"", w->text[w->at]) == NULL)
        w->at++;
    return w->at > start ? 0 : not_json(w, err);
}

/* A member's name and its colon; whether it is the one. */
static int take_name(struct walk *w, const char *name, bool *ret_is, struct err *err)
{
    if (peek(w) != '"')
        return not_json(w, err);
    size_t start = w->at + 1, n = strlen(name);
    if (skip_string(w, err) != 0)
        return -1;
    *ret_is = w->at - 1 - start == n && memcmp(w->text + start, name, n) == 0;
    if (peek(w) != ':')
        return not_json(w, err);
    w->at++;
    return 0;
}

/* From the value of a map or list to the span of the child that is meant. */
static int descend(struct walk *w, const char *name, struct config_span *ret, struct err *err)
{
    bool map = peek(w) == '{', found = false;
    char close = map ? '}' : ']';
    if (!map && peek(w) != '[')
        return make_error(err, ERR_NOT_FOUND, 0, "what should hold %s is neither map nor list",
                          name);
    w->at++;
    for (size_t i = 0; peek(w) != close; i++) {
        char number[24];
        (void)snprintf(number, sizeof(number), "%zu", i);
        bool is = strcmp(number, name) == 0;
        if (map && take_name(w, name, &is, err) != 0)
            return -1;
        (void)peek(w);
        size_t start = w->at;
        if (skip_value(w, err) != 0)
            return -1;
        if (is)
            *ret = (struct config_span){start, w->at};
        found = found || is;
        if (peek(w) == ',')
            w->at++;
        else if (peek(w) != close)
            return not_json(w, err);
    }
    return found ? 0 : make_error(err, ERR_NOT_FOUND, 0, "the file has no %s there", name);
}

int config_json_find(const char *text, size_t len, const struct names *key, struct config_span *ret,
                     struct err *err)
{
    struct walk w = {text, len, 0};
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        w.at = 3;
    *ret = (struct config_span){w.at, len};
    for (uint32_t i = 0; i < key->n; i++) {
        w.at = ret->start;
        w.len = ret->end;
        if (descend(&w, key->v[i].s, ret, err) != 0)
            return -1;
    }
    return 0;
}
