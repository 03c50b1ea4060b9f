/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would the host's own kernel let a user do this to a file? A child becomes the user, without any
 * capability, and asks: modes, owners, access lists, sticky directories, read-only mounts and
 * immutable files are the kernel's to judge. Changes nothing. For prepare only.
 */
#ifndef BLACKSTART_AGENTS_HOST_MAY_H
#define BLACKSTART_AGENTS_HOST_MAY_H

#include "agents/host/account.h"
#include "base/fault.h"

struct may_question {
    int root; /* of the host */
    const char *name;
    struct identity who;
    enum fault_act act;
    const struct path *paths;
    uint32_t n;
};

/* 0: it would. ERR_DENIED: it would not, with the path and the right that is missing. What is not
 * there is not asked about. Any other error: nobody knows. */
int may_act(const struct may_question *q, struct err *err) MUST_CHECK;

#endif
