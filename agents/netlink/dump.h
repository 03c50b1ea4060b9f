/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel objects of this process's network namespace as sorted text, one object a line, for
 * the comparison of a host before and after: nf_tables (tables, chains, sets, elements, rules,
 * objects; no counters, no handles), legacy iptables, routing rules, routes, addresses, links,
 * qdiscs, classes, filters, and sysctls. Neighbour entries, statistics, timers and whatever else
 * moves by itself are left out. Judges nothing.
 */
#ifndef BLACKSTART_NETLINK_DUMP_H
#define BLACKSTART_NETLINK_DUMP_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

enum { DUMP_MAX = 16 * 1024 * 1024 };

/* Appends to out, whose maximum should be DUMP_MAX. */
int dump_take(struct buf *out, struct err *err) MUST_CHECK;

/*
 * Lines that only one of two dumps has, as "- line" (gone) and "+ line" (new), at most `max` of
 * them, then "... and N more". Returns the number of lines that differ; 0 adds nothing to out.
 */
size_t dump_diff(const char *before, const char *after, struct buf *out, size_t max);

#endif
