/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host that this agent was put before, opened once: its root, its /proc, its namespaces. In a
 * lab they are handed over as descriptors; otherwise they are the machine's own. Knows nothing of
 * faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_H
#define BLACKSTART_AGENTS_HOST_H

#include "agents/undo.h"

struct agent_options {
    const char *run, *host, *state, *policy;
    int root, proc; /* descriptors; -1: the machine's own */
    int link;   /* the coordinator's byte stream; 0: stdin, and stdout where stdin is no socket */
    pid_t init; /* of the host, as seen here; 0: the machine's own */
    bool lab;
};

int host_open(struct fault_host *ret, const struct agent_options *options,
              struct err *err) MUST_CHECK;

/* Whose undo log it will be. */
int host_owner(struct undo_owner *ret, const struct agent_options *options,
               struct err *err) MUST_CHECK;

/* The state directory, made if it is not there (0700); refused if others can write it. */
int host_state(const char *path, int *ret_fd, struct err *err) MUST_CHECK;

/* The same, for who only looks what is in it: ERR_NOT_FOUND if it is not there. */
int host_state_find(const char *path, int *ret_fd, struct err *err) MUST_CHECK;

#endif
