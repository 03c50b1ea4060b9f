/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories of a test's own, named after its process. What a killed test could not remove, the
 * next one to ask for a directory there does.
 */
#ifndef BLACKSTART_TESTS_SCRATCH_H
#define BLACKSTART_TESTS_SCRATCH_H

#include "base/cleanup.h"
#include "lab/tree.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_PREFIX "blackstart-test-t"

static inline void scratch_sweep(const char *top)
{
    DIR *dir CLEANUP_DIR = opendir(top);
    for (struct dirent *e = NULL; dir != NULL && (e = readdir(dir)) != NULL;) {
        char path[512];
        int pid = 0;
        struct err why;
        if (sscanf(e->d_name, SCRATCH_PREFIX "%d-", &pid) != 1 || pid <= 0 || kill(pid, 0) == 0 ||
            errno != ESRCH)
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", top, e->d_name);
        if (tree_remove(path, &why) != 0) /* its fabric may be at it */
            continue;
    }
}

/* Sweeps top and writes the name of a directory that is not there yet. */
static inline void scratch_name(char *out, size_t size, const char *top, const char *name)
{
    scratch_sweep(top);
    (void)snprintf(out, size, "%s/" SCRATCH_PREFIX "%d-%s", top, (int)getpid(), name);
}

#endif
