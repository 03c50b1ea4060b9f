/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/ledger.h"

#define LEDGER(row) extern const struct ledger_kind ledger_##row;
#include "ledger/ledgers.def"
#undef LEDGER

static const struct kind *const rows[] = {
#define LEDGER(row) &ledger_##row.kind,
#include "ledger/ledgers.def"
#undef LEDGER
};

const struct kinds ledger_kinds = {
    .word = "ledger",
    .title = "ledger ",
    .rows = rows,
    .n = sizeof(rows) / sizeof(rows[0]),
};

const struct ledger_kind *ledger_kind_find(const char *name)
{
    return (const struct ledger_kind *)kinds_find(&ledger_kinds, name);
}
