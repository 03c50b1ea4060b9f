/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "cmd/command.h"
#include "reports/result_schema.h"
#include "scenario/scenario.h"

#include <stdio.h>

enum { DOC_MAX = 1 << 20 };

static int print_doc(struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(DOC_MAX);
    scenario_doc(&fault_catalogue, &text);
    if (!buf_ok(&text))
        return make_error(err, ERR_LIMIT, 0, "the page is too long");
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static int run(const struct command_args *args, struct err *err)
{
    if (command_flag(args, "doc"))
        return print_doc(err);
    json_t *schema =
        command_flag(args, "result") ? result_schema() : scenario_schema(&fault_catalogue);
    if (schema == NULL)
        return make_error(err, ERR_LIMIT, 0, "no memory");
    (void)json_dumpf(schema, stdout, JSON_INDENT(1));
    (void)puts("");
    json_decref(schema);
    return 0;
}

static const struct command_option options[] = {
    {.name = "result", .doc = "Print the schema of result.json instead."},
    {.name = "doc", .doc = "Print the reference page of the language instead (Markdown)."},
};

const struct command command_schema = {
    .name = "schema",
    .summary = "Print the JSON Schema (draft-07) of scenarios, for editors, or of results.",
    .usage = "[--doc | --result]",
    .doc = "An editor that knows YAML schemas completes and checks with it: put\n"
           "\"# yaml-language-server: $schema=schema.json\" into a scenario's first line.",
    .example = "blackstart schema > scenarios/schema.json\n"
               "blackstart schema --result > result-schema.json",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
