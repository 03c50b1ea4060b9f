/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs of the store as a table for people, as JSON and as CSV. */
#ifndef BLACKSTART_HISTORY_PRINT_H
#define BLACKSTART_HISTORY_PRINT_H

#include "base/buf.h"
#include "store/store.h"

#include <jansson.h>

/* `columns` wide where that can be had by cutting targets' names short. Verdicts stand between the
 * texts that style(verdict) gives and STYLE_PLAIN's. */
void history_print_table(const struct store_list *list, size_t columns, bool colour,
                         struct buf *out);
/* One line a target, a heading first. */
void history_print_csv(const struct store_list *list, struct buf *out);
/* {store, more, runs}; with the figures of each trial when `store` is given. NULL with err. */
json_t *history_json(const struct store_list *list, const char *file, struct store *store,
                     struct err *err);

#endif
