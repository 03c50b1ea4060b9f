/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `blackstart lab up`: the process that stays behind and holds the lab, with a time limit.
 */
#ifndef BLACKSTART_CMD_LAB_HOLDER_H
#define BLACKSTART_CMD_LAB_HOLDER_H

#include "cmd/command.h"

#include <jansson.h>

int cmd_lab_up(const struct command_args *args, struct err *err) MUST_CHECK;

/* The services of a host (an object of lab.json) with their states, on the line that is being
 * printed; nothing when its init cannot be asked. */
void cmd_lab_print_services(const json_t *host);

#endif
