/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lab/place.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int place_find(const struct place *place, char *out, size_t size, struct err *err)
{
    const char *xdg = getenv(place->xdg), *home = getenv("HOME");
    int n;
    if (geteuid() == 0)
        n = snprintf(out, size, "%s", place->root);
    else if (xdg != NULL && xdg[0] == '/')
        n = snprintf(out, size, "%s/%s", xdg, place->beneath_xdg);
    else if (home == NULL || home[0] != '/')
        return make_error(err, ERR_INPUT, 0,
                          "HOME is not set: %s have no place; set HOME, or %s to a directory of "
                          "yours",
                          place->what, place->xdg);
    else
        n = snprintf(out, size, "%s/%s", home, place->beneath_home);
    if (n < 0 || (size_t)n >= size)
        return make_error(err, ERR_LIMIT, 0, "the path for %s is too long", place->what);
    if (geteuid() != 0 && access(out, F_OK) != 0 && (xdg == NULL || xdg[0] != '/') &&
        access(home, W_OK) != 0)
        return make_error(err, ERR_INPUT, 0,
                          "HOME is %s, where you cannot write: %s have no place; set HOME, or %s "
                          "to a directory of yours",
                          home, place->what, place->xdg);
    return 0;
}

int place_programs(char *out, size_t size, struct err *err)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1);
    if (n < 0)
        return make_error(err, ERR_SYSTEM, errno, "/proc/self/exe");
    if ((size_t)n == size - 1)
        return make_error(err, ERR_LIMIT, 0, "the path of this program is too long");
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL)
        *slash = '\0';
    return 0;
}

int place_path(char out[PATH_MAX], struct err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(out, PATH_MAX, fmt, args);
    va_end(args);
    if (n < 0 || n >= PATH_MAX)
        return make_error(err, ERR_LIMIT, 0, "a path beneath %.40s... is too long", out);
    return 0;
}
