/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What "faults", "probes", "ledgers" and "loads" have in common: a table of kinds that is listed,
 * or one of it explained, as text, JSON or a reference page. Knows no kind itself; the tables are
 * the callers'.
 */
#ifndef BLACKSTART_CMD_KINDS_H
#define BLACKSTART_CMD_KINDS_H

#include "base/kind.h"
#include "cmd/command.h"

#include <jansson.h>

struct cmd_kinds {
    const char *word;              /* "fault" */
    const struct kinds *plain;     /* the table; or NULL, and these: */
    const char *(*name)(size_t i); /* NULL behind the last */
    const char *(*summary)(size_t i);
    void (*text)(size_t i, size_t width, struct buf *out);
    json_t *(*json)(size_t i);
    void (*doc)(struct buf *out); /* the reference page; NULL: none, and no --doc */
};

int cmd_kinds_run(const struct cmd_kinds *kinds, const struct command_args *args,
                  struct err *err) MUST_CHECK;

/* The names, with spaces between: what completion offers. */
void cmd_kinds_words(const struct cmd_kinds *kinds, struct buf *out);

#endif
