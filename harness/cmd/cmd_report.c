/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/cmd_judge.h"
#include "cmd/command.h"
#include "reports/report.h"

#include <stdio.h>

enum { DOC_MAX = 1 << 20 };

static const struct command_option options[] = {
    {.name = "report",
     .argument = "NAMES",
     .doc = "Which reports, with commas between (default: all).",
     .words = report_put_names},
    {.name = "stdout", .doc = "Print the one report that --report names, and write no file."},
    {.name = "json", .doc = "Print one JSON document, the result, and nothing else."},
    CMD_STORE_OPTION,
    {.name = "doc", .doc = "Print the reference page of the reports instead (Markdown)."},
};

static int print_doc(struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(DOC_MAX);
    report_doc(&text);
    if (!buf_ok(&text))
        return make_error(err, ERR_LIMIT, 0, "the page is too long");
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

/* The only one in the set; NULL: there are none or several. */
static const struct report_renderer *only_one(uint32_t set)
{
    const struct report_renderer *found = NULL;
    for (size_t i = 0; i < report_n_renderers; i++) {
        if ((set >> i & 1) == 0)
            continue;
        if (found != NULL)
            return NULL;
        found = &report_renderers[i];
    }
    return found;
}

static int run(const struct command_args *args, struct err *err)
{
    struct judge j = {.json = command_flag(args, "json")};
    if (command_flag(args, "doc"))
        return print_doc(err);
    if (args->n_operands == 0)
        return make_error(err, ERR_USAGE, 0,
                          "report needs a run's directory: blackstart report "
                          "runs/latest");
    if (report_select(command_value(args, "report"), &j.reports, err) < 0)
        return -1;
    j.dir = args->operands[0];
    if (cmd_store_of_folder(args, j.dir, &j.store, err) < 0)
        return -1;
    if (command_flag(args, "stdout")) {
        j.print = only_one(j.reports);
        if (j.print == NULL || j.json)
            return make_error(err, ERR_USAGE, 0,
                              "--stdout prints one report: name it, as in --report junit --stdout");
    }
    return cmd_judge(&j, err);
}

const struct command command_report = {
    .name = "report",
    .summary = "Make a run's reports again from its journal.",
    .usage = "[OPTIONS] DIR",
    .doc = "Reads journal.ndjson and the sample files beside it, and nothing else; writes the "
           "reports byte for byte as the run did. What each is for: docs/reports.md. Exit status "
           "as of run.",
    .example = "blackstart report runs/latest\n"
               "blackstart report --report markdown --stdout runs/latest >> $GITHUB_STEP_SUMMARY",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .run = run,
};
