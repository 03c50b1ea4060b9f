/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all tables of kinds have in common (probes, ledgers): a row has a name, words for people and
 * typed parameters. Whoever reads, lists or explains kinds needs no more than this.
 */
#ifndef BLACKSTART_BASE_KIND_H
#define BLACKSTART_BASE_KIND_H

#include "base/param.h"

#include <stdbool.h>
#include <stddef.h>

/* example: YAML; args_size: of the struct that the parameters fill; lab_only: not on real hosts. */
#define KIND_MEMBERS                                                                               \
    const char *name, *summary, *doc, *example;                                                    \
    size_t args_size;                                                                              \
    const struct param *params;                                                                    \
    size_t n_params;                                                                               \
    bool lab_only;

struct kind {
    KIND_MEMBERS
};

/* The first member of a table's own row: its members by themselves, and all of them as `kind`. */
#define KIND_ROW                                                                                   \
    union {                                                                                        \
        struct kind kind;                                                                          \
        struct {                                                                                   \
            KIND_MEMBERS                                                                           \
        };                                                                                         \
    }

/* A table of kinds. Each of `rows` is the first member of the table's own row. */
struct kinds {
    const char *word;  /* what one is called: "probe" */
    const char *title; /* what stands before a kind's name in the reference page: "ledger ", "" */
    const struct kind *const *rows;
    size_t n;
};

/* NULL: there is none of that name. */
const struct kind *kinds_find(const struct kinds *kinds, const char *name);

#endif
