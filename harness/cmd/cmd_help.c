/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/command.h"
#include "cmd/terminal.h"

#include <stdio.h>

static int run(const struct command_args *args, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
    if (command_flag(args, "man")) {
        command_list_print_man(&command_list, &text);
    } else if (args->n_operands == 0) {
        command_list_print_help(&command_list, &text);
    } else {
        const struct command *c = command_find(&command_list, args->operands[0]);
        if (c == NULL)
            return make_error(err, ERR_USAGE, 0, "unknown command \"%s\"", args->operands[0]);
        command_print_help(c, (size_t)terminal_width(stdout), &text);
    }
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static void complete(struct buf *out)
{
    for (size_t i = 0; i < command_list.n; i++)
        buf_printf(out, "%s%s", i != 0 ? " " : "", command_list.commands[i]->name);
}

static const struct command_option options[] = {
    {.name = "man", .doc = "Print the manual page (for man -l -)."},
};

const struct command command_help = {
    .name = "help",
    .summary = "Print help on a command, or the manual page.",
    .usage = "[--man | COMMAND]",
    .example = "blackstart help run\nblackstart help --man | man -l -",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .operands_max = 1,
    .complete = complete,
    .run = run,
};
