/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bearer's own process (bearer.h starts and ends it): what it gives up, ties itself to and
 * waits for.
 */
#ifndef BLACKSTART_AGENTS_HOST_BEARING_H
#define BLACKSTART_AGENTS_HOST_BEARING_H

#include "agents/host/bearer.h"

#include <sys/types.h>

_Noreturn void bearing_run(struct bearer *self, const struct bearer_spec *spec, int line,
                           pid_t agent);

#endif
