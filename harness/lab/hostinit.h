/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of a host: one loop that reaps, runs the host's services and answers hostctl
 * (base/hostctl.h). It holds all that it needs in memory and descriptors before the host's root is
 * entered, so that deleting /usr, /etc and /var in the host does not harm it.
 */
#ifndef BLACKSTART_LAB_HOSTINIT_H
#define BLACKSTART_LAB_HOSTINIT_H

#include "lab/context.h"

/*
 * Never returns. fabric_fd: a socket to the fabric, on which it sends 'n' when its network
 * namespace is there (and then waits for one byte: its link is made), and 'r' when the host is
 * ready, or a struct err when something failed.
 */
_Noreturn void hostinit_run(const struct lab_context *lab, size_t host, int fabric_fd);

#endif
