/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding out whether a service answers: a child of the host's init asks again and again, and exits
 * 0 when it does. The init itself never waits. Names are looked up in the lab's own table.
 */
#ifndef BLACKSTART_LAB_READY_H
#define BLACKSTART_LAB_READY_H

#include "lab/service.h"

int ready_start(const struct service *s, pid_t *ret_checker, struct err *err) MUST_CHECK;

/* One question: does a TCP connection to "PORT", "HOST:PORT" or "http://HOST[:PORT]/path" open, and
 * for the last is the answer's status 200 to 399? `what` as declared. */
struct ready_address {
    char host[256];
    uint16_t port;
    char path[512]; /* "" for tcp */
};
int ready_parse(const char *what, bool http, struct ready_address *ret, struct err *err) MUST_CHECK;

#endif
