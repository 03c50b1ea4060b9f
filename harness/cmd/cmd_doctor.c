/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/faults/catalogue.h"
#include "cmd/command.h"
#include "cmd/doctor.h"
#include "cmd/terminal.h"
#include "lab/place.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_line(const struct doctor_line *l)
{
    static const struct {
        const char *word;
        enum style style;
    } looks[] = {{"yes", STYLE_GREEN}, {"limited", STYLE_YELLOW}, {"no", STYLE_RED}};
    (void)printf("  %-20s %s%-8s%s %s\n", l->name, terminal_style(stdout, looks[l->state].style),
                 looks[l->state].word, terminal_style(stdout, STYLE_PLAIN), l->text);
}

static void print_all(const struct doctor *d)
{
    for (size_t i = 0; i < d->n; i++) {
        if (i == 0 || strcmp(d->lines[i].group, d->lines[i - 1].group) != 0)
            (void)printf("%s%s%s\n", terminal_style(stdout, STYLE_BOLD), d->lines[i].group,
                         terminal_style(stdout, STYLE_PLAIN));
        print_line(&d->lines[i]);
    }
    (void)puts(doctor_quickstart(d) ? "The quick start can run here."
                                    : "The quick start cannot run here: see what says \"no\".");
}

static int run(const struct command_args *args, struct err *err)
{
    static struct doctor d;
    char exe[PATH_MAX];
    if (place_programs(exe, sizeof(exe), err) != 0)
        return -1;
    doctor_examine(&fault_catalogue, exe, &d);
    if (command_flag(args, "json")) {
        json_t *all = doctor_json(&d);
        (void)json_dumpf(all, stdout, JSON_INDENT(2));
        (void)puts("");
        json_decref(all);
    } else {
        print_all(&d);
    }
    return doctor_quickstart(&d) ? 0 : 3;
}

static const struct command_option options[] = {
    {.name = "json", .doc = "Print one JSON document: quickstart, checks."},
};

const struct command command_doctor = {
    .name = "doctor",
    .summary = "Say what this machine can and cannot inject, and why.",
    .usage = "[--json]",
    .doc = "Tries it all, in namespaces of its own and in a lab that is gone afterwards. Exit "
           "status 0 when the quick start can run.",
    .example = "blackstart doctor\nblackstart doctor --json",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
