/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Users and groups of a host by name, as its own /etc/passwd and /etc/group have them: the agent's
 * may have others. Allocates: for prepare only.
 */
#ifndef BLACKSTART_AGENTS_HOST_ACCOUNT_H
#define BLACKSTART_AGENTS_HOST_ACCOUNT_H

#include "base/err.h"

#include <stdint.h>

/* A number is its own answer. ERR_NOT_FOUND for a name that is not there. */
int account_user(int root, const char *name, uint32_t *ret, struct err *err) MUST_CHECK;
int account_group(int root, const char *name, uint32_t *ret, struct err *err) MUST_CHECK;

#endif
