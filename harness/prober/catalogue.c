/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "prober/probe.h"

#define PROBE(row) extern const struct probe_kind probe_##row;
#include "prober/probes.def"
#undef PROBE

static const struct kind *const rows[] = {
#define PROBE(row) &probe_##row.kind,
#include "prober/probes.def"
#undef PROBE
};

const struct kinds probe_kinds = {
    .word = "probe",
    .title = "",
    .rows = rows,
    .n = sizeof(rows) / sizeof(rows[0]),
};

const struct probe_kind *probe_kind_find(const char *name)
{
    return (const struct probe_kind *)kinds_find(&probe_kinds, name);
}
