/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that lives and dies together: a loaded scenario and its plan. Allocation beyond the
 * maximum, or when the machine has none left, gives NULL; memory is zeroed and aligned for any
 * type.
 */
#ifndef BLACKSTART_BASE_ARENA_H
#define BLACKSTART_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used, max;
};

#define ARENA_INIT(maximum) ((struct arena){.max = (maximum)})

void *arena_alloc(struct arena *a, size_t size);
void *arena_array(struct arena *a, size_t n, size_t size); /* n * size, checked for overflow */
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_strdup(struct arena *a, const char *s);
void arena_free(struct arena *a);
#define CLEANUP_ARENA __attribute__((cleanup(arena_free)))

#endif
