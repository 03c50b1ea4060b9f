/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/probe.h"

#include <string.h>

#define PROBE(row) extern const struct probe_kind probe_##row;
#include "prober/probes.def"
#undef PROBE

static const struct probe_kind *const rows[] = {
#define PROBE(row) &probe_##row,
#include "prober/probes.def"
#undef PROBE
};

const struct probe_catalogue probe_catalogue = {
    .kinds = rows,
    .n = sizeof(rows) / sizeof(rows[0]),
};

const struct probe_kind *probe_kind_find(const char *name)
{
    for (size_t i = 0; i < probe_catalogue.n; i++)
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
    return NULL;
}
