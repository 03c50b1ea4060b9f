/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/worker.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_socket(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

int worker_arguments(int argc, char **argv, const char *name, const char *what)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        (void)printf("%s %s", name, what);
        return 0;
    }
    if (argc == 1 && is_socket(0))
        return -1;
    (void)fprintf(stderr, "%s is started by blackstart run; see %s --help\n", name, name);
    return 2;
}
