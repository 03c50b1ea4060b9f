/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that walks a long row of things which mostly wait can be run several times side by
 * side, each with a share of the row: SHARE=2/3 in its environment. Without it, one does all.
 */
#ifndef BLACKSTART_TESTS_SHARE_H
#define BLACKSTART_TESTS_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static inline bool share_has(size_t i)
{
    const char *text = getenv("SHARE");
    char *end = NULL;
    if (text == NULL)
        return true;
    size_t which = strtoul(text, &end, 10), of = *end == '/' ? strtoul(end + 1, NULL, 10) : 1;
    return of == 0 || i % of + 1 == which;
}

#endif
