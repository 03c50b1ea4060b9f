/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nf_tables objects of this namespace as lines of text: no counters, no
 * handles, no elements that end by themselves or that packets add.
 */
#ifndef BLACKSTART_NETLINK_DUMPNFT_H
#define BLACKSTART_NETLINK_DUMPNFT_H

#include "base/buf.h"

int dumpnft_take(struct buf *lines, struct err *err) MUST_CHECK;

#endif
