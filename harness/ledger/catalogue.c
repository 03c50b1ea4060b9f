/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger/ledger.h"

#include <string.h>

#define LEDGER(row) extern const struct ledger_kind ledger_##row;
#include "ledger/ledgers.def"
#undef LEDGER

static const struct ledger_kind *const rows[] = {
#define LEDGER(row) &ledger_##row,
#include "ledger/ledgers.def"
#undef LEDGER
};

const struct ledger_catalogue ledger_catalogue = {
    .kinds = rows,
    .n = sizeof(rows) / sizeof(rows[0]),
};

const struct ledger_kind *ledger_kind_find(const char *name)
{
    for (size_t i = 0; i < ledger_catalogue.n; i++)
        if (strcmp(rows[i]->name, name) == 0)
            return rows[i];
    return NULL;
}
