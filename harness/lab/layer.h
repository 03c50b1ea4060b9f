/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian packages for labs: downloaded with what they need and the machine lacks, unpacked into a
 * directory of the cache, never installed. A layer is named by its packages' names and versions,
 * built beside its place and renamed into it; two runs at once build it once.
 */
#ifndef BLACKSTART_LAB_LAYER_H
#define BLACKSTART_LAB_LAYER_H

#include "lab/lab.h"

#include <stddef.h>

/* The layer's path, "" when the lab has no packages. cache_dir NULL: the default. */
int layer_open(const struct lab_spec *spec, const char *cache_dir, const struct lab *lab, char *out,
               size_t size, struct err *err) MUST_CHECK;

/* Where layers are kept if nobody says otherwise. */
int layer_cache_dir(char *out, size_t size, struct err *err) MUST_CHECK;

/* Parses what `apt-get --simulate install` prints: "Inst NAME (VERSION ...", in its order, into
 * "NAME=VERSION" words; at most max. Pure. */
struct layer_package {
    char text[192];
};
int layer_parse_plan(const char *plan, struct layer_package *list, size_t max, size_t *ret_n,
                     struct err *err) MUST_CHECK;

#endif
