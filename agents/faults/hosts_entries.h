/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines of a hosts file (hosts(5)) that give a name an address. Pure; knows no file. */
#ifndef BLACKSTART_FAULTS_HOSTS_ENTRIES_H
#define BLACKSTART_FAULTS_HOSTS_ENTRIES_H

#include "base/buf.h"
#include "base/param.h"

/* Appends the text without the lines that have one of the names, in any of their columns but the
 * address; *ret_n says how many lines those are. */
int hosts_entries_drop(const char *text, size_t len, const struct names *names, struct buf *out,
                       uint32_t *ret_n, struct err *err) MUST_CHECK;

#endif
