/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lab in which rows are tried: n1, where faults act, and n2, its peer; both with the services
 * and files that the rows' examples name (web, redis, /etc/nginx, and worker, which alone comes
 * back by itself), served by victim.c.
 */
#ifndef BLACKSTART_TESTS_CONTRACT_HOST_H
#define BLACKSTART_TESTS_CONTRACT_HOST_H

#include "base/buf.h"
#include "lab/lab.h"

/* What the lab is, for a test that brings up one of its own; how often its services do something.
 */
const struct lab_spec *host_spec(int rest_ms);
/* n2's addresses, as the examples' peers. */
void host_peers(const struct lab *lab, struct addrs *ret);
/* Brings it up with its services ready. */
int host_up(struct lab **ret, struct err *err) MUST_CHECK;
/* Where an agent of this lab may keep its undo log. */
const char *host_agent_state(void);
/* n1's own layer of files, seen from outside. */
const char *host_upper(void);

/* Runs this very program in n1's network with argv after its name, "@ROOT" and so on put in
 * (lab.h), and reads what it writes to descriptor 0 until it ends. */
int host_run(struct lab *lab, const char *const *argv, int64_t timeout_ns, struct buf *out,
             struct err *err) MUST_CHECK;

#endif
