/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/command.h"

#include <stdio.h>

static int run(const struct command_args *args, struct err *err)
{
    CLEANUP_BUF struct buf text = BUF_INIT(1 << 18);
    if (command_list_print_completion(&command_list, args->operands[0], &text, err) != 0)
        return -1;
    (void)fputs(buf_text(&text), stdout);
    return 0;
}

static void complete(struct buf *out)
{
    buf_puts(out, "bash");
}

const struct command command_completion = {
    .name = "completion",
    .summary = "Print the completion script of a shell.",
    .usage = "bash",
    .example = "source <(blackstart completion bash)",
    .operands_min = 1,
    .operands_max = 1,
    .complete = complete,
    .run = run,
};
