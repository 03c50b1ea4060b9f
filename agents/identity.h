/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The identity of a request: would the host's kernel let its user do the same as the fault? */
#ifndef BLACKSTART_AGENTS_IDENTITY_H
#define BLACKSTART_AGENTS_IDENTITY_H

#include "agents/wire.h"

/* 0: it would, or nobody is named. ERR_DENIED: it would not, and why. Changes nothing. */
int identity_ask(const struct fault_host *host, const struct fault *row,
                 const struct agent_request *r, const void *args, struct err *err) MUST_CHECK;

#endif
