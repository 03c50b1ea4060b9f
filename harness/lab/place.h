/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things of ours lie on this machine: labs' state, cached packages, our own programs; and
 * paths put together. Makes and opens nothing.
 */
#ifndef BLACKSTART_LAB_PLACE_H
#define BLACKSTART_LAB_PLACE_H

#include "base/err.h"

#include <limits.h>
#include <stddef.h>

struct place {
    const char *what; /* "labs": for messages */
    const char *root; /* for root */
    const char *xdg, *beneath_xdg;
    const char *beneath_home;
};

/* root's place, or below the directory in the variable `xdg`, or below HOME. An error says which
 * variable to set. */
int place_find(const struct place *place, char *out, size_t size, struct err *err) MUST_CHECK;

/* The directory of the running program: blackstart-agent, blackstart-prober and the preload library
 * lie beside it. */
int place_programs(char *out, size_t size, struct err *err) MUST_CHECK;

int place_path(char out[PATH_MAX], struct err *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4) MUST_CHECK;

#endif
