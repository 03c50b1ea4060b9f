/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The disk beneath a path of a host: through an overlay's upper directory, and of a partition the
 * whole. For prepare only: it allocates. Changes nothing, knows nothing of faults.
 */
#ifndef BLACKSTART_AGENTS_HOST_DISK_H
#define BLACKSTART_AGENTS_HOST_DISK_H

#include "base/err.h"
#include "base/fault.h"

#include <stdint.h>

/* ERR_REFUSED when there is none. */
int disk_find(const struct fault_host *host, const char *path, uint64_t *ret_device,
              struct err *err) MUST_CHECK;

#endif
