/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/json_memory.h"
#include "cmd/command.h"

#define COMMAND(name) extern const struct command command_##name;
#include "cmd/commands.def"
#undef COMMAND

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "cmd/commands.def"
#undef COMMAND
};

const struct command_list command_list = {commands, sizeof(commands) / sizeof(commands[0])};

int main(int argc, char **argv)
{
    json_memory_or_end("blackstart");
    return command_main(&command_list, argc, argv);
}
