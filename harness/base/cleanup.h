/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ownership that can be seen: a variable marked CLEANUP_... is released when its scope ends, and
 * steal_...() hands the thing over and leaves the variable empty.
 */
#ifndef BLACKSTART_BASE_CLEANUP_H
#define BLACKSTART_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn), unused))

static inline void cleanup_free_at(void *p)
{
    free(*(void **)p);
}

static inline void cleanup_fd_at(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void cleanup_file_at(FILE **f)
{
    if (*f != NULL)
        (void)fclose(*f);
}

static inline void cleanup_dir_at(DIR **d)
{
    if (*d != NULL)
        (void)closedir(*d);
}

#define CLEANUP_FREE CLEANUP(cleanup_free_at)
#define CLEANUP_FD   CLEANUP(cleanup_fd_at)
#define CLEANUP_FILE CLEANUP(cleanup_file_at)
#define CLEANUP_DIR  CLEANUP(cleanup_dir_at)

static inline int steal_fd(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static inline void *steal_ptr_at(void **p)
{
    void *taken = *p;
    *p = NULL;
    return taken;
}
#define steal_ptr(p) ((__typeof__(*(p)))steal_ptr_at((void **)(p)))

#endif
