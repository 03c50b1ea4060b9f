/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that reads what comes from outside: frames to typed requests, replies to frames
 * (docs/agent-protocol.md). It has no privileges and opens nothing. Knows parameters' tables, never
 * calls a fault.
 */
#ifndef BLACKSTART_AGENTS_NETSIDE_H
#define BLACKSTART_AGENTS_NETSIDE_H

/* Until the link or privside ends. Returns the exit status. */
int netside_run(int privside, int link);

#endif
