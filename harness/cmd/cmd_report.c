/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_judge.h"
#include "cmd/command.h"

static const struct command_option options[] = {
    {.name = "json", .doc = "Print one JSON document, the result, and nothing else."},
};

static int run(const struct command_args *args, struct err *err)
{
    return cmd_judge(args->operands[0], command_flag(args, "json"), err);
}

const struct command command_report = {
    .name = "report",
    .summary = "Make a run's reports again from its journal.",
    .usage = "[OPTIONS] DIR",
    .doc = "Reads journal.ndjson and the sample files beside it, and nothing else; writes "
           "result.json\n"
           "and report.txt, byte for byte as the run did. Exit status as of run.",
    .example = "blackstart report runs/latest",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
