/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A load's counters over HTTP, on its host's loopback alone: a probe there reads them. */
#ifndef BLACKSTART_LOAD_SERVER_H
#define BLACKSTART_LOAD_SERVER_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct event_base;
struct server;

/* `fill` puts the answer's JSON; whatever the request's path is, the answer is the same. */
int server_open(struct event_base *base, uint16_t port, void (*fill)(void *ctx, struct buf *out),
                void *ctx, struct server **ret, struct err *err) MUST_CHECK;
void server_close(struct server *s); /* NULL is allowed */

#endif
