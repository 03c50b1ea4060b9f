/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The privileged process, parent of the other two: replays what earlier agents left, answers
 * netside's requests one after the other, keeps the leases, and puts everything back when the link,
 * netside or the guardian is gone, a lease runs out, or somebody says SIGTERM. Parses no JSON.
 */
#ifndef BLACKSTART_AGENTS_PRIVSIDE_H
#define BLACKSTART_AGENTS_PRIVSIDE_H

#include "agents/host.h"

/* The whole life of an agent. Returns the exit status: 0, 3, or 4 when the host is left dirty. */
int privside_run(const struct agent_options *options, struct err *err);

/* `undo --all`: only the replay, with a line on stdout for each record. */
int privside_undo(const struct agent_options *options, struct err *err);

#endif
