/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bearer (bearer.h) that holds other processes still by ptrace. The stop heals itself: the kernel
 * lets the victims go on the moment the tracer ends, however it ends. Nothing here allocates.
 */
#ifndef BLACKSTART_AGENTS_HOST_TRACER_H
#define BLACKSTART_AGENTS_HOST_TRACER_H

#include "agents/host/bearer.h"

/*
 * Starts a tracer that stops every thread of every process in the set, with `tree` also of what
 * descends from them, and returns when all have stopped. It is renewed and ended as a bearer is.
 */
int tracer_start(const struct fault_host *host, const struct undo *undo, const struct proc_set *set,
                 bool tree, struct proc_id *ret_tracer, struct err *err) MUST_CHECK;

/* Threads of the process that are stopped by that tracer, and all its threads. */
void tracer_count(const struct fault_host *host, const struct proc_id *id, int32_t tracer,
                  uint32_t *ret_held, uint32_t *ret_all);

#endif
