/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/kind.h"

#include <string.h>

const struct kind *kinds_find(const struct kinds *kinds, const char *name)
{
    for (size_t i = 0; i < kinds->n; i++)
        if (strcmp(kinds->rows[i]->name, name) == 0)
            return kinds->rows[i];
    return NULL;
}
