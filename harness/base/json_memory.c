/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json_memory.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *who = "blackstart";

static void *allocate(size_t size)
{
    static const char why[] = ": no memory is left: the process ends\n";
    void *ret = malloc(size);
    if (ret != NULL || size == 0)
        return ret;
    const struct iovec line[] = {{(void *)(uintptr_t)who, strlen(who)},
                                 {(void *)(uintptr_t)why, sizeof(why) - 1}};
    (void)!writev(STDERR_FILENO, line, 2);
    _exit(3);
}

void json_memory_or_end(const char *program)
{
    who = program;
    json_set_alloc_funcs(allocate, free);
}
