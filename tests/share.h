/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that walks a long row of things which mostly wait can be run several times side by
 * side, each with a share of the row: SHARE=2/3 in its environment. Without it, one does all. A
 * part of a row of names can be asked for: by a whole name, by a family (`network.`), or all of
 * them ("").
 */
#ifndef BLACKSTART_TESTS_SHARE_H
#define BLACKSTART_TESTS_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static inline bool share_has(size_t i)
{
    const char *text = getenv("SHARE");
    char *end = NULL;
    if (text == NULL)
        return true;
    size_t which = strtoul(text, &end, 10), of = *end == '/' ? strtoul(end + 1, NULL, 10) : 1;
    return of == 0 || i % of + 1 == which;
}

/* asked: the part, NULL when none was asked for. */
static inline bool share_has_name(size_t i, const char *name, const char *asked)
{
    size_t n = asked != NULL ? strlen(asked) : 0;
    bool family = n == 0 || asked[n - 1] == '.';
    if (asked != NULL && (family ? strncmp(name, asked, n) : strcmp(name, asked)) != 0)
        return false;
    return share_has(i);
}

#endif
