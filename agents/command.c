/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agents/command.h"

void command_help(FILE *to, const struct command *c)
{
    (void)fprintf(to, "usage: blackstart-agent %s %s\n\n%s\n%s\nexample: %s\n", c->name, c->usage,
                  c->summary, c->doc, c->example);
}

int command_complain(const struct command *c, const char *what)
{
    (void)fprintf(stderr,
                  "blackstart-agent %s: %s\n(blackstart-agent %s --help says how it is called)\n",
                  c->name, what, c->name);
    return 2;
}

int command_report(int status, const struct err *err)
{
    if (status == 3 && err->msg[0] != '\0')
        (void)fprintf(stderr, "blackstart-agent: %s\n", err->msg);
    return status;
}
