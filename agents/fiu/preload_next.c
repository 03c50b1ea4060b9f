/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/fiu/preload_next.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

struct preload_next preload_next;

/* Stands for a function that this libc does not have: nobody can call it but through us. */
static long absent(void)
{
    errno = ENOSYS;
    return -1;
}

/*
 * dlsym allocates only when it fails, and no name of the list is missing from glibc 2.28 and later:
 * so this is safe even inside the first call of a program's own malloc. Two threads at once write
 * the same values.
 */
void preload_next_find(void)
{
    static const struct {
        const char *name;
        size_t offset;
    } table[] = {
#define PRELOAD_ROW(name) {#name, offsetof(struct preload_next, call_##name)},
        PRELOAD_NEXT(PRELOAD_ROW)
#undef PRELOAD_ROW
    };
    int saved = errno;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        void *found = dlsym(RTLD_NEXT, table[i].name);
        long (*fallback)(void) = absent;
        if (found == NULL)
            memcpy(&found, &fallback, sizeof(found));
        /* One store of a pointer: a thread that looks sees the old or the new one. */
        __atomic_store_n((void **)((char *)&preload_next + table[i].offset), found,
                         __ATOMIC_RELEASE);
    }
    errno = saved;
}
