/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/command.h"

#include <stdio.h>

static int run(const struct command_args *args, struct err *err)
{
    (void)args;
    (void)err;
    (void)printf("blackstart %s\n", BLACKSTART_VERSION);
    return 0;
}

const struct command command_version = {
    .name = "version",
    .summary = "Print the version.",
    .usage = "",
    .example = "blackstart version",
    .run = run,
};
