/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "cmd/cmd_kinds.h"
#include "cmd/doctor.h"
#include "lab/place.h"
#include "scenario/kind_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(size_t i)
{
    return i < fault_catalogue.n ? fault_catalogue.faults[i]->name : NULL;
}

static const char *summary_of(size_t i)
{
    return fault_catalogue.faults[i]->summary;
}

/* What the agent of a throw-away lab host says of that kind alone. */
static void try_here(const struct fault *fault, char *ret, size_t size)
{
    struct doctor *d = calloc(1, sizeof(*d));
    char exe_dir[PATH_MAX];
    struct err err;
    (void)snprintf(ret, size, "could not be tried");
    if (d != NULL && place_programs(exe_dir, sizeof(exe_dir), &err) == 0)
        doctor_examine_lab(&fault_catalogue, exe_dir, d);
    for (size_t i = 0; d != NULL && i < d->n; i++) {
        const struct doctor_line *line = &d->lines[i];
        if (strcmp(line->name, fault->name) == 0) {
            (void)snprintf(ret, size, line->state == DOCTOR_YES ? "yes" : "no: %s", line->text);
            break;
        }
        if (line->state == DOCTOR_NO)
            (void)snprintf(ret, size, "could not be tried: %s", line->text);
    }
    free(d);
}

static void put_text(size_t i, size_t width, struct buf *out)
{
    char here[sizeof(((struct doctor_line *)0)->text) + 32];
    try_here(fault_catalogue.faults[i], here, sizeof(here));
    kind_fault_text(fault_catalogue.faults[i], here, width, out);
}

static json_t *json_of(size_t i)
{
    return kind_fault_json(fault_catalogue.faults[i]);
}

static void put_doc(struct buf *out)
{
    kind_faults_doc(&fault_catalogue, out);
}

static const struct cmd_kinds kinds = {
    .word = "fault",
    .name = name_of,
    .summary = summary_of,
    .text = put_text,
    .json = json_of,
    .doc = put_doc,
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
    {.name = "doc", .doc = "Print the reference page of all faults (Markdown)."},
};

const struct command command_faults = {
    .name = "faults",
    .summary = "List the faults, or explain one: parameters, end, evidence, example.",
    .usage = "[--json | --doc] [NAME]",
    .doc = "Of one fault it also says whether it works on this machine, and why not, as the agent "
           "of a lab host that is gone a moment later found it.",
    .example = "blackstart faults\nblackstart faults network.partition\nblackstart faults --doc > "
               "docs/faults.md",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .complete = complete,
    .run = run,
};
