/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Going into a host of a lab that another process holds: for `lab exec`, and to ask its init. The
 * process that calls these is inside from then on, so they are called in a child or at the end of a
 * command.
 */
#ifndef BLACKSTART_LAB_ENTER_H
#define BLACKSTART_LAB_ENTER_H

#include "lab/registry.h"

/* Only the host's network: enough for hostctl. */
int enter_network(const struct registry_process *init, struct err *err) MUST_CHECK;

struct enter_how {
    const char *user;         /* NULL: root of the host */
    const char *const *words; /* the command, NULL-terminated */
    bool one_id;              /* a lab without root and without a range of ids */
};

/* Runs the command inside with this process's terminal; waits; its exit status (128 + signal). */
int enter_run(const struct registry_process *init, const struct enter_how *how, int *ret_status,
              struct err *err) MUST_CHECK;

#endif
