/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words in braces, and those of a host, that stand in a ledger's URLs, bodies and commands. */
#ifndef BLACKSTART_LEDGER_TEMPLATE_H
#define BLACKSTART_LEDGER_TEMPLATE_H

#include "base/buf.h"
#include "ledger/ledger.h"

/* {id}, {key}, {prefix}, {end}, the last three also in base64 as {key64} ..., and ${host},
 * ${host.ip}, ${host.ip6} where there is a host. Other braces stay. */
int template_expand(const char *text, uint64_t id, const struct ledger_place *p,
                    const struct named_host *host, struct buf *out, struct err *err) MUST_CHECK;
/* Does it hold what tells writes apart? */
bool template_has_id(const char *text);
/* At most size bytes; returns how many. What is no base64 ends it. */
size_t template_base64_decode(const char *text, char *out, size_t size);

#endif
