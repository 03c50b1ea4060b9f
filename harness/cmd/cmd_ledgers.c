/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_kinds.h"
#include "ledger/ledger.h"
#include "scenario/kind_text.h"

static const char *name_of(size_t i)
{
    return i < ledger_catalogue.n ? ledger_catalogue.kinds[i]->name : NULL;
}

static const char *summary_of(size_t i)
{
    return ledger_catalogue.kinds[i]->summary;
}

static void put_text(size_t i, size_t width, struct buf *out)
{
    kind_ledger_text(ledger_catalogue.kinds[i], width, out);
}

static json_t *json_of(size_t i)
{
    return kind_ledger_json(ledger_catalogue.kinds[i]);
}

static const struct cmd_kinds kinds = {
    .word = "ledger",
    .name = name_of,
    .summary = summary_of,
    .text = put_text,
    .json = json_of,
};

static int run(const struct command_args *args, struct err *err)
{
    return cmd_kinds_run(&kinds, args, err);
}

static void complete(struct buf *out)
{
    cmd_kinds_words(&kinds, out);
}

static const struct command_option options[] = {
    {.name = "json", .doc = "Print JSON, with all parameters."},
};

const struct command command_ledgers = {
    .name = "ledgers",
    .summary = "List the kinds of ledger, or explain one: parameters, example.",
    .usage = "[--json] [NAME]",
    .example = "blackstart ledgers\nblackstart ledgers redis",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .complete = complete,
    .run = run,
};
