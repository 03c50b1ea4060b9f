/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "analysis/analysis_parts.h"

const char *write_fate_word(enum write_fate f)
{
    static const char *const words[] = {"lost", "divided", "phantom", "duplicate"};
    return words[f];
}

void analysis_ledgers(struct analysis_maker *m, struct analysis_trial *t)
{
    (void)m;
    (void)t;
}
