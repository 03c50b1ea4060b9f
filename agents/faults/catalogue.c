/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"

#define FAULT(row) extern const struct fault fault_##row;
#include "agents/faults/faults.def"
#undef FAULT

static const struct fault *const rows[] = {
#define FAULT(row) &fault_##row,
#include "agents/faults/faults.def"
#undef FAULT
    NULL,
};

const struct catalogue fault_catalogue = {
    .faults = rows,
    .n = sizeof(rows) / sizeof(rows[0]) - 1,
};
