/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load/load.h"

#define LOAD(row) extern const struct load_kind load_##row;
#include "load/loads.def"
#undef LOAD

static const struct kind *const rows[] = {
#define LOAD(row) &load_##row.kind,
#include "load/loads.def"
#undef LOAD
};

const struct kinds load_kinds = {
    .word = "load",
    .title = "load ",
    .rows = rows,
    .n = sizeof(rows) / sizeof(rows[0]),
};

const struct load_kind *load_kind_find(const char *name)
{
    return (const struct load_kind *)kinds_find(&load_kinds, name);
}
