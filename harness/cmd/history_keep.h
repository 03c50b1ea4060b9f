/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `history` changes: runs that come in, runs that go. Each prints what it did. */
#ifndef BLACKSTART_HISTORY_KEEP_H
#define BLACKSTART_HISTORY_KEEP_H

#include "cmd/cmd_store.h"

int history_import(const struct command_args *args, struct store *s, struct err *err) MUST_CHECK;
/* `scenario` NULL: of all. */
int history_prune(const struct command_args *args, const char *scenario, struct store *s,
                  struct err *err) MUST_CHECK;
/* Moves the store aside, to history.db.old-1 and so on; nothing is deleted. What does not look like
 * a store of ours stays where it is (ERR_INPUT), unless `force`. */
int history_rebuild(const struct cmd_store *place, bool force, struct err *err) MUST_CHECK;

#endif
