/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_kinds.h"
#include "load/load.h"

static const struct cmd_kinds kinds = {.word = "load", .plain = &load_kinds};

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

const struct command command_loads = {
    .name = "loads",
    .summary = "List the kinds of load, or explain one: parameters, example.",
    .usage = "[--json] [NAME]",
    .example = "blackstart loads\nblackstart loads redis",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .complete = complete,
    .run = run,
};
